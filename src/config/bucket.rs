//! A `[[storage]]` section of kind "s3", checked.
//!
//! Guarantees: what cannot work is told with what to write instead; keys themselves are never read here, only whether
//! their files are there and closed to others. Deliberately absent: whether the bucket is there (`reelmill check` asks).

use crate::base::address;
use crate::base::address::Reach;
use crate::base::reader;
use crate::config::resolved::Findings;
use crate::config::secret;
use crate::config::storage::BucketPlace;
use crate::config::storage::Given;
use crate::config::storage_section::Credentials;
use crate::config::storage_section::Ready;
use crate::config::storage_section::StorageSection;
use crate::config::storage_section::Watch;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use url::Host;
use url::Url;

/// What is written to outputs at rest.
const SSE: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];

/// The bucket of the section at `path`; relative names of files begin at `folder`. None: it names no service.
pub(super) fn resolve(
    findings: &mut Findings,
    path: &str,
    section: &StorageSection,
    folder: &Path,
    given: Option<Given>,
) -> Option<BucketPlace> {
    let of_folders = [
        ("path", !section.path.is_empty()),
        ("sentinel", !section.sentinel.is_empty()),
        ("file_mode", !section.file_mode.is_empty()),
        ("folder_mode", !section.folder_mode.is_empty()),
        ("file_group", !section.file_group.is_empty()),
        // Objects of buckets appear whole, and nothing beside them is read.
        ("ready", section.ready != Ready::Stable),
        ("sidecars", section.sidecars),
        ("subtitles", section.subtitles),
        ("groups", !section.groups.is_empty()),
    ];
    for (key, _) in of_folders.into_iter().filter(|(_, set)| *set) {
        findings.error(format!("{path}.{key}"), "is for storages of kind \"folder\"");
    }
    if section.watch == Watch::Inotify {
        findings.error(
            format!("{path}.watch"),
            "\"inotify\" is for storages of kind \"folder\"; buckets are listed, and notifications come in with notify_secret_file",
        );
    }
    let endpoint = endpoint(findings, path, section);
    bucket_name(findings, path, section, endpoint.as_ref());
    words(findings, path, section);
    let mut within = |key: &str, number: f64, least: f64, most: f64| {
        if !(least..=most).contains(&number) {
            findings.error(
                format!("{path}.{key}"),
                format!("{number} is out of range, {least} to {most}"),
            );
        }
    };
    within("part_mib", f64::from(section.part_mib), 5.0, 5_120.0);
    within("concurrency", f64::from(section.concurrency), 1.0, 64.0);
    within("retry_s", section.retry_s, 1.0, 3_600.0);
    let (access_key_file, secret_key_file) = match &given {
        Some(given) => {
            given_keys(findings, path, section, given, endpoint.as_ref());
            (PathBuf::new(), PathBuf::new())
        }
        None => (
            key_file(findings, path, "access_key_file", section, folder),
            key_file(findings, path, "secret_key_file", section, folder),
        ),
    };
    let session_token_file = (!section.session_token_file.is_empty())
        .then(|| key_file(findings, path, "session_token_file", section, folder));
    let tls_ca_file = (!section.tls_ca_file.is_empty()).then(|| authorities(findings, path, section, folder));
    let said = |file: &str| (!file.is_empty()).then(|| secret::place(folder, file));
    Some(BucketPlace {
        endpoint: endpoint?,
        region: section.region.clone(),
        bucket: section.bucket.clone(),
        path_style: section.path_style,
        credentials: section.credentials,
        access_key_file,
        secret_key_file,
        session_token_file,
        tls_ca_file,
        storage_class: section.storage_class.clone(),
        acl: section.acl.clone(),
        sse: section.sse.clone(),
        sse_kms_key: section.sse_kms_key.clone(),
        cache_control: section.cache_control.clone(),
        part_bytes: u64::from(section.part_mib) << 20,
        concurrency: section.concurrency as usize,
        retry: Duration::try_from_secs_f64(section.retry_s).unwrap_or(Duration::from_secs(120)),
        notify_secret_file: said(&section.notify_secret_file),
        notify_confirm_urls: section.notify_confirm_urls.clone(),
        monotonic_prefixes: section.monotonic_prefixes.clone(),
        given: given.map(Box::new),
    })
}

/// What was given instead of files.
fn given_keys(findings: &mut Findings, path: &str, section: &StorageSection, given: &Given, endpoint: Option<&Url>) {
    let reach = match given.may_be_local {
        true => Reach::Loopback,
        false => Reach::Network,
    };
    let refused = endpoint
        .and_then(Url::host)
        .and_then(|host| address::host_refusal(&host, reach));
    if let Some(why) = refused {
        findings.error(
            format!("{path}.endpoint"),
            format!("{why}; a service on this host needs security.allow_local_buckets = true, or its section in the configuration file"),
        );
    }
    let from_given = section.credentials == Credentials::Files;
    for (key, secret) in [
        ("access_key", Some(&given.access_key)),
        ("secret_key", Some(&given.secret_key)),
        ("session_token", given.session_token.as_ref()),
    ] {
        let at = format!("{path}.{key}");
        match (from_given, secret.filter(|secret| !secret.is_empty())) {
            (true, None) if key != "session_token" => {
                findings.error(at, "is missing; or set credentials to \"environment\" or \"instance\"")
            }
            (false, Some(_)) => findings.error(at, "needs credentials = \"given\""),
            (_, Some(secret)) if !secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
                findings.error(at, "holds more than plain ASCII without blanks");
            }
            _ => {}
        }
    }
    if !given.tls_ca.is_empty() && !given.tls_ca.contains("-----BEGIN CERTIFICATE-----") {
        findings.error(format!("{path}.tls_ca"), "holds no certificate in PEM form");
    }
}

fn endpoint(findings: &mut Findings, path: &str, section: &StorageSection) -> Option<Url> {
    let key = format!("{path}.endpoint");
    let endpoint = Url::parse(&section.endpoint).ok();
    let endpoint = endpoint.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(endpoint) = endpoint else {
        findings.error(
            key,
            format!(
                "{:?} is no address of a service; write it as https://HOST or https://HOST:PORT",
                section.endpoint
            ),
        );
        return None;
    };
    if !endpoint.username().is_empty() || endpoint.password().is_some() {
        findings.error(
            &key,
            "write it without keys; they come from access_key_file and secret_key_file",
        );
    }
    if endpoint.query().is_some() || endpoint.fragment().is_some() {
        findings.error(&key, "write it without ? and #");
    }
    let host = endpoint.host_str().unwrap_or_default();
    if !section.path_style && host.starts_with(&format!("{}.", section.bucket)) {
        findings.error(&key, "is the address of the service, without the bucket before it");
    }
    let numbers = !matches!(endpoint.host(), Some(Host::Domain(_)));
    if numbers && !section.path_style {
        findings.error(
            &key,
            "an address of numbers has no room for the bucket before it; set path_style = true",
        );
    }
    let loopback = match endpoint.host() {
        Some(Host::Ipv4(v4)) => v4.is_loopback(),
        Some(Host::Ipv6(v6)) => v6.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if endpoint.scheme() == "http" && !loopback {
        findings.warning(
            &key,
            "objects travel without encryption, and whoever is on the way can read them; use https where the service has it",
        );
    }
    Some(endpoint)
}

fn bucket_name(findings: &mut Findings, path: &str, section: &StorageSection, endpoint: Option<&Url>) {
    let (key, name) = (format!("{path}.bucket"), section.bucket.as_str());
    if name.is_empty() {
        findings.error(key, "is missing: the name of the bucket");
        return;
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !name
        .bytes()
        .all(|byte| plain(byte) || byte.is_ascii_uppercase() || byte == b'_')
        || name.len() > 255
    {
        findings.error(
            key,
            format!("{name:?} is no name of a bucket: letters, digits, - and ."),
        );
    } else if !section.path_style && (name.len() > 63 || !name.bytes().all(plain)) {
        findings.error(
            key,
            format!("{name:?} does not fit before a host; set path_style = true"),
        );
    } else if !section.path_style && name.contains('.') && endpoint.is_some_and(|url| url.scheme() == "https") {
        findings.warning(
            key,
            "certificates seldom hold for a bucket with a dot before the host; set path_style = true if connecting fails",
        );
    }
}

/// What is sent on as it stands. Services have storage classes and ACLs of their own, which pass.
fn words(findings: &mut Findings, path: &str, section: &StorageSection) {
    if section.region.is_empty()
        || !section
            .region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        findings.error(
            format!("{path}.region"),
            format!(
                "{:?} is no region; services without regions take \"us-east-1\"",
                section.region
            ),
        );
    }
    for (key, word) in [
        ("storage_class", &section.storage_class),
        ("acl", &section.acl),
        ("sse_kms_key", &section.sse_kms_key),
        ("cache_control", &section.cache_control),
    ] {
        if !word.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            findings.error(format!("{path}.{key}"), format!("{word:?} holds more than plain ASCII"));
        }
    }
    if !section.sse.is_empty() && !SSE.contains(&section.sse.as_str()) {
        let why = format!(
            "{:?} is none of them; {}",
            section.sse,
            reader::meant(&section.sse, &SSE)
        );
        findings.error(format!("{path}.sse"), why);
    }
    if !section.sse_kms_key.is_empty() && !section.sse.starts_with("aws:kms") {
        findings.error(format!("{path}.sse_kms_key"), "needs sse = \"aws:kms\"");
    }
}

/// Where the file of a key lies. That it is missing may heal: keys are read when they are needed.
fn key_file(findings: &mut Findings, path: &str, key: &str, section: &StorageSection, folder: &Path) -> PathBuf {
    let said = match key {
        "access_key_file" => &section.access_key_file,
        "secret_key_file" => &section.secret_key_file,
        _ => &section.session_token_file,
    };
    let at = format!("{path}.{key}");
    if section.credentials != Credentials::Files {
        if !said.is_empty() {
            findings.error(at, "needs credentials = \"files\"");
        }
        return PathBuf::new();
    }
    if said.is_empty() {
        findings.error(
            at,
            "is missing: a file that holds it; or set credentials to \"environment\" or \"instance\"",
        );
        return PathBuf::new();
    }
    let file = secret::place(folder, said);
    match secret::from_file(&file) {
        Ok((_, true)) => findings.warning(at, format!("{} can be read by everybody; chmod o= it", file.display())),
        Ok((_, false)) => {}
        Err(cause) => findings.warning(at, format!("{cause}; the bucket cannot be used until it is there")),
    }
    file
}

fn authorities(findings: &mut Findings, path: &str, section: &StorageSection, folder: &Path) -> PathBuf {
    let file = folder.join(&section.tls_ca_file);
    match secret::text_file(&file) {
        Ok((text, _)) if text.contains("-----BEGIN CERTIFICATE-----") => {}
        Ok(_) => findings.error(
            format!("{path}.tls_ca_file"),
            format!("{} holds no certificate in PEM form", file.display()),
        ),
        Err(cause) => findings.error(format!("{path}.tls_ca_file"), cause),
    }
    file
}
