//! What a service says when it does not do what it was asked, and what that means to people.
//!
//! Guarantees: of an error only its code and sentence are kept: services repeat keys and signatures beside them.
//! Deliberately absent: what is tried again (`exchange`).

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;

/// Characters kept of a service's sentence.
const SENTENCE: usize = 300;

/// One refusal.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub status: StatusCode,
    /// `NoSuchKey`; empty where the service said none, as in answers to HEAD.
    pub code: String,
    message: String,
    /// The region in which the bucket is, where the service says so.
    region: Option<String>,
    /// An earlier try of the same request got no answer and may have been carried out.
    pub unsure: bool,
}

#[derive(Deserialize)]
struct ErrorForm {
    #[serde(rename = "Code", default)]
    code: String,
    #[serde(rename = "Message", default)]
    message: String,
    #[serde(rename = "Region")]
    region: Option<String>,
    #[serde(rename = "Endpoint")]
    endpoint: Option<String>,
}

impl Refusal {
    /// The refusal in an answer.
    pub(super) fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let form = std::str::from_utf8(body)
            .ok()
            .and_then(|text| quick_xml::de::from_str::<ErrorForm>(text).ok());
        let (code, message, region, endpoint) = match form {
            Some(form) => (form.code, form.message, form.region, form.endpoint),
            None => Default::default(),
        };
        let told = headers
            .get("x-amz-bucket-region")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Refusal {
            status,
            code: code.trim().to_owned(),
            message: message.chars().take(SENTENCE).collect(),
            region: told.or(region).or(endpoint),
            unsure: false,
        }
    }

    /// The answer is no refusal of the request but of the moment: asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        match self.code.as_str() {
            "SlowDown"
            | "InternalError"
            | "ServiceUnavailable"
            | "RequestTimeout"
            | "Throttling"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "OperationAborted"
            | "ConditionalRequestConflict"
            | "TooManyRequests"
            | "XMinioServerNotInitialized" => true,
            // What was sent is not what arrived.
            "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch" | "IncompleteBody" => true,
            "NotImplemented" => false,
            _ => matches!(self.status.as_u16(), 408 | 425 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// What was sent is not what arrived.
    pub(super) fn is_damage(&self) -> bool {
        matches!(
            self.code.as_str(),
            "BadDigest" | "InvalidDigest" | "XAmzContentSHA256Mismatch"
        )
    }

    /// Nothing of S3 is behind the address at this moment, as when a balancer answers for it.
    pub(super) fn is_silence(&self) -> bool {
        self.code.is_empty() && matches!(self.status.as_u16(), 502..=504)
    }

    /// Other keys, or a right clock, may help. HEAD is answered without a word.
    pub(super) fn is_about_keys(&self) -> bool {
        let by_code = matches!(
            self.code.as_str(),
            "ExpiredToken" | "ExpiredTokenException" | "InvalidToken" | "TokenRefreshRequired" | "RequestExpired"
        );
        by_code || matches!(self.status.as_u16(), 401 | 403) || (self.status == 400 && self.code.is_empty())
    }

    /// The service's clock differs from ours.
    pub(super) fn is_about_time(&self) -> bool {
        self.code == "RequestTimeTooSkewed"
    }

    /// The service does not know this way of asking.
    pub(super) fn is_unknown_way(&self) -> bool {
        self.status == 501 || matches!(self.code.as_str(), "NotImplemented" | "MethodNotAllowed")
    }

    /// The bucket is not there.
    pub(super) fn is_no_bucket(&self) -> bool {
        self.code == "NoSuchBucket"
    }

    /// In words: `404 Not Found, NoSuchKey: The specified key does not exist`.
    pub(super) fn words(&self) -> String {
        let mut words = format!("the service answered {}", self.status);
        if !self.code.is_empty() {
            words.push_str(&format!(", {}", self.code));
        }
        let message = self.message.trim().trim_end_matches('.');
        if !message.is_empty() {
            words.push_str(&format!(": {message}"));
        }
        words
    }

    /// The fault of `operation` on `subject`. `address` is that of the bucket, `keys` where to look for its keys.
    pub(super) fn fault(&self, operation: &str, subject: &str, address: &str, keys: &str) -> Fault {
        let cause = self.words();
        let fault = |code: &str, blame: Blame, remedy: String| {
            Fault::new(code, blame, operation, subject, cause.clone(), remedy)
        };
        let status = self.status.as_u16();
        match self.code.as_str() {
            "NoSuchBucket" => self.no_bucket(operation, subject, address),
            "NoSuchUpload" | "InvalidPart" | "InvalidPartOrder" => fault(
                "UploadGone",
                Blame::Host,
                "Nothing: it is begun anew. If this happens often, a rule of the bucket may end uploads early."
                    .to_owned(),
            ),
            "RequestTimeTooSkewed" | "RequestExpired" => fault(
                "ClockWrong",
                Blame::Host,
                "Set the clocks of this host and of the service: timedatectl set-ntp true.".to_owned(),
            ),
            "InvalidObjectState" => fault(
                "SourceArchived",
                Blame::Source,
                "Restore the object from its archive, then run the task again.".to_owned(),
            ),
            "QuotaExceeded" | "XMinioStorageFull" | "InsufficientCapacity" => storage_full(operation, subject, &cause),
            "AuthorizationHeaderMalformed"
            | "PermanentRedirect"
            | "TemporaryRedirect"
            | "IllegalLocationConstraintException" => self.elsewhere(operation, subject),
            "PreconditionFailed" | "InvalidRange" => self.changed(operation, subject),
            _ => match status {
                301 | 302 | 307 | 308 => self.elsewhere(operation, subject),
                507 => storage_full(operation, subject, &cause),
                404 => source_gone(operation, subject, &cause),
                412 | 416 => self.changed(operation, subject),
                _ if self.is_about_keys() => fault("StorageDenied", Blame::Host, keys.to_owned()).retryable(false),
                _ if self.is_damage() => fault(
                    "OutputCorrupt",
                    Blame::Host,
                    "Look for failing memory or network hardware between here and the service.".to_owned(),
                ),
                _ => fault(
                    "StorageRefused",
                    Blame::Request,
                    format!("Check the section of the storage in the configuration: {address}."),
                ),
            },
        }
    }

    fn changed(&self, operation: &str, subject: &str) -> Fault {
        source_changed(operation, subject, &self.words())
    }

    fn elsewhere(&self, operation: &str, subject: &str) -> Fault {
        let remedy = match &self.region {
            Some(place) => format!("The bucket is at {place}: set region, and endpoint where it names one, to that."),
            None => "The bucket is in another region or at another endpoint: correct region and endpoint.".to_owned(),
        };
        Fault::new("RegionWrong", Blame::Request, operation, subject, self.words(), remedy)
    }

    fn no_bucket(&self, operation: &str, subject: &str, address: &str) -> Fault {
        bucket_unknown(operation, subject, address, &self.words())
    }
}

/// The bucket is not there.
pub(super) fn bucket_unknown(operation: &str, subject: &str, address: &str, cause: &str) -> Fault {
    Fault::new(
        "BucketUnknown",
        Blame::Host,
        operation,
        subject,
        cause,
        format!("Make the bucket, or correct bucket, endpoint and path_style of the storage: {address}."),
    )
    .retryable(false)
}

/// The object is not the one that was meant.
pub(super) fn source_changed(operation: &str, subject: &str, cause: &str) -> Fault {
    Fault::new(
        "SourceChanged",
        Blame::Source,
        operation,
        subject,
        cause,
        "Nothing: what stands there now runs as a new arrival.",
    )
}

/// Nothing stands there.
pub(super) fn source_gone(operation: &str, subject: &str, cause: &str) -> Fault {
    Fault::new(
        "SourceGone",
        Blame::Source,
        operation,
        subject,
        cause,
        "Nothing: it was deleted or moved. Bring it again if it is still wanted.",
    )
}

fn storage_full(operation: &str, subject: &str, cause: &str) -> Fault {
    Fault::new(
        "StorageFull",
        Blame::Host,
        operation,
        subject,
        cause,
        "Make room in the bucket or raise its quota; it is tried again.",
    )
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    fn refusal(status: u16, body: &str) -> Refusal {
        let status = StatusCode::from_u16(status).expect("a status");
        Refusal::read(status, &HeaderMap::new(), body.as_bytes())
    }

    fn code(status: u16, body: &str) -> String {
        refusal(status, body)
            .fault("read", "s:k", "http://h/b", "Check the keys.")
            .code
    }

    #[test]
    fn each_answer_is_the_fault_it_means() {
        let error =
            |code: &str| format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m.</Message></Error>");
        for (status, said, expected) in [
            (404, "NoSuchKey", "SourceGone"),
            (404, "NoSuchBucket", "BucketUnknown"),
            (404, "NoSuchUpload", "UploadGone"),
            (403, "AccessDenied", "StorageDenied"),
            (403, "SignatureDoesNotMatch", "StorageDenied"),
            (400, "ExpiredToken", "StorageDenied"),
            (403, "RequestTimeTooSkewed", "ClockWrong"),
            (403, "InvalidObjectState", "SourceArchived"),
            (412, "PreconditionFailed", "SourceChanged"),
            (416, "InvalidRange", "SourceChanged"),
            (507, "XMinioStorageFull", "StorageFull"),
            (400, "InvalidStorageClass", "StorageRefused"),
        ] {
            assert_eq!(code(status, &error(said)), expected, "{said}");
        }
        assert_eq!(code(403, ""), "StorageDenied");
        assert!(refusal(503, &error("SlowDown")).is_passing());
        assert!(refusal(200, &error("InternalError")).is_passing());
        assert!(!refusal(501, &error("NotImplemented")).is_passing());
        assert!(refusal(503, "<html>no backend</html>").is_silence());
    }

    #[test]
    fn a_bucket_elsewhere_is_told_with_its_place() {
        let body = "<Error><Code>PermanentRedirect</Code><Message>m</Message><Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint></Error>";
        let fault = refusal(301, body).fault("list", "s", "http://h/b", "");
        assert_eq!(fault.code, "RegionWrong");
        assert!(fault.remedy.contains("b.s3.eu-west-1.amazonaws.com"), "{fault}");
    }

    #[test]
    fn what_services_repeat_of_keys_is_not_kept() {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message><AWSAccessKeyId>AKSECRET</AWSAccessKeyId><StringToSign>SECRET</StringToSign></Error>";
        let refusal = refusal(403, body);
        let fault = refusal.fault("read", "s:k", "http://h/b", "Check.");
        assert!(!format!("{refusal:?}{fault}").contains("SECRET"));
    }
}
