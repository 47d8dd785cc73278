//! What services post when something happens in a bucket, read into one form: AWS, MinIO, Ceph RGW, bare or in the
//! envelope of SNS.
//!
//! Guarantees: pure; whatever is posted is read or refused with a sentence; keys come out in text form. Deliberately
//! absent: belief. A notice only says where to look: services tell twice, late, and in any order.

use crate::objects::uri::key_text;
use serde_json::Value;

/// Envelopes within envelopes that are opened.
const DEPTH: u32 = 3;
/// Longest key that S3 has, with room for services that allow more.
const KEY_BYTES: usize = 4_096;

/// One thing that a service said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something happened to an object.
    Changed(Change),
    /// The service tries whether anybody listens (`s3:TestEvent`).
    Test,
    /// SNS asks whether its messages are wanted: somebody who fetches this address says yes.
    Confirm {
        /// The address.
        url: String,
        /// The topic.
        topic: String,
    },
    /// SNS sends no more messages of this topic.
    Ended {
        /// The topic.
        topic: String,
    },
    /// Something that concerns nobody here: an access, a tag.
    Other {
        /// What it is called.
        name: String,
    },
}

/// What happened to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its bucket, as the service calls it.
    pub bucket: String,
    /// Its key in text form; two where the service does not say whether it has encoded it.
    pub keys: Vec<String>,
    /// It was removed; else it was made.
    pub removed: bool,
}

/// What stands in `body`.
///
/// # Errors
/// A sentence: it is not JSON, or nothing of a bucket.
pub fn read(body: &[u8]) -> Result<Vec<Notice>, String> {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("it is not JSON: {error}"))?;
    let mut notices = Vec::new();
    gather(&value, 0, &mut notices)?;
    Ok(notices)
}

fn gather(value: &Value, depth: u32, notices: &mut Vec<Notice>) -> Result<(), String> {
    if depth > DEPTH {
        return Err("its envelopes go too deep".to_owned());
    }
    if let Some(all) = value.as_array() {
        return all.iter().try_for_each(|one| gather(one, depth + 1, notices));
    }
    if let Some(records) = value.get("Records").and_then(Value::as_array) {
        notices.extend(records.iter().filter_map(record));
        return Ok(());
    }
    let topic = || text(value, "TopicArn").unwrap_or_default().to_owned();
    match text(value, "Type") {
        Some("Notification") => {
            let message = text(value, "Message").ok_or("a message of SNS is empty")?;
            let inner = serde_json::from_str(message)
                .map_err(|error| format!("what lies in the envelope of SNS is not JSON: {error}"))?;
            return gather(&inner, depth + 1, notices);
        }
        Some("SubscriptionConfirmation") => {
            let url = text(value, "SubscribeURL").ok_or("a subscription without an address to confirm it")?;
            notices.push(Notice::Confirm {
                url: url.to_owned(),
                topic: topic(),
            });
            return Ok(());
        }
        Some("UnsubscribeConfirmation") => {
            notices.push(Notice::Ended { topic: topic() });
            return Ok(());
        }
        _ => {}
    }
    if text(value, "Event") == Some("s3:TestEvent") {
        notices.push(Notice::Test);
        return Ok(());
    }
    Err("it is no event of a bucket: it has neither Records nor Type nor Event".to_owned())
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// One record; none: it names no object.
fn record(record: &Value) -> Option<Notice> {
    let name = text(record, "eventName")?;
    // MinIO writes s3:ObjectCreated:Put where the others leave the first word away.
    let plain = name.strip_prefix("s3:").unwrap_or(name);
    let removed = [
        "ObjectRemoved:",
        "LifecycleExpiration:",
        "ObjectLifecycle:Expiration",
        "ObjectSynced:Delete",
    ]
    .iter()
    .any(|word| plain.starts_with(word));
    let made = ["ObjectCreated:", "ObjectRestore:Completed", "ObjectSynced:Create"]
        .iter()
        .any(|word| plain.starts_with(word));
    if !removed && !made {
        return Some(Notice::Other { name: name.to_owned() });
    }
    let s3 = record.get("s3")?;
    let key = text(s3.get("object")?, "key")?;
    if key.is_empty() || key.len() > KEY_BYTES {
        return None;
    }
    let mut keys = vec![decoded(key)];
    // RGW wrote keys as they are for years and encodes them now; no key looks the same both ways but those that are.
    if text(record, "eventSource") == Some("ceph:s3") {
        let as_it_is = key_text(key.as_bytes());
        if !keys.contains(&as_it_is) {
            keys.push(as_it_is);
        }
    }
    Some(Notice::Changed(Change {
        bucket: text(s3.get("bucket")?, "name").unwrap_or_default().to_owned(),
        keys,
        removed,
    }))
}

/// The text form of a key that is encoded as in forms: `+` is a space.
fn decoded(key: &str) -> String {
    let input = key.as_bytes();
    let mut bytes = Vec::with_capacity(input.len());
    let mut at = 0;
    while at < input.len() {
        let escaped = (input[at] == b'%').then(|| key.get(at + 1..at + 3)).flatten();
        let escaped = escaped.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                at += 3;
            }
            None => {
                bytes.push(if input[at] == b'+' { b' ' } else { input[at] });
                at += 1;
            }
        }
    }
    key_text(&bytes)
}

#[cfg(test)]
mod tests {
    use super::Change;
    use super::Notice;
    use super::read;

    const AWS: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2",
        "eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:CompleteMultipartUpload",
        "s3":{"s3SchemaVersion":"1.0","configurationId":"x","bucket":{"name":"ingest","arn":"arn:aws:s3:::ingest"},
        "object":{"key":"in/Caf%C3%A9+100%25.mov","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e-2",
        "versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}]}"#;

    fn made(bucket: &str, keys: &[&str]) -> Notice {
        Notice::Changed(Change {
            bucket: bucket.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            removed: false,
        })
    }

    #[test]
    fn aws_encodes_keys_and_sns_wraps_the_same_in_text() {
        let expected = made("ingest", &["in/Caf\u{e9} 100%.mov"]);
        assert_eq!(read(AWS.as_bytes()), Ok(vec![expected.clone()]));
        let wrapped = serde_json::json!({
            "Type": "Notification", "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:us-west-2:1:t", "Message": AWS,
            "Timestamp": "2012-05-02T00:54:06.655Z", "SignatureVersion": "1", "Signature": "EXAMPLE",
        });
        assert_eq!(read(wrapped.to_string().as_bytes()), Ok(vec![expected]));
    }

    #[test]
    fn minio_says_s3_before_its_names_and_removals_are_told_apart() {
        let body = r#"{"EventName":"s3:ObjectRemoved:Delete","Key":"ingest/a/b.mp4","Records":[
            {"eventVersion":"2.0","eventSource":"minio:s3","eventName":"s3:ObjectRemoved:Delete",
             "s3":{"bucket":{"name":"ingest"},"object":{"key":"a%2Fb.mp4","sequencer":"17A"}}},
            {"eventSource":"minio:s3","eventName":"s3:ObjectAccessed:Get",
             "s3":{"bucket":{"name":"ingest"},"object":{"key":"a%2Fb.mp4"}}}]}"#;
        let removed = Notice::Changed(Change {
            bucket: "ingest".to_owned(),
            keys: vec!["a/b.mp4".to_owned()],
            removed: true,
        });
        let other = Notice::Other {
            name: "s3:ObjectAccessed:Get".to_owned(),
        };
        assert_eq!(read(body.as_bytes()), Ok(vec![removed, other]));
    }

    #[test]
    fn rgw_does_not_say_whether_a_key_is_encoded_so_both_are_looked_at() {
        let body = |key: &str| {
            format!(
                r#"{{"Records":[{{"eventVersion":"2.2","eventSource":"ceph:s3","eventName":"ObjectCreated:Put",
                "s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":5,"eTag":"x","versionId":""}}}},"eventId":"1"}}]}}"#
            )
        };
        assert_eq!(
            read(body("a+b.mp4").as_bytes()),
            Ok(vec![made("b", &["a b.mp4", "a+b.mp4"])])
        );
        assert_eq!(read(body("plain.mp4").as_bytes()), Ok(vec![made("b", &["plain.mp4"])]));
        // %E9 alone is no UTF-8: as encoded it is a byte, as it is it is three characters.
        assert_eq!(read(body("x%E9").as_bytes()), Ok(vec![made("b", &["x%E9", "x%25E9"])]));
    }

    #[test]
    fn trials_and_subscriptions_are_no_changes() {
        let test = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b"}"#;
        assert_eq!(read(test.as_bytes()), Ok(vec![Notice::Test]));
        let confirm = r#"{"Type":"SubscriptionConfirmation","TopicArn":"arn:t","SubscribeURL":"https://sns.x/?a=b"}"#;
        let expected = Notice::Confirm {
            url: "https://sns.x/?a=b".to_owned(),
            topic: "arn:t".to_owned(),
        };
        assert_eq!(read(confirm.as_bytes()), Ok(vec![expected]));
        let ended = r#"{"Type":"UnsubscribeConfirmation","TopicArn":"arn:t","SubscribeURL":"https://sns.x/"}"#;
        assert_eq!(
            read(ended.as_bytes()),
            Ok(vec![Notice::Ended {
                topic: "arn:t".to_owned()
            }])
        );
    }

    #[test]
    fn what_is_nothing_of_a_bucket_is_refused_with_a_sentence() {
        assert!(read(b"no").expect_err("refused").contains("not JSON"));
        assert!(read(b"{}").expect_err("refused").contains("no event"));
        assert!(read(br#"{"Type":"Notification","Message":"x"}"#).is_err());
        let mut deep = r#"{"Records":[]}"#.to_owned();
        for _ in 0..6 {
            deep = serde_json::json!({"Type": "Notification", "Message": deep}).to_string();
        }
        assert!(read(deep.as_bytes()).expect_err("refused").contains("deep"));
        // A record without a key or with an empty one names nothing.
        let empty =
            br#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":""}}}, {}]}"#;
        assert_eq!(read(empty), Ok(vec![]));
    }
}
