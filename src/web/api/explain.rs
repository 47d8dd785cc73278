//! Why an object was, or was not, triggered.
//!
//! Three are asked: the ledger of arrivals, which knows every object that was ever seen; the storage, which says what is
//! there now and which rule keeps it from arriving; and every enabled workflow, whether it takes such an object.
//! Guarantees: an answer for every key, also while the storage hangs; asking changes nothing. Deliberately absent: the
//! rules, which their own modules call on themselves.

use crate::objects::uri::ObjectUri;
use crate::store::listing::arrivals::ArrivalState;
use crate::store::listing::arrivals::Explained;
use crate::web::api::storages::known;
use crate::web::error::Answer;
use crate::web::error::Problem;
use crate::web::extract::Asked;
use crate::web::extract::Named;
use crate::web::ports::StorageState;
use crate::web::ports::Word;
use crate::web::state::WebState;
use crate::workflow::arrival::Parts;
use crate::workflow::selector;
use crate::workflow::selector::ArrivalFacts;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde::Serialize;
use utoipa::IntoParams;
use utoipa::ToSchema;

/// What is known of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExplainView {
    /// The object, `storage:key`.
    object: String,
    /// What the ledger says: unseen, seen, settled, taken or not_taken.
    state: String,
    /// The whole answer in sentences.
    explanation: String,
    /// When its present content was first seen.
    seen_at: Option<String>,
    /// When its present content settled, so that it was matched with the workflows.
    settled_at: Option<String>,
    /// Since when it is not there any more, as far as was noticed.
    gone_at: Option<String>,
    /// Bytes, as last seen.
    size_bytes: Option<u64>,
    /// What the storage and its rules say of it now, the weightiest first.
    reasons: Vec<ReasonView>,
    /// Every enabled workflow, and whether it takes such an object by itself.
    workflows: Vec<WorkflowAnswer>,
    /// Tasks that ran over it, newest first, at most ten.
    tasks: Vec<String>,
}

/// One thing that is to be said of the object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    /// The rule or state in one word.
    code: String,
    /// It keeps the object from being triggered.
    prevents: bool,
    /// In a sentence.
    text: String,
}

/// What one workflow makes of the object.
#[derive(Debug, Serialize, ToSchema)]
pub struct WorkflowAnswer {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// It takes such an object by itself.
    takes: bool,
    /// Why not.
    why_not: Option<String>,
}

/// Which object.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// Its key in the storage.
    key: String,
}

/// Why an object was, or was not, triggered.
#[utoipa::path(get, path = "/api/v1/storages/{name}/explain", tag = "storages",
    params(("name" = String, Path,), ExplainQuery),
    responses((status = 200, body = ExplainView), (status = "default", body = Problem)))]
pub async fn explain(
    State(state): State<WebState>,
    Named(name): Named,
    Asked(query): Asked<ExplainQuery>,
) -> Answer<Json<ExplainView>> {
    let storage = known(&state, &name)?;
    let object = ObjectUri::new(name, query.key.trim_start_matches('/'));
    let explained = state.store.explain_object(&object).await?;
    let mut words = of_the_storage(&storage, &explained);
    words.extend(state.storages.explain(&object.storage, &object.key).await);
    let workflows = workflows(&state, &object).await?;
    let (word, explanation) = sentences(&storage, &explained, &words, Some(&workflows));
    let arrival = explained.arrival.as_ref();
    Ok(Json(ExplainView {
        object: object.to_string(),
        state: word.to_owned(),
        explanation,
        seen_at: arrival.map(|arrival| arrival.seen.wire()),
        settled_at: arrival.and_then(|arrival| arrival.settled).map(|at| at.wire()),
        gone_at: arrival.and_then(|arrival| arrival.gone).map(|at| at.wire()),
        size_bytes: arrival.map(|arrival| arrival.size_bytes),
        reasons: words
            .into_iter()
            .map(|word| ReasonView {
                code: word.code.to_owned(),
                prevents: word.prevents,
                text: word.text,
            })
            .collect(),
        workflows,
        tasks: explained.tasks.into_iter().map(|task| task.into_string()).collect(),
    }))
}

/// What is to be said beside the ledger: of the storage as a whole, and of the object's history with us.
fn of_the_storage(storage: &StorageState, explained: &Explained) -> Vec<Word> {
    let mut words = Vec::new();
    let mut prevents = |code: &'static str, text: String| {
        words.push(Word {
            code,
            prevents: true,
            text,
        });
    };
    if let Some(why) = storage.frozen.as_ref() {
        prevents("frozen", format!("Nothing of this storage is triggered now: {why}."));
    } else if let Some(why) = storage.why() {
        prevents("unavailable", format!("The storage does not answer now: {why}."));
    }
    if explained.ours {
        let text = "It is an output that we published, or are about to; our own outputs start nothing.";
        prevents("ours", text.to_owned());
    }
    if let Some(main) = &explained.member_of {
        prevents(
            "member",
            format!("It is a part of {main}: several files are one media, which arrived under that key."),
        );
    }
    if let Some(gaps) = explained.parts.as_ref().and_then(Parts::gaps_told) {
        words.push(Word {
            code: "gaps",
            prevents: false,
            text: gaps,
        });
    }
    words
}

async fn workflows(state: &WebState, object: &ObjectUri) -> Answer<Vec<WorkflowAnswer>> {
    let facts = ArrivalFacts {
        storage: &object.storage,
        key: &object.key,
    };
    let mut answers = Vec::new();
    for (id, version) in state.store.enabled_workflows().await? {
        let workflow = state.store.resolved_workflow(&id, version).await?;
        let selected = selector::select(&workflow, &facts);
        answers.push(WorkflowAnswer {
            id: id.into_string(),
            name: workflow.name,
            takes: selected.is_ok(),
            why_not: selected.err().map(|why_not| why_not.to_string()),
        });
    }
    Ok(answers)
}

/// What the ledger and the state of the storage say of an object, in sentences.
pub(super) fn remembered(storage: &StorageState, explained: &Explained) -> String {
    let words = of_the_storage(storage, explained);
    sentences(storage, explained, &words, None).1
}

/// The ledger's word, and everything in sentences for people.
fn sentences(
    storage: &StorageState,
    explained: &Explained,
    words: &[Word],
    workflows: Option<&[WorkflowAnswer]>,
) -> (&'static str, String) {
    let (state, mut said) = of_the_ledger(storage, explained, words);
    let done = matches!(state, "taken" | "settled");
    for word in words.iter().filter(|word| word.prevents && !done) {
        said.push(word.text.clone());
    }
    // What nothing keeps from arriving may still find nobody who takes it.
    let nobody = workflows.is_some_and(|workflows| !workflows.iter().any(|workflow| workflow.takes));
    if nobody && matches!(state, "unseen" | "seen") {
        said.push("No enabled workflow would take it.".to_owned());
    }
    said.retain(|sentence| !sentence.is_empty());
    (state, said.join(" "))
}

fn of_the_ledger(storage: &StorageState, explained: &Explained, words: &[Word]) -> (&'static str, Vec<String>) {
    let Some(arrival) = &explained.arrival else {
        let kept = words.iter().any(|word| word.prevents);
        let why = match () {
            () if kept => "It was never seen.",
            () if storage.scan.as_ref().is_some_and(|scan| scan.first) => {
                "It was not seen yet: the first scan of the storage goes on."
            }
            () => "It was not seen yet: the next scan will; scan the storage to have that now.",
        };
        return ("unseen", vec![why.to_owned()]);
    };
    let mut said = match arrival.state {
        ArrivalState::Seen => vec!["It was seen and has not settled.".to_owned()],
        ArrivalState::Settled => vec!["It has settled; workflows are about to be matched.".to_owned()],
        ArrivalState::Taken => {
            vec!["It was taken: the tasks were made from its present content; new content would run again.".to_owned()]
        }
        ArrivalState::NotTaken => vec![sentence(match arrival.why_not.as_deref() {
            Some("existing") => {
                "It was there before the storage was first scanned, and no workflow says existing = \"process\"."
            }
            Some("ours") => "It is an output that we published ourselves.",
            Some("ignored") => "Its name is that of a temporary or hidden file.",
            Some(why) => why,
            None => "No enabled workflow takes it.",
        })],
    };
    if let Some(settled) = arrival.settled {
        let (seen, settled) = (arrival.seen.wire(), settled.wire());
        said.push(format!(
            "It was first seen as it is at {seen}, and settled at {settled}."
        ));
    }
    if arrival.gone.is_some() {
        said.push("It is not there any more.".to_owned());
    }
    let word = match arrival.state {
        ArrivalState::Seen => "seen",
        ArrivalState::Settled => "settled",
        ArrivalState::Taken => "taken",
        ArrivalState::NotTaken => "not_taken",
    };
    (word, said)
}

/// What workflows and logs say in a clause, as a sentence among others.
fn sentence(clause: &str) -> String {
    let mut letters = clause.trim().chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if clause.trim().ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::sentences;
    use crate::base::clock::UtcMs;
    use crate::store::listing::arrivals::ArrivalRow;
    use crate::store::listing::arrivals::ArrivalState;
    use crate::store::listing::arrivals::Explained;
    use crate::web::ports::StorageState;
    use crate::web::ports::Word;

    fn word(code: &'static str, text: &str) -> Word {
        Word {
            code,
            prevents: true,
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_ledger_speaks_first_and_what_prevents_follows() {
        let storage = StorageState::default();
        let mut explained = Explained::default();
        let frozen = [word(
            "frozen",
            "Nothing of this storage is triggered now: the mount is gone.",
        )];
        let (state, text) = sentences(&storage, &explained, &frozen, Some(&[]));
        assert_eq!(state, "unseen");
        assert!(
            text.contains("never seen") && text.contains("the mount is gone"),
            "{text}"
        );
        assert!(
            sentences(&storage, &explained, &[], Some(&[]))
                .1
                .contains("No enabled workflow")
        );
        let mut arrival = ArrivalRow {
            size_bytes: 1,
            state: ArrivalState::NotTaken,
            seen: UtcMs(1),
            settled: None,
            gone: None,
            why_not: Some("existing".to_owned()),
        };
        explained.arrival = Some(arrival.clone());
        let (state, text) = sentences(&storage, &explained, &frozen, None);
        assert_eq!(state, "not_taken");
        assert!(
            text.contains("before the storage was first scanned") && text.contains("the mount is gone"),
            "{text}"
        );
        arrival.why_not = Some("workflow web takes keys that begin with \"tv/\", and this one does not".to_owned());
        explained.arrival = Some(arrival.clone());
        let (_, text) = sentences(&storage, &explained, &frozen, None);
        assert!(
            text.starts_with("Workflow web takes keys") && text.contains("this one does not. Nothing of this"),
            "{text}"
        );
        arrival.state = ArrivalState::Taken;
        arrival.settled = Some(UtcMs(61_000));
        explained.arrival = Some(arrival);
        let (_, text) = sentences(&storage, &explained, &frozen, None);
        assert!(
            !text.contains("the mount is gone") && text.contains("settled at 1970-01-01T00:01:01Z"),
            "{text}"
        );
    }
}
