//! An event in a few words, for mails and chats.
//!
//! Guarantees: a title of one line and a text of at most [`TEXT_BYTES`]; says what failed and what to do. Deliberately
//! absent: everything a program would want; that is the native form.

use crate::events::Detail;
use crate::events::Event;
use crate::events::JobBrief;
use crate::workflow::status::JobStatus;

/// Bytes of the longest text: chat robots take about 4 KiB with all that surrounds it.
pub const TEXT_BYTES: usize = 3_000;
const TITLE_BYTES: usize = 200;

/// Title and text of `event`.
pub fn of(event: &Event) -> (String, String) {
    let mut lines = Vec::new();
    let title = match &event.detail {
        Detail::Alert {
            code,
            subject,
            cause,
            remedy,
            cleared,
            ..
        } => {
            lines.push(cause.clone());
            if !cleared {
                lines.push(remedy.clone());
            }
            let word = if *cleared { "Over" } else { "Alert" };
            format!("{word}: {code} {subject}")
        }
        Detail::TaskEnded { status, activities, .. } => {
            let failed = activities.iter().map(|brief| &brief.job);
            lines.extend(failed.filter_map(failure));
            let name = event.task.as_ref().map_or("task", |task| task.workflow_name.as_str());
            format!("{name}: {}", status.as_str())
        }
        _ => {
            lines.extend(event.job.as_ref().and_then(failure));
            let word = match event.job.as_ref().map(|job| job.status) {
                Some(JobStatus::Fail) => " failed",
                _ => "",
            };
            let name = event.task.as_ref().map(|task| format!("{}: ", task.workflow_name));
            format!("{}{}{word}", name.unwrap_or_default(), event.event_type().as_str())
        }
    };
    if let Some(media) = &event.media {
        lines.insert(0, media.object.to_string());
    }
    if let Some(task) = &event.task {
        lines.push(format!("Task {}", task.id));
    }
    lines.push(event.at.wire());
    let title: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    (cut(title, TITLE_BYTES), cut(lines.join("\n"), TEXT_BYTES))
}

fn failure(job: &JobBrief) -> Option<String> {
    let fault = job.fault.as_ref()?;
    Some(format!("{}: {fault}", job.activity))
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max.saturating_sub(3);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::cut;
    use super::of;
    use crate::events::specimen;

    #[test]
    fn says_what_it_is_about_in_a_line() {
        let (title, text) = of(&specimen::sprite());
        assert!(title.contains("SnapshotComplete") && !title.contains('\n'), "{title}");
        assert!(text.contains("Task "), "{text}");
        assert_eq!(cut("\u{e9}\u{e9}\u{e9}".to_owned(), 5), "\u{e9}...");
    }
}
