//! Workflows that tests write, made to be carried out fast.

/// Pictures and sound of a 240p rung, as lines beneath its `[[activity.group.output]]`.
pub const RUNG: &str = r#"video = { codec = "h264", height = 240, preset = "ultrafast", rate = "crf", crf = 30.0 }
audio = { codec = "aac", bitrate_kbps = 64 }"#;

/// A small workflow from one storage to the other: facts, one MP4 rung and one HLS rung, sprite, poster. The poster
/// stands last, so that what is appended belongs to it.
pub fn small(name: &str) -> String {
    format!(
        r#"
name = "{name}"
[source]
storage = "ingest"
[output]
storage = "renditions"
[[activity]]
id = "facts"
type = "analysis"
[[activity]]
id = "ladder"
type = "transcode"
[[activity.group]]
kind = "file"
container = "mp4"
[[activity.group.output]]
name = "240p"
{RUNG}
[[activity.group]]
kind = "hls"
[[activity.group.output]]
name = "240p"
{RUNG}
[[activity]]
id = "sprite"
type = "snapshot"
mode = "sprite"
interval_s = 1
[[activity]]
id = "poster"
type = "cover"
"#
    )
}
