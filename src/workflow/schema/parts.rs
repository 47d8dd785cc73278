//! Keys of a workflow beside what its activities make, and of destinations and storages.
//!
//! Guarantees: a test holds every key, word, range and default against the reader and the checks. Deliberately absent:
//! keys of media activities.

use super::field::Field;
use super::field::choice;
use super::field::flag;
use super::field::list;
use super::field::number;
use super::field::part;
use super::field::table;
use super::field::text;
use super::field::whole;
use crate::workflow::expression;
use crate::workflow::naming::DEFAULT_PATH;
use crate::workflow::preset;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A year.
const YEAR_S: i64 = 31_536_000;
const DAY_S: i64 = 86_400;

/// Name and description.
pub(super) fn named(help: &str) -> Vec<Field> {
    vec![
        text("name", help)
            .required()
            .with("minLength", 1)
            .with("maxLength", 128)
            .with("pattern", "^[\\p{L}\\p{N}_-]+$"),
        text("description", "For people.").default(""),
    ]
}

/// The whole workflow; `activity`: what an activity may be.
pub(super) fn workflow(activity: Value) -> Value {
    let mut fields = named("Name of the workflow: letters of any script, digits, - and _.");
    fields.extend([
        flag("enabled", true, "Whether it is enabled when first saved."),
        choice(
            "success",
            &[
                (
                    "all",
                    "Every activity that is not optional succeeded, or was skipped by its condition.",
                ),
                ("any", "At least one succeeded."),
            ],
            "When its tasks count as succeeded.",
        )
        .default("all"),
        text("preset", "Takes the activities of this preset instead of its own.").with("enum", json!(preset::names())),
        part("source", "source", "What it runs on.").required(),
        part("output", "output_place", "Where its outputs go."),
        part(
            "callback",
            "callback",
            "Whom it tells; left out: the unified callback of the configuration.",
        ),
        list("activity", activity, Some(100), "Its activities; none beside a preset."),
    ]);
    table(
        "Workflow",
        "What is done with media of a place, in which order, and whom it tells.",
        &[],
        fields,
    )
}

/// Tables of a workflow beside its activities.
pub(super) fn sections(into: &mut Map<String, Value>) {
    let source = vec![
        text("storage", "Name of the storage, or * for any.")
            .with("x-form", "storage")
            .with("x-without", json!(["library"])),
        flag(
            "library",
            false,
            "Media of the library instead of a storage; started by hand.",
        ),
        text(
            "prefix",
            "The folder it watches, ending in /; empty: the whole storage.",
        )
        .default("")
        .with("x-form", "prefix"),
        choice(
            "trigger",
            &[("automatic", "By arrivals."), ("manual", "By hand or by a program.")],
            "How tasks start. Not with the library.",
        )
        .with("x-usual", "automatic"),
        list(
            "extensions",
            json!({ "type": "string", "pattern": "^(\\*|[^./*]+)$" }),
            None,
            "Extensions without dot; default stands for the usual ones of media, * for all.",
        )
        .with("minItems", 1)
        .with("x-usual", json!(["default"])),
        choice(
            "existing",
            &[("ignore", "They stay untouched."), ("process", "They run, too.")],
            "Objects that were there before the workflow was enabled.",
        )
        .default("ignore"),
        text(
            "after",
            "What becomes of the source when everything is published: keep, delete, or move:FOLDER/.",
        )
        .with("pattern", "^(keep|delete|move:.+/)$")
        .with("x-usual", "keep"),
    ];
    let output = vec![
        text("storage", "Storage of the outputs; left out: the source's.").with("x-form", "storage"),
        text(
            "prefix",
            "Folder that stands in for the source's, ending in /; left out: the source's folder.",
        )
        .with("x-form", "prefix"),
        text(
            "path",
            "Path of each output with {ObjectPrefix}, {FileName}, {Name}, {Ext} and others.",
        )
        .with("x-usual", DEFAULT_PATH),
        choice(
            "on_conflict",
            &[
                ("version", "The next free -2, -3 ... on the stem."),
                ("overwrite", "Replaces what stands there."),
                ("fail", "Fails the job."),
            ],
            "What happens when a name is taken.",
        )
        .default("version"),
    ];
    let callback = vec![
        choice(
            "kind",
            &[("unified", "The one of the configuration."), ("none", "Nobody.")],
            "A callback without an address of its own.",
        )
        .with("x-without", json!(["destination", "url"])),
        text("destination", "Name of a destination.")
            .with("x-form", "destination")
            .with("x-without", json!(["kind", "url"])),
        text("url", "An address of its own, http or https.")
            .with("format", "uri")
            .with("x-without", json!(["kind", "destination"])),
        choice(
            "profile",
            &[
                ("ims", "Alibaba IMS."),
                ("vod", "ApsaraVideo VOD."),
                ("mps", "Tencent MPS."),
                ("native", "reelmill's own."),
            ],
            "In whose words the address is told.",
        )
        .with("x-usual", "ims")
        .with("x-needs", json!(["url"])),
        text("auth_key", "Key of the profile's signature.")
            .with("x-secret", true)
            .with("x-needs", json!(["url"])),
        flag("also_unified", false, "Tells the unified callback as well."),
        flag(
            "legacy_events",
            false,
            "Tells transcodes in the words of the older calls, too.",
        ),
    ];
    for (name, title, help, fields) in [
        ("source", "Source", "What a workflow runs on.", source),
        ("output_place", "Outputs", "Where its outputs go.", output),
        ("callback", "Callback", "Whom it tells.", callback),
    ] {
        into.insert(name.to_owned(), table(title, help, &[], fields));
    }
}

/// An activity's id.
pub(super) fn id() -> Field {
    text("id", "Unique in the workflow: letters, digits, - and _.")
        .required()
        .with("minLength", 1)
        .with("maxLength", 64)
        .with("pattern", "^[\\p{L}\\p{N}_-]+$")
}

/// What an activity follows.
pub(super) fn needs() -> Field {
    list(
        "needs",
        json!({ "type": "string", "x-form": "activity" }),
        None,
        "Ids of the activities it follows; none: it follows Start.",
    )
    .default(json!([]))
}

/// Keys of every activity.
pub(super) fn common() -> Vec<Field> {
    vec![
        id(),
        needs(),
        text("when", "When it runs after these: success, failure, always, blocked (a review or moderation said so), or an expression over the source and earlier results.")
            .with("x-usual", "success")
            .with("examples", json!(["success", "failure", "always", "blocked"]))
            .with("x-names", json!(expression::NAMES)),
        flag("optional", false, "Does not count for the task's success."),
        choice(
            "backend",
            &[
                ("auto", "The best there is, falling back to software with the reason recorded."),
                ("gpu", "Every stage NVIDIA hardware can do, or fail."),
                ("software", "The CPU only."),
            ],
            "Which hardware it may use.",
        )
        .default("auto"),
        text("template", "A template of its type; keys beside it override it.").with("x-form", "template"),
    ]
}

/// `type = "review"`.
pub(super) fn review() -> Vec<Field> {
    vec![
        whole(
            "timeout_s",
            1..=YEAR_S,
            "How long a person may take; left out: as long as they like.",
        )
        .unit("s"),
        choice(
            "on_timeout",
            &[
                ("fail", "The job fails."),
                ("approve", "As if somebody had approved."),
                ("block", "As if somebody had blocked."),
            ],
            "What happens then.",
        )
        .default("fail")
        .with("x-needs", json!(["timeout_s"])),
        text("instructions", "What the person is asked to look at.")
            .default("")
            .with("maxLength", 4000),
    ]
}

/// `type = "hook"` and its kin.
pub(super) fn hook(defs: &mut Map<String, Value>) -> Vec<Field> {
    let used_by = ["hook", "moderation", "recognition", "content_analysis"];
    defs.insert(
        "review".to_owned(),
        table("Review", "How a person is asked.", &used_by, review()),
    );
    vec![
        text("url", "Service to ask, http or https; or exec instead.")
            .with("format", "uri")
            .with("x-without", json!(["exec"])),
        text("exec", "Name of a program in hooks_dir; or url instead.")
            .with("pattern", "^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
            .with("maxLength", 128)
            .with("x-without", json!(["url"])),
        whole("timeout_s", 1..=DAY_S, "How long one answer may take.")
            .default(300)
            .unit("s"),
        whole(
            "answer_within_s",
            1..=YEAR_S,
            "How long a service that answered later (202) may take.",
        )
        .default(DAY_S)
        .unit("s"),
        choice(
            "on_review",
            &[
                ("keep", "The verdict stands."),
                ("ask", "A person is asked, whose decision is the verdict."),
            ],
            "What a verdict of review means.",
        )
        .default("keep"),
        part("review", "review", "How the person is asked then.").when("on_review", &["ask"]),
        text("parameters", "Passed on as it is.").with("type", "object"),
    ]
}

/// `type = "copy"`.
pub(super) fn copy() -> Vec<Field> {
    vec![
        text("storage", "The storage it goes to.")
            .required()
            .with("minLength", 1)
            .with("x-form", "storage"),
        text("prefix", "What its keys begin with there, ending in /; empty: nothing.")
            .default("")
            .with("x-form", "prefix"),
        list(
            "outputs_of",
            json!({ "type": "string", "x-form": "activity" }),
            None,
            "Ids of activities whose outputs are copied; none: the source.",
        )
        .default(json!([])),
    ]
}

/// A destination of events as it is made through the API.
pub(super) fn destination() -> Value {
    let profiles = [
        ("ims", "Alibaba IMS."),
        ("vod", "ApsaraVideo VOD."),
        ("mps", "Tencent MPS."),
        ("native", "reelmill's own."),
    ];
    let secret = |key, help| text(key, help).with("x-secret", true);
    let fields = vec![
        named("Name of the destination.").swap_remove(0),
        choice(
            "kind",
            &[
                ("http", "Posts to an address."),
                ("amqp", "A queue or exchange of RabbitMQ."),
                ("nats", "A subject of NATS."),
                ("mqtt", "A topic of MQTT."),
                ("redis", "A stream of Redis."),
                ("exec", "A program in hooks_dir."),
                ("storage", "Files in a storage."),
                ("mail", "Mail."),
            ],
            "How events get there.",
        )
        .default("http"),
        text("url", "Where to post; the address of a broker.")
            .with("format", "uri")
            .when("kind", &["http", "amqp", "nats", "mqtt", "redis"]),
        choice(
            "profile",
            &profiles,
            "In whose words it is told. By mail and with a template always native.",
        )
        .default("ims"),
        flag(
            "global",
            false,
            "Told of every event it wants, whatever a workflow says of callbacks.",
        ),
        list(
            "events",
            json!({ "type": "string", "x-form": "event" }),
            None,
            "Names of the events it wants; none: all but those that must be asked for.",
        )
        .default(json!([])),
        flag(
            "legacy_events",
            false,
            "The transcode events of the older cloud API, too.",
        ),
        choice(
            "retry",
            &[
                ("default", "Patiently: for three days, ever more rarely."),
                ("ims", "As IMS: three tries 1 s apart, 3 s each."),
            ],
            "How tries are repeated.",
        )
        .default("default"),
        whole("timeout_s", 0..=600, "How long a try may take; 0: 10, of a program 60.")
            .default(0)
            .unit("s"),
        text("headers", "Headers sent along.")
            .with("type", "object")
            .with("additionalProperties", json!({ "type": "string", "x-secret": true }))
            .when("kind", &["http"]),
        secret("auth_key", "Key of the profile's own signature."),
        secret("signing_key", "Key of X-Reelmill-Signature."),
        secret(
            "old_signing_key",
            "The key before it, which signs as well while receivers change over.",
        ),
        choice(
            "template",
            &[
                ("wecom", "WeCom."),
                ("slack", "Slack."),
                ("dingtalk", "DingTalk."),
                ("feishu", "Feishu."),
            ],
            "A body for a chat robot.",
        )
        .when("kind", &["http"]),
        text(
            "body_template",
            "A body of one's own, in the template language of Jinja.",
        )
        .with("x-form", "lines")
        .with("x-without", json!(["template"])),
        secret("tls_client", "Certificate and key to show, PEM.").with("x-form", "lines"),
        text(
            "tls_ca",
            "Certificate authorities to trust besides those of the system, PEM.",
        )
        .with("x-form", "lines"),
        text("user", "User name at a broker or mail server.").when("kind", &["amqp", "nats", "mqtt", "redis", "mail"]),
        secret("password", "Its password.").when("kind", &["amqp", "nats", "mqtt", "redis", "mail"]),
        text("queue", "The queue.").when("kind", &["amqp"]),
        text("exchange", "The exchange, in place of a queue.").when("kind", &["amqp"]),
        text("routing_key", "The routing key at the exchange.").when("kind", &["amqp"]),
        flag(
            "declare",
            false,
            "Queue and exchange are declared, durable, and bound when connecting.",
        )
        .when("kind", &["amqp"]),
        text("subject", "The subject; of mail the subject line, a template.").when("kind", &["nats", "mail"]),
        text("topic", "The topic.").when("kind", &["mqtt"]),
        text("stream", "The stream.").when("kind", &["redis"]),
        whole(
            "max_entries",
            0..=i64::MAX,
            "About how many entries the stream keeps; 0: all.",
        )
        .default(0)
        .when("kind", &["redis"]),
        text("program", "Name of a program in hooks_dir.").when("kind", &["exec"]),
        text("storage", "The storage to archive into.")
            .with("x-form", "storage")
            .when("kind", &["storage"]),
        text("prefix", "The folder in it, ending in /.")
            .with("x-form", "prefix")
            .when("kind", &["storage"]),
        text("smtp", "HOST or HOST:PORT of the mail server.").when("kind", &["mail"]),
        choice(
            "security",
            &[
                ("starttls", "Plain at first, then sealed."),
                ("tls", "Sealed from the beginning."),
                ("none", "Not sealed."),
            ],
            "How the mail server is reached.",
        )
        .default("starttls")
        .when("kind", &["mail"]),
        text("from", "The sender.").when("kind", &["mail"]),
        list(
            "to",
            json!({ "type": "string", "format": "email" }),
            None,
            "The receivers.",
        )
        .when("kind", &["mail"]),
    ];
    table("Destination", "A receiver of events.", &[], fields)
}

/// A storage as a person describes one.
pub(super) fn storage() -> Value {
    let folder = ["folder"];
    let bucket = ["s3"];
    let fields = vec![
        named("Name of the storage.").swap_remove(0),
        choice(
            "kind",
            &[
                ("folder", "A folder of this host, such as a mounted share."),
                ("s3", "A bucket that speaks S3."),
            ],
            "What it is.",
        )
        .default("folder"),
        text("path", "The folder, beneath one of security.storage_roots.")
            .with("x-form", "path")
            .when("kind", &folder),
        choice(
            "watch",
            &[
                ("auto", "Inotify where the file system is local, else polling."),
                ("inotify", "Inotify, and whole scans now and then."),
                ("poll", "Whole scans only."),
                ("off", "Nothing that arrives is noticed."),
            ],
            "How changes are noticed.",
        )
        .default("auto"),
        choice(
            "ready",
            &[
                ("stable", "It stayed the same for a while and its container is whole."),
                ("rename", "It was given its name when it was whole."),
                ("marker", "A marker says so."),
                ("checksum", "It comes to the checksum in a file beside it."),
            ],
            "When a file is ready.",
        )
        .default("stable"),
        whole(
            "settle_looks",
            0..=i64::from(u32::MAX),
            "So many looks find it unchanged; 0: by file system.",
        )
        .default(0),
        number(
            "settle_interval_s",
            0.0..=86_400.0,
            "Time between these looks; 0: by file system.",
        )
        .default(0.0)
        .unit("s"),
        number(
            "poll_interval_s",
            0.0..=86_400.0,
            "Time between whole scans; 0: by file system.",
        )
        .default(0.0)
        .unit("s"),
        flag(
            "sidecars",
            false,
            "NAME.reelmill.json beside a file sets its clip, priority and user data.",
        ),
        text("sentinel", "A file that must be there, or the storage is frozen.")
            .default("")
            .when("kind", &folder),
        text("endpoint", "Address of the S3 service.")
            .with("format", "uri")
            .when("kind", &bucket),
        text("region", "Its region.").default("us-east-1").when("kind", &bucket),
        text("bucket", "Name of the bucket.").when("kind", &bucket),
        flag(
            "path_style",
            false,
            "The bucket stands in the path, not in the host name.",
        )
        .when("kind", &bucket),
    ];
    table("Storage", "A named place that holds objects.", &[], fields)
}
