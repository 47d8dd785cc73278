//! What `reelmill check` says of buckets, and where keys may come from: the binary.

use crate::appliance::Appliance;
use crate::appliance::REELMILL;
use crate::appliance::s3_server::ACCESS_KEY;
use crate::appliance::s3_server::S3Server;
use crate::appliance::s3_server::SECRET_KEY;
use crate::appliance::said;
use serde_json::Value;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;

/// What a check finds of the storage `name`: its level, and all it says.
fn found(appliance: &Appliance, name: &str, variables: &[(&str, &str)]) -> (String, String) {
    let output = Command::new(REELMILL)
        .args(["check", "--json", "--config"])
        .arg(appliance.config())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(variables.iter().copied())
        .output()
        .expect("the binary starts");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    assert!(!said(&output).contains(SECRET_KEY), "a secret shows: {}", said(&output));
    let subject = format!("storage {name}");
    let finding = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|finding| finding["subject"] == subject.as_str())
        .unwrap_or_else(|| panic!("nothing of {subject}: {report:#}"));
    (
        finding["level"].as_str().expect("a level").to_owned(),
        finding.to_string(),
    )
}

#[test]
fn check_says_of_each_bucket_whether_it_is_there() {
    let server = S3Server::start(&["media"]);
    let closed = crate::appliance::free_port();
    let sections = [
        server.section("right", "media", &server.endpoint(), ""),
        server.section("missing", "no-such-bucket", &server.endpoint(), ""),
        server.section("dead", "media", &format!("http://127.0.0.1:{closed}"), ""),
    ];
    let appliance = Appliance::new(&sections.concat());
    assert_eq!(found(&appliance, "right", &[]).0, "good");
    let (level, said) = found(&appliance, "missing", &[]);
    assert!(level == "broken" && said.contains("NoSuchBucket"), "{said}");
    let (level, said) = found(&appliance, "dead", &[]);
    assert!(level == "broken" && said.contains(&closed.to_string()), "{said}");
    // Before a start no service is asked, and none that is away prevents it.
    let output = Command::new(REELMILL)
        .args(["check", "--start", "--config"])
        .arg(appliance.config())
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "{}", crate::appliance::said(&output));
    server.write_keys("another-secret");
    let (level, said) = found(&appliance, "right", &[]);
    assert!(level == "broken" && said.contains("secret.key"), "{said}");
}

#[test]
fn keys_come_from_credentials_of_systemd_the_environment_or_the_host() {
    let server = S3Server::start(&["media"]);
    let storage = |name: &str, keys: &str| {
        format!(
            "[[storage]]\nname = \"{name}\"\nkind = \"s3\"\nendpoint = \"{}\"\nbucket = \"media\"\npath_style = true\n{keys}\n",
            server.endpoint()
        )
    };
    let sections = [
        storage(
            "systemd",
            "access_key_file = \"media.access\"\nsecret_key_file = \"media.secret\"",
        ),
        storage("environment", "credentials = \"environment\""),
        storage("instance", "credentials = \"instance\""),
    ];
    let appliance = Appliance::new(&sections.concat());
    let credentials = tempfile::tempdir().expect("a folder");
    std::fs::write(credentials.path().join("media.access"), ACCESS_KEY).expect("written");
    std::fs::write(credentials.path().join("media.secret"), format!("{SECRET_KEY}\n")).expect("written");
    let role = format!("http://127.0.0.1:{}/role", keys_of_a_role());
    let variables = [
        ("CREDENTIALS_DIRECTORY", credentials.path().to_str().expect("text")),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &role),
    ];
    for name in ["systemd", "environment", "instance"] {
        let (level, said) = found(&appliance, name, &variables);
        assert_eq!(level, "good", "{said}");
    }
    for name in ["systemd", "environment"] {
        let (level, said) = found(&appliance, name, &variables[3..]);
        assert_eq!(level, "broken", "{said}");
    }
}

/// Answers as the service of a host does that tells a role's keys. Its port.
fn keys_of_a_role() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let body = format!(
        "{{\"AccessKeyId\":\"{ACCESS_KEY}\",\"SecretAccessKey\":\"{SECRET_KEY}\",\"Token\":\"\",\
         \"Expiration\":\"2099-01-01T00:00:00Z\"}}"
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = "HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nConnection: close\r\n";
            let _ = stream.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        }
    });
    port
}
