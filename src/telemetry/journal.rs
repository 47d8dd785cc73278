//! Tracing events as journal entries whose fields can be searched: `journalctl TASK_ID=...`.
//!
//! Guarantees: the fields `task`, `job` and `media` of an event, or of a span around it, become `TASK_ID`, `JOB_ID`
//! and `MEDIA_ID`; every other field keeps its name in capitals; an entry that the journal refuses is dropped.
//! Deliberately absent: levels and filters (`logging`).

use std::fmt::Write as _;
use systemd_journal_logger::JournalLog;
use tracing::field::Field;
use tracing::field::Visit;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Sends events to the journal.
pub struct JournalLayer {
    journal: JournalLog,
}

impl JournalLayer {
    /// A layer, when standard error is the journal's.
    pub fn connect() -> Option<Self> {
        if !systemd_journal_logger::connected_to_journal() {
            return None;
        }
        let journal = JournalLog::new().ok()?.with_syslog_identifier("reelmill".to_owned());
        Some(JournalLayer { journal })
    }
}

/// Fields of one event or span, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Fields {
    message: String,
    named: Vec<(&'static str, String)>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            name => self.named.push((journal_name(name), value)),
        }
    }
}

/// The journal's name of a field; those that are searched for have one of their own.
fn journal_name(name: &'static str) -> &'static str {
    match name {
        "task" | "task_id" => "TASK_ID",
        "job" | "job_id" => "JOB_ID",
        "media" | "media_id" => "MEDIA_ID",
        "attempt" | "attempt_id" => "ATTEMPT_ID",
        other => other,
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}

/// Fields as the `log` crate's key-values.
struct KeyValues<'a>(&'a [(&'static str, String)]);

impl log::kv::Source for KeyValues<'_> {
    fn visit<'kvs>(&'kvs self, visitor: &mut dyn log::kv::VisitSource<'kvs>) -> Result<(), log::kv::Error> {
        for (name, value) in self.0 {
            visitor.visit_pair(log::kv::Key::from_str(name), log::kv::Value::from(value.as_str()))?;
        }
        Ok(())
    }
}

/// The level in the `log` crate's terms.
fn log_level(level: tracing::Level) -> log::Level {
    match level {
        tracing::Level::ERROR => log::Level::Error,
        tracing::Level::WARN => log::Level::Warn,
        tracing::Level::INFO => log::Level::Info,
        tracing::Level::DEBUG => log::Level::Debug,
        tracing::Level::TRACE => log::Level::Trace,
    }
}

/// The sentence of an entry: the message, then the fields that have no journal name worth searching.
fn sentence(fields: &Fields) -> String {
    let mut text = fields.message.clone();
    for (name, value) in fields
        .named
        .iter()
        .filter(|(name, _)| name.starts_with(|first: char| first.is_ascii_lowercase()))
    {
        let separator = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{separator}{name}={value}");
    }
    text
}

impl<S> tracing_subscriber::Layer<S> for JournalLayer
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &tracing::span::Attributes<'_>, id: &tracing::span::Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &tracing::span::Id, values: &tracing::span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = sentence(&fields);
        if let Some(scope) = context.event_scope(event) {
            for span in scope {
                if let Some(outer) = span.extensions().get::<Fields>() {
                    fields.named.extend(outer.named.iter().cloned());
                }
            }
        }
        let metadata = event.metadata();
        let key_values = KeyValues(&fields.named);
        let _ = self.journal.journal_send(
            &log::Record::builder()
                .level(log_level(*metadata.level()))
                .target(metadata.target())
                .module_path(metadata.module_path())
                .file(metadata.file())
                .line(metadata.line())
                .key_values(&key_values)
                .args(format_args!("{message}"))
                .build(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use super::KeyValues;
    use super::sentence;
    use log::kv::Source;
    use std::sync::Arc;
    use std::sync::Mutex;
    use tracing_subscriber::layer::SubscriberExt;

    /// Keeps what the journal layer would send.
    struct Keep(Arc<Mutex<Vec<Fields>>>);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Keep {
        fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            let mut fields = Fields::default();
            event.record(&mut fields);
            self.0.lock().expect("one thread").push(fields);
        }
    }

    #[test]
    fn ids_become_searchable_fields_and_the_rest_stays_in_the_sentence() {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let subscriber = tracing_subscriber::registry().with(Keep(Arc::clone(&kept)));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(task = "t1", job = %"j1", size_bytes = 3, "an output was published");
        });
        let fields = kept.lock().expect("one thread")[0].clone();
        assert_eq!(sentence(&fields), "an output was published size_bytes=3");
        let key_values = KeyValues(&fields.named);
        assert_eq!(
            key_values.get("TASK_ID".into()).map(|v| v.to_string()),
            Some("t1".to_owned())
        );
        assert_eq!(
            key_values.get("JOB_ID".into()).map(|v| v.to_string()),
            Some("j1".to_owned())
        );
    }
}
