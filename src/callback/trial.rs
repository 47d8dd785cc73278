//! The event that tries a destination: what a task that succeeded at once would tell.
//!
//! Guarantees: every profile has words for it; its workflow is called `test` and its user data is `{"Test":true}`, so that
//! a receiver can tell it from a real one. Deliberately absent: rows; it is told and forgotten.

use crate::base::clock::UtcMs;
use crate::base::ids::EventId;
use crate::base::ids::MediaId;
use crate::base::ids::TaskId;
use crate::base::ids::WorkflowId;
use crate::events::Event;

/// A fresh one.
pub fn event() -> Event {
    let now = UtcMs::now();
    // Read as a row would be: what is added to events later has its default here too.
    let event = serde_json::json!({
        "id": EventId::fresh().as_str(),
        "at": now,
        "media": {
            "id": MediaId::fresh().as_str(),
            "object": {"storage": "test", "key": "test.mp4"},
            "size_bytes": 1_048_576,
        },
        "task": {
            "id": TaskId::fresh().as_str(),
            "workflow": WorkflowId::fresh().as_str(),
            "workflow_name": "test",
            "trigger": "Console",
            "user_data": "{\"Test\":true}",
            "created_at": now,
        },
        "detail": {"what": "task_ended", "status": "Succeed", "activities": []},
    });
    serde_json::from_value(event).expect("it has the form of an event; a test reads it")
}

#[cfg(test)]
mod tests {
    use super::event;
    use crate::events::EventType;
    use crate::events::profile::Deployment;
    use crate::events::profile::Profile;
    use crate::events::profile::render;

    #[test]
    fn every_profile_can_tell_it() {
        let event = event();
        assert_eq!(event.event_type(), EventType::WorkflowTaskComplete);
        for profile in ["ims", "vod", "mps", "native"] {
            let profile = Profile::parse(profile).expect("a profile");
            assert!(
                render(profile, &event, &Deployment::new(1, "app", "here", "http://x")).is_some(),
                "{profile:?}"
            );
        }
    }
}
