//! Notifications as AWS, MinIO, Ceph RGW and SNS post them, at the real daemon.

use crate::appliance::Appliance;
use crate::appliance::http;
use crate::appliance::s3_server::S3Server;
use crate::daemon::listed;
use crate::daemon::storage;
use crate::daemon::watching;
use serde_json::Value;
use serde_json::json;
use std::io::Read;
use std::io::Write;

const SECRET: &str = "a-secret-of-the-bucket";

/// A daemon that lists so seldom that only notifications can be the reason of what runs.
fn told(server: &S3Server, extra: &str) -> Appliance {
    let secret = server
        .folder("in")
        .parent()
        .expect("a folder")
        .with_file_name("notify.secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("written");
    let extra = format!(
        "poll_interval_s = 3600\nnotify_secret_file = \"{}\"\n{extra}",
        secret.display()
    );
    let mut appliance = watching(server, &extra);
    appliance.start();
    listed(&appliance);
    appliance
}

fn post(appliance: &Appliance, path: &str, headers: &[(&str, &str)], body: &str) -> u16 {
    let reply = http::request(appliance.port(), "POST", path, None, headers, body.as_bytes()).expect("an answer");
    reply.status
}

fn bearer(appliance: &Appliance, body: &Value) -> u16 {
    let authorization = format!("Bearer {SECRET}");
    let headers = [
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
    ];
    post(appliance, "/hooks/s3/archive", &headers, &body.to_string())
}

/// A record as AWS writes it.
fn record(source: &str, name: &str, bucket: &str, key: &str) -> Value {
    json!({
        "eventVersion": "2.1", "eventSource": source, "awsRegion": "us-east-1", "eventTime": "2026-11-21T12:00:00.000Z",
        "eventName": name, "userIdentity": {"principalId": "x"},
        "s3": {"s3SchemaVersion": "1.0", "configurationId": "c", "bucket": {"name": bucket, "arn": format!("arn:aws:s3:::{bucket}")},
            "object": {"key": key, "size": 3, "eTag": "d41d8cd98f00b204e9800998ecf8427e", "sequencer": "0055AED6DCD90281E5"}}
    })
}

#[test]
fn every_dialect_leads_to_its_object_once() {
    let server = S3Server::start(&["in"]);
    let appliance = told(&server, "");
    let aws = |key: &str| json!({"Records": [record("aws:s3", "ObjectCreated:Put", "in", key)]});
    server.deliver("in", "aws/Caf\u{e9} 1.mp4", b"1");
    assert_eq!(bearer(&appliance, &aws("aws/Caf%C3%A9+1.mp4")), 204);
    appliance.ended_tasks(1);
    // The same again: moto tells twice of an upload in parts.
    assert_eq!(bearer(&appliance, &aws("aws/Caf%C3%A9+1.mp4")), 204);
    server.deliver("in", "minio/2.mp4", b"22");
    let mut minio = json!({"Records": [record("minio:s3", "s3:ObjectCreated:Put", "in", "minio%2F2.mp4")]});
    minio["EventName"] = json!("s3:ObjectCreated:Put");
    minio["Key"] = json!("in/minio/2.mp4");
    assert_eq!(
        post(
            &appliance,
            "/hooks/s3/archive",
            &[("Authorization", SECRET)],
            &minio.to_string()
        ),
        204
    );
    appliance.ended_tasks(2);
    server.deliver("in", "rgw/a+b.mp4", b"333");
    let rgw = json!({"Records": [record("ceph:s3", "ObjectCreated:Put", "in", "rgw/a+b.mp4")]});
    assert_eq!(bearer(&appliance, &rgw), 204);
    appliance.ended_tasks(3);
    server.deliver("in", "sns/4.mp4", b"4444");
    let sns = json!({
        "Type": "Notification", "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:us-east-1:1:t",
        "Message": aws("sns/4.mp4").to_string(), "Timestamp": "2026-11-21T12:00:00.000Z", "SignatureVersion": "1",
    });
    let path = format!("/hooks/s3/archive?token={SECRET}");
    assert_eq!(
        post(
            &appliance,
            &path,
            &[("Content-Type", "text/plain; charset=UTF-8")],
            &sns.to_string()
        ),
        204
    );
    appliance.ended_tasks(4);
    // A batch out of order: removed before it was made, and one that never was.
    server.deliver("in", "batch/5.mp4", b"55555");
    let batch = json!({"Records": [
        record("aws:s3", "ObjectRemoved:Delete", "in", "batch/5.mp4"),
        record("aws:s3", "ObjectCreated:Put", "in", "batch/5.mp4"),
        record("aws:s3", "ObjectCreated:Put", "in", "batch/never.mp4"),
        record("aws:s3", "ObjectCreated:Put", "elsewhere", "batch/6.mp4"),
    ]});
    assert_eq!(bearer(&appliance, &batch), 204);
    appliance.ended_tasks(5);
    let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "in"});
    assert_eq!(bearer(&appliance, &test), 204);
    appliance.until("every hint to be followed", || {
        (storage(&appliance)["backlog"] == 0).then_some(())
    });
    appliance.ended_tasks(5);
}

#[test]
fn hints_outlive_a_service_that_does_not_answer_and_a_kill() {
    let mut server = S3Server::start(&["in"]);
    let mut appliance = told(&server, "");
    server.deliver("in", "a.mp4", b"1");
    server.stop();
    let notice = json!({"Records": [record("aws:s3", "ObjectCreated:Put", "in", "a.mp4")]});
    assert_eq!(bearer(&appliance, &notice), 204);
    appliance.until("the storage to be unavailable", || {
        (storage(&appliance)["status"] == "unavailable").then_some(())
    });
    appliance.kill_9();
    appliance.start();
    server.go_on();
    appliance.ended_tasks(1);
}

#[test]
fn without_the_secret_nothing_is_taken() {
    let server = S3Server::start(&["in"]);
    let appliance = told(&server, "");
    let body = json!({"Records": []}).to_string();
    let status = |path: &str, headers: &[(&str, &str)]| post(&appliance, path, headers, &body);
    assert_eq!(status("/hooks/s3/archive", &[]), 403);
    assert_eq!(status("/hooks/s3/archive", &[("Authorization", "Bearer wrong")]), 403);
    assert_eq!(status("/hooks/s3/archive?token=", &[]), 403);
    let admin = format!("Bearer {}", appliance.token());
    assert_eq!(status("/hooks/s3/archive", &[("Authorization", &admin)]), 403);
    let right = format!("Bearer {SECRET}");
    let right = [("Authorization", right.as_str())];
    assert_eq!(status("/hooks/s3/archive", &right), 204);
    assert_eq!(status("/hooks/s3/ingest", &right), 404);
    assert_eq!(status("/hooks/s3/nowhere", &right), 404);
    assert_eq!(post(&appliance, "/hooks/s3/archive", &right, "{}"), 400);
    assert_eq!(post(&appliance, "/hooks/s3/archive", &right, "<xml/>"), 400);
}

#[test]
fn a_subscription_is_confirmed_where_the_administrator_allows_it() {
    let topic = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", topic.local_addr().expect("an address"));
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = topic.accept().expect("somebody comes");
        let mut head = [0; 2_048];
        let count = stream.read(&mut head).expect("a request");
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .expect("answered");
        String::from_utf8_lossy(&head[..count]).into_owned()
    });
    let server = S3Server::start(&["in"]);
    let appliance = told(&server, &format!("notify_confirm_urls = [\"{address}/confirm\"]"));
    let confirm =
        |url: &str| json!({"Type": "SubscriptionConfirmation", "TopicArn": "arn:t", "SubscribeURL": url, "Token": "x"});
    assert_eq!(bearer(&appliance, &confirm("http://127.0.0.1:1/elsewhere")), 400);
    assert_eq!(bearer(&appliance, &confirm("https://sns.evil.example/?x")), 400);
    assert_eq!(bearer(&appliance, &confirm(&format!("{address}/confirm?Token=x"))), 204);
    let head = asked.join().expect("it was asked");
    assert!(head.starts_with("GET /confirm?Token=x "), "{head}");
}
