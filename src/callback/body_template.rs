//! Bodies that are not a profile's: a template of one's own, or of a chat robot, filled from the native form.
//!
//! What a template sees: every field of the native body (`type`, `at`, `media`, `task`, `job` ...) and `summary` with
//! `title` and `text` in words. A template that begins with `{` makes JSON: each value in it is written as JSON,
//! quotes included, so that nothing in a name can break out of its string.
//!
//! Guarantees: bounded in size and steps; what is loaded has been rendered once; no files, no includes. Deliberately
//! absent: transport.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::callback::summary;
use crate::callback::trial;
use crate::events::Event;
use crate::events::profile::Deployment;
use crate::events::profile::Profile;
use crate::events::profile::render;
use minijinja::AutoEscape;
use minijinja::Environment;
use std::io;

/// Bytes of the longest template.
const TEMPLATE_BYTES: usize = 64 * 1024;
/// Bytes of the longest body it may make.
const BODY_BYTES: usize = 1 << 20;
/// Steps it may take.
const STEPS: u64 = 500_000;
const NAME: &str = "body";

/// One template, checked.
pub struct BodyTemplate {
    environment: Environment<'static>,
    json: bool,
}

impl BodyTemplate {
    /// Reads a template and renders it once, for a trial.
    ///
    /// # Errors
    /// It is too long, cannot be read, or fails; with its line.
    pub fn new(text: &str) -> Result<Self, Fault> {
        let begin = text.trim_start();
        let json = begin.starts_with('{') && !["{{", "{%", "{#"].iter().any(|sign| begin.starts_with(sign));
        Self::read(text, json)
    }

    /// The same for what is never JSON: mails and their subject lines.
    ///
    /// # Errors
    /// As of [`new`](Self::new).
    pub fn plain(text: &str) -> Result<Self, Fault> {
        Self::read(text, false)
    }

    fn read(text: &str, json: bool) -> Result<Self, Fault> {
        if text.len() > TEMPLATE_BYTES {
            return Err(bad(format!("it is longer than {TEMPLATE_BYTES} bytes")));
        }
        let mut environment = Environment::new();
        environment.set_fuel(Some(STEPS));
        environment.set_auto_escape_callback(move |_| if json { AutoEscape::Json } else { AutoEscape::None });
        environment
            .add_template_owned(NAME, text.to_owned())
            .map_err(|error| bad(said(&error)))?;
        let template = BodyTemplate { environment, json };
        template.render(&trial::event(), &Deployment::new(1, "app", "here", "http://localhost"))?;
        Ok(template)
    }

    /// Whether it makes JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The body for `event`.
    ///
    /// # Errors
    /// The template fails on this event, makes too much, or no JSON where it should.
    pub fn render(&self, event: &Event, deployment: &Deployment) -> Result<Vec<u8>, Fault> {
        let native = render(Profile::Native, event, deployment).map(|rendered| rendered.body);
        let mut context = native.unwrap_or_else(|| serde_json::json!({}));
        if let Some(fields) = context.as_object_mut() {
            let (title, text) = summary::of(event);
            fields.insert("summary".to_owned(), serde_json::json!({"title": title, "text": text}));
        }
        let template = self.environment.get_template(NAME).map_err(|error| bad(said(&error)))?;
        let mut body = Bounded(Vec::new());
        template
            .render_captured_to(&context, &mut body)
            .map_err(|error| bad(said(&error)))?;
        if self.json {
            serde_json::from_slice::<serde::de::IgnoredAny>(&body.0)
                .map_err(|error| bad(format!("what it makes is no JSON: {error}")))?;
        }
        Ok(body.0)
    }
}

impl std::fmt::Debug for BodyTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BodyTemplate").field("json", &self.json).finish()
    }
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > BODY_BYTES {
            return Err(io::Error::other(format!("it makes more than {BODY_BYTES} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn said(error: &minijinja::Error) -> String {
    let mut text = match error.line() {
        Some(line) => format!("line {line}: {error}"),
        None => error.to_string(),
    };
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

fn bad(cause: String) -> Fault {
    Fault::new(
        "TemplateRefused",
        Blame::Request,
        "fill the body template",
        "template",
        cause,
        "Correct the template; it is a Jinja template over the native form of events.",
    )
}

#[cfg(test)]
mod tests {
    use super::BodyTemplate;
    use crate::callback::trial;
    use crate::events::profile::Deployment;

    fn rendered(text: &str) -> String {
        let template = BodyTemplate::new(text).expect("valid");
        let mut event = trial::event();
        event.task.as_mut().expect("of a task").workflow_name = "a \"b\" \\ {{ c }}".to_owned();
        let deployment = Deployment::new(1, "app", "here", "http://x");
        String::from_utf8(template.render(&event, &deployment).expect("renders")).expect("text")
    }

    #[test]
    fn values_cannot_break_out_of_json() {
        let body = rendered(r#"{"name": {{ task.workflow_name }}, "said": {{ "it is " ~ type }} }"#);
        let body: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["name"], "a \"b\" \\ {{ c }}");
        assert_eq!(body["said"], "it is WorkflowTaskComplete");
        assert!(
            rendered("{{ summary.title }}").contains("a \"b\""),
            "plain text is as it is"
        );
    }

    #[test]
    fn templates_are_bounded_and_checked_when_loaded() {
        for (text, cause) in [
            ("{\"a\": {{ type }", "line 1"),
            ("{\"a\": \"{{ type }}\"}", "no JSON"),
            (
                "{% for a in range(9000) %}{% for b in range(9000) %}{% endfor %}{% endfor %}",
                "fuel",
            ),
            ("{{ nothing.at.all }}", "undefined"),
            ("{% include 'x' %}", "line 1"),
        ] {
            let fault = BodyTemplate::new(text).expect_err(text);
            assert!(fault.to_string().contains(cause), "{text}: {fault}");
        }
        assert!(BodyTemplate::new(&"a".repeat(65_537)).is_err());
    }
}
