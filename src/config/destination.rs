//! One `[[destination]]` section, checked, and `[callback]`, which names one or writes one out.
//!
//! Guarantees: secrets, certificates and templates are read here and nowhere later; a key file that everybody can read
//! is warned of; a key that is not for the section's kind is refused. Deliberately absent: whether a certificate or a
//! template is right (`callback` checks that before the daemon is ready), and whether anybody answers.

use crate::base::reader;
use crate::config::file::DestinationSection;
use crate::config::file::File;
use crate::config::resolved::Findings;
use crate::config::resolved::UNIFIED;
use crate::config::resolved::is_http;
use crate::config::secret;
use crate::workflow::destination::Definition;
use crate::workflow::secrets::Hidden;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

const KINDS: [&str; 8] = ["http", "amqp", "nats", "mqtt", "redis", "exec", "storage", "mail"];
const QUEUES: &[&str] = &["amqp", "nats", "mqtt", "redis"];
const PROFILES: [&str; 4] = ["ims", "vod", "mps", "native"];
const ROBOTS: [&str; 4] = ["wecom", "slack", "dingtalk", "feishu"];

/// The destination of the section at `path`; relative paths begin at `folder`. None: of a kind that there is not.
pub(super) fn resolve(
    findings: &mut Findings,
    path: &str,
    section: &DestinationSection,
    folder: &Path,
    files: &mut Vec<PathBuf>,
) -> Option<Definition> {
    if !KINDS.contains(&section.kind.as_str()) {
        let why = format!(
            "{:?} is no kind of destination; {}",
            section.kind,
            reader::meant(&section.kind, &KINDS)
        );
        findings.error(format!("{path}.kind"), why);
        return None;
    }
    words(findings, path, section);
    keys_of_kind(findings, path, section);
    let mut files = Files {
        findings,
        path,
        folder,
        read: files,
    };
    let auth_key = files.secret("auth_key_file", &section.auth_key_file);
    let signing_key = files.secret("signing_key_file", &section.signing_key_file);
    let old_signing_key = files.secret("old_signing_key_file", &section.old_signing_key_file);
    let password = files.secret("password_file", &section.password_file);
    let tls_client = files.text("tls_client_file", &section.tls_client_file, true);
    let tls_ca = files.text("tls_ca_file", &section.tls_ca_file, false);
    let body_template = files.text("body_template_file", &section.body_template_file, false);
    let mut headers: BTreeMap<String, Hidden> = section
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    if let Some(text) = files.text("headers_file", &section.headers_file, true) {
        files.headers(&text, &mut headers);
    }
    if auth_key.is_some() && !section.auth_key.is_empty() {
        findings.error(format!("{path}.auth_key"), "goes without auth_key_file");
    }
    Some(Definition {
        name: section.name.clone(),
        kind: section.kind.clone(),
        url: section.url.clone(),
        profile: section.profile.clone(),
        global: section.global,
        events: section.events.clone(),
        legacy_events: section.legacy_events,
        retry: section.retry.clone(),
        timeout_s: section.timeout_s,
        headers,
        auth_key: auth_key.or_else(|| (!section.auth_key.is_empty()).then(|| section.auth_key.as_str().into())),
        signing_key,
        old_signing_key,
        template: section.template.clone(),
        body_template: body_template.unwrap_or_default(),
        tls_client: tls_client.map(Hidden::from),
        tls_ca: tls_ca.unwrap_or_default(),
        user: section.user.clone(),
        password,
        queue: section.queue.clone(),
        exchange: section.exchange.clone(),
        routing_key: section.routing_key.clone(),
        declare: section.declare,
        subject: section.subject.clone(),
        topic: section.topic.clone(),
        stream: section.stream.clone(),
        max_entries: section.max_entries,
        program: section.program.clone(),
        storage: section.storage.clone(),
        prefix: section.prefix.clone(),
        smtp: section.smtp.clone(),
        security: section.security.clone(),
        from: section.from.clone(),
        to: section.to.clone(),
    })
}

/// Words of closed lists.
fn words(findings: &mut Findings, path: &str, section: &DestinationSection) {
    let mut one_of = |key: &str, word: &str, known: &[&str], may_be_empty: bool| {
        if !(known.contains(&word) || may_be_empty && word.is_empty()) {
            let why = format!(
                "{word:?} is not one of {}; {}",
                known.join(", "),
                reader::meant(word, known)
            );
            findings.error(format!("{path}.{key}"), why);
        }
    };
    one_of("profile", &section.profile, &PROFILES, false);
    one_of("retry", &section.retry, &["default", "ims"], false);
    one_of("template", &section.template, &ROBOTS, true);
    one_of("security", &section.security, &["starttls", "tls", "none"], true);
    if section.kind == "http" && !is_http(&section.url) {
        findings.error(
            format!("{path}.url"),
            format!("{:?} is no http or https address", section.url),
        );
    }
    if section.timeout_s > 600 {
        findings.error(
            format!("{path}.timeout_s"),
            format!("{} is out of range, 0 to 600", section.timeout_s),
        );
    }
    if !section.template.is_empty() && !section.body_template_file.is_empty() {
        findings.error(format!("{path}.template"), "goes without body_template_file");
    }
}

/// Keys that belong to some kinds only, and those a kind cannot do without.
fn keys_of_kind(findings: &mut Findings, path: &str, section: &DestinationSection) {
    let kind = section.kind.as_str();
    let mail_or_queue = ["amqp", "nats", "mqtt", "redis", "mail"];
    let of = |key: &'static str, text: &str, kinds: &'static [&'static str]| (key, text.is_empty(), kinds);
    let keys = [
        of("url", &section.url, &["http", "amqp", "nats", "mqtt", "redis"]),
        of(
            "tls_client_file",
            &section.tls_client_file,
            &["http", "amqp", "nats", "mqtt", "redis"],
        ),
        of(
            "tls_ca_file",
            &section.tls_ca_file,
            &["http", "amqp", "nats", "mqtt", "redis", "mail"],
        ),
        ("user", section.user.is_empty(), &mail_or_queue),
        ("password_file", section.password_file.is_empty(), &mail_or_queue),
        of("queue", &section.queue, &["amqp"]),
        of("exchange", &section.exchange, &["amqp"]),
        of("routing_key", &section.routing_key, &["amqp"]),
        ("declare", !section.declare, &["amqp"]),
        of("subject", &section.subject, &["nats", "mail"]),
        of("topic", &section.topic, &["mqtt"]),
        of("stream", &section.stream, &["redis"]),
        ("max_entries", section.max_entries == 0, &["redis"]),
        of("program", &section.program, &["exec"]),
        of("storage", &section.storage, &["storage"]),
        of("prefix", &section.prefix, &["storage"]),
        of("smtp", &section.smtp, &["mail"]),
        of("security", &section.security, &["mail"]),
        of("from", &section.from, &["mail"]),
        ("to", section.to.is_empty(), &["mail"]),
    ];
    let required: &[&str] = match kind {
        "amqp" | "nats" | "mqtt" | "redis" => &["url"],
        "exec" => &["program"],
        "storage" => &["storage", "prefix"],
        "mail" => &["smtp", "from", "to"],
        _ => &[],
    };
    for (key, empty, kinds) in keys {
        if !empty && !kinds.contains(&kind) {
            let why = format!("is for destinations of kind {}", kinds.join(", "));
            findings.error(format!("{path}.{key}"), why);
        }
        if empty && required.contains(&key) {
            findings.error(
                format!("{path}.{key}"),
                format!("a destination of kind {kind} needs it"),
            );
        }
    }
    let place = match kind {
        "amqp" => (section.queue.is_empty() && section.exchange.is_empty()).then_some("queue or an exchange"),
        "nats" => section.subject.is_empty().then_some("subject"),
        "mqtt" => section.topic.is_empty().then_some("topic"),
        "redis" => section.stream.is_empty().then_some("stream"),
        _ => None,
    };
    if let Some(place) = place.filter(|_| QUEUES.contains(&kind)) {
        findings.error(
            format!("{path}.kind"),
            format!("a destination of kind {kind} needs a {place}"),
        );
    }
}

/// Archives name storages of the same file.
pub(super) fn check_storages(findings: &mut Findings, raw: &File) {
    let known: Vec<&str> = raw.storage.iter().map(|storage| storage.name.as_str()).collect();
    for (at, section) in raw.destination.iter().enumerate() {
        if !section.storage.is_empty() && !known.contains(&section.storage.as_str()) {
            let why = format!(
                "there is no [[storage]] {:?}; {}",
                section.storage,
                reader::meant(&section.storage, &known)
            );
            findings.error(format!("destination[{at}].storage"), why);
        }
    }
}

/// Reads the files that one section names.
struct Files<'a> {
    findings: &'a mut Findings,
    path: &'a str,
    folder: &'a Path,
    read: &'a mut Vec<PathBuf>,
}

impl Files<'_> {
    fn secret(&mut self, key: &str, file: &str) -> Option<Hidden> {
        let path = self.named(file)?;
        let read = secret::from_file(&path);
        self.kept(key, read, true)
    }

    fn text(&mut self, key: &str, file: &str, private: bool) -> Option<String> {
        let path = self.named(file)?;
        let read = secret::text_file(&path);
        self.kept(key, read, private)
    }

    fn named(&mut self, file: &str) -> Option<PathBuf> {
        if file.is_empty() {
            return None;
        }
        let path = secret::place(self.folder, file);
        self.read.push(path.clone());
        Some(path)
    }

    fn kept<T>(&mut self, key: &str, read: Result<(T, bool), String>, private: bool) -> Option<T> {
        match read {
            Ok((value, open)) => {
                if open && private {
                    self.findings.warning(
                        format!("{}.{key}", self.path),
                        "every user of this host can read the file; chmod 640 it",
                    );
                }
                Some(value)
            }
            Err(why) => {
                self.findings.error(format!("{}.{key}", self.path), why);
                None
            }
        }
    }

    /// Lines of `Name: value`; empty ones and those that begin with `#` are passed over.
    fn headers(&mut self, text: &str, headers: &mut BTreeMap<String, Hidden>) {
        let lines = text.lines().map(str::trim).enumerate();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let wrong = match line.split_once(':') {
                None => Some("is not NAME: VALUE"),
                Some((name, value)) => headers
                    .insert(name.trim().to_owned(), value.trim().into())
                    .map(|_| "names a header a second time"),
            };
            if let Some(wrong) = wrong {
                let why = format!("its line {} {wrong}", at + 1);
                self.findings.error(format!("{}.headers_file", self.path), why);
            }
        }
    }
}

/// Name of the unified destination, as `[callback]` has it; one that is written out there joins `destinations`.
pub(super) fn unified(
    findings: &mut Findings,
    raw: &File,
    folder: &Path,
    destinations: &mut Vec<Definition>,
    files: &mut Vec<PathBuf>,
) -> Option<String> {
    let section = &raw.callback;
    if !section.destination.is_empty() {
        if !section.url.is_empty() {
            findings.error("callback.url", "goes without callback.destination");
        }
        let known: Vec<&str> = raw
            .destination
            .iter()
            .map(|destination| destination.name.as_str())
            .collect();
        if !known.contains(&section.destination.as_str()) {
            let why = format!(
                "there is no [[destination]] {:?}; {}",
                section.destination,
                reader::meant(&section.destination, &known)
            );
            findings.error("callback.destination", why);
        }
        return Some(section.destination.clone());
    }
    if section.url.is_empty() {
        let keys = [
            &section.auth_key,
            &section.auth_key_file,
            &section.signing_key_file,
            &section.old_signing_key_file,
        ];
        if keys.iter().any(|key| !key.is_empty()) {
            findings.warning(
                "callback.url",
                "is empty, so the keys of [callback] are not used and nobody is told",
            );
        }
        return None;
    }
    if raw.destination.iter().any(|destination| destination.name == UNIFIED) {
        findings.error(
            "callback.url",
            format!("a [[destination]] is named {UNIFIED:?}, which is the name of this one; rename it"),
        );
    }
    let written_out = DestinationSection {
        name: UNIFIED.to_owned(),
        url: section.url.clone(),
        profile: section.profile.clone(),
        auth_key: section.auth_key.clone(),
        auth_key_file: section.auth_key_file.clone(),
        signing_key_file: section.signing_key_file.clone(),
        old_signing_key_file: section.old_signing_key_file.clone(),
        events: section.events.clone(),
        legacy_events: section.legacy_events,
        retry: section.retry.clone(),
        ..DestinationSection::default()
    };
    destinations.extend(resolve(findings, "callback", &written_out, folder, files));
    Some(UNIFIED.to_owned())
}
