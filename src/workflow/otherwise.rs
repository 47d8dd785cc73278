//! What a caller wants of one run otherwise than the workflow says: output place, callback, parameters of activities.
//!
//! Guarantees: held to the same rules as a definition, so a task never carries what could not have been saved; what
//! is not named stays as the workflow says. Deliberately absent: keeping it (`store::tasks::Overrides`), and the
//! priority, which is a property of the task itself.

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::workflow::activity;
use crate::workflow::activity::Node;
use crate::workflow::definition::BadDefinition;
use crate::workflow::definition::CallbackSection;
use crate::workflow::definition::OutputSection;
use crate::workflow::definition::Problem;
use crate::workflow::resolve;
use crate::workflow::resolved::Activity;
use crate::workflow::resolved::CallbackRule;
use crate::workflow::resolved::InlineDestination;
use crate::workflow::resolved::OnConflict;
use crate::workflow::resolved::OutputRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::sections;
use crate::workflow::sections::Problems;
use crate::workflow::template::Templates;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// The wishes for one run, as a caller writes them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Otherwise {
    /// Where outputs go; absent keys stay as the workflow says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputChange>,
    /// Whom it tells, in place of the workflow's `[callback]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<CallbackSection>,
    /// By id of the activity: keys that override its parameters, `template` and `backend` included.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, Map<String, Value>>,
}

/// Keys of `[output]` that are other for one run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputChange {
    /// Name of the storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// Stands in for the source's folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Path template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// When a key is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<OnConflict>,
}

/// The wishes, resolved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resolved {
    /// Where outputs go.
    pub output: Option<OutputRule>,
    /// Whom it tells.
    pub callback: Option<CallbackRule>,
    /// Activities that are done otherwise, whole.
    pub activities: Vec<Activity>,
}

impl Otherwise {
    /// Nothing is wanted otherwise.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same with every secret replaced by `***`: what an answer may show.
    pub fn without_secrets(mut self) -> Self {
        if let Some(key) = self.callback.as_mut().and_then(|callback| callback.auth_key.as_mut()) {
            "***".clone_into(key);
        }
        self
    }
}

/// The wishes for one run of `workflow`, resolved. `user_data` may name an address of its own
/// ([`notified`]), which a callback that is written out overrides.
///
/// # Errors
/// Everything wrong with them, as of a definition.
pub fn resolve(
    workflow: &ResolvedWorkflow,
    wanted: &Otherwise,
    user_data: Option<&str>,
    templates: &Templates,
) -> Result<Resolved, BadDefinition> {
    let mut problems = Problems::default();
    let mut activities = Vec::new();
    for (id, written) in &wanted.parameters {
        let Some(known) = workflow.activities.iter().find(|activity| activity.id == *id) else {
            let ids: Vec<&str> = workflow
                .activities
                .iter()
                .map(|activity| activity.id.as_str())
                .collect();
            let why = format!(
                "there is no activity {id:?} in {}; {}",
                workflow.name,
                reader::meant(id, &ids)
            );
            problems.0.push(Problem {
                node: None,
                wrong: Wrong::at("parameters", why),
            });
            continue;
        };
        match done_otherwise(known, written, templates) {
            Ok(activity) => activities.push(activity),
            Err(wrongs) => problems.0.extend(wrongs.into_iter().map(|wrong| Problem {
                node: Some(id.clone()),
                wrong,
            })),
        }
    }
    let mut all = workflow.activities.clone();
    for activity in &mut all {
        if let Some(other) = activities.iter().find(|other| other.id == activity.id) {
            *activity = other.clone();
        }
    }
    if let Err(wrong) = resolve::follows_what_it_asks(&all) {
        problems.0.push(Problem { node: None, wrong });
    }
    let output = wanted.output.as_ref().map(|change| {
        let section = OutputSection {
            storage: change.storage.clone().or_else(|| workflow.output.storage.clone()),
            prefix: change.prefix.clone().or_else(|| workflow.output.prefix.clone()),
            path: Some(change.path.clone().unwrap_or_else(|| workflow.output.path.clone())),
            on_conflict: change.on_conflict.unwrap_or(workflow.output.on_conflict),
        };
        sections::output(&mut problems, Some(&section), &workflow.source, &all)
    });
    let callback = match &wanted.callback {
        Some(section) => Some(sections::callback(&mut problems, Some(section))),
        None => notified(workflow, user_data).map_err(BadDefinition::one)?,
    };
    if problems.0.is_empty() {
        return Ok(Resolved {
            output,
            callback,
            activities,
        });
    }
    Err(BadDefinition {
        name: Some(workflow.name.clone()),
        problems: problems.0,
    })
}

/// An activity with other parameters: its own merged with those written, read anew. Its place in the graph stays.
fn done_otherwise(
    known: &Activity,
    written: &Map<String, Value>,
    templates: &Templates,
) -> Result<Activity, Vec<Wrong>> {
    if let Some(key) = ["id", "type", "needs", "when", "optional"]
        .into_iter()
        .find(|key| written.contains_key(*key))
    {
        return Err(vec![Wrong::at(
            key,
            "is part of the graph, which one run cannot change",
        )]);
    }
    // With another template the activity begins from that one; else from what it is.
    let mut node = match written.contains_key("template") {
        true => Map::new(),
        false => known.parameters.as_object().cloned().unwrap_or_default(),
    };
    activity::choose_moments(&mut node, written);
    if !written.contains_key("backend") {
        let backend = serde_json::to_value(known.backend).unwrap_or_default();
        node.insert("backend".to_owned(), backend);
    }
    reader::overlay(&mut node, written);
    node.insert("id".to_owned(), Value::String(known.id.clone()));
    node.insert("type".to_owned(), Value::String(known.kind.as_str().to_owned()));
    match activity::resolve(&Value::Object(node), templates) {
        Ok(Node::Activity(made)) => Ok(Activity {
            needs: known.needs.clone(),
            when: known.when.clone(),
            optional: known.optional,
            template: made.template.clone().or_else(|| known.template.clone()),
            ..*made
        }),
        Ok(_) => Err(vec![Wrong::at("type", "a Start or End node takes no parameters")]),
        Err((_, wrongs)) => Err(wrongs),
    }
}

/// Whom a run tells when its user data name an address, as in the clouds: `{"NotifyAddress": "https://..."}`, or the
/// name of a destination in the place of the address, or `{"MessageCallback": {"CallbackURL": "https://..."}}`. It
/// stands in for the workflow's own destination; the unified callback hears of the run as before. None: they name
/// none, or are no JSON object.
///
/// # Errors
/// The address is neither.
pub fn notified(workflow: &ResolvedWorkflow, user_data: Option<&str>) -> Result<Option<CallbackRule>, Wrong> {
    let Some(address) = user_data.and_then(address_in) else {
        return Ok(None);
    };
    let own = &workflow.callback;
    let mut rule = CallbackRule {
        legacy_events: false,
        unified: own.unified,
        destination: None,
        inline: None,
    };
    if !address.contains("://") {
        if !crate::workflow::name_rule::is_name(&address, 128) {
            let why = format!("{address:?} is no http or https address and no name of a destination");
            return Err(Wrong::at("user_data.NotifyAddress", why));
        }
        rule.destination = Some(address);
        return Ok(Some(rule));
    }
    let valid = url::Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !valid {
        let why = format!("{address:?} is no http or https address");
        return Err(Wrong::at("user_data.NotifyAddress", why));
    }
    rule.inline = Some(InlineDestination {
        profile: own
            .inline
            .as_ref()
            .map_or_else(|| "ims".to_owned(), |inline| inline.profile.clone()),
        // The key is the workflow's secret with one receiver, not with whoever a caller names.
        auth_key: own
            .inline
            .as_ref()
            .filter(|inline| inline.url == address)
            .and_then(|inline| inline.auth_key.clone()),
        url: address,
    });
    Ok(Some(rule))
}

/// The address, or name of a destination, that the caller's JSON wants told.
pub fn address_in(user_data: &str) -> Option<String> {
    let data: Value = serde_json::from_str(user_data).ok()?;
    // The clouds' samples have this object as such and as a text of JSON.
    let nested = match data.get("MessageCallback") {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    let address = data
        .get("NotifyAddress")
        .or_else(|| nested.as_ref()?.get("CallbackURL"))?;
    address.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::Otherwise;
    use super::resolve;
    use crate::media::spec::MediaWork;
    use crate::workflow::definition::Definition;
    use crate::workflow::resolved::OnConflict;
    use crate::workflow::resolved::ResolvedWorkflow;
    use crate::workflow::template::Templates;
    use serde_json::json;

    fn workflow() -> ResolvedWorkflow {
        let text = "name = \"w\"\n[source]\nstorage = \"ingest\"\n[output]\nstorage = \"renditions\"\non_conflict = \"fail\"\n\
            [callback]\nurl = \"http://mam.local/hook\"\nprofile = \"vod\"\nauth_key = \"secret\"\nalso_unified = true\n\
            [[activity]]\nid = \"facts\"\ntype = \"analysis\"\n\
            [[activity]]\nid = \"sheet\"\ntype = \"snapshot\"\ntemplate = \"sprite-webvtt\"\nneeds = [\"facts\"]\n";
        let definition = Definition::from_toml(text).expect("reads");
        crate::workflow::resolve::resolve(&definition, &Templates::shipped()).expect("resolves")
    }

    fn wanted(tree: serde_json::Value) -> Otherwise {
        serde_json::from_value(tree).expect("reads")
    }

    #[test]
    fn what_is_named_is_other_and_the_rest_stays() {
        let workflow = workflow();
        let wishes = wanted(json!({
            "output": { "prefix": "again/" },
            "parameters": { "sheet": { "columns": 3, "backend": "software" } },
        }));
        let resolved = resolve(&workflow, &wishes, None, &Templates::shipped()).expect("is good");
        let output = resolved.output.expect("is other");
        assert_eq!(
            (output.storage.as_deref(), output.prefix.as_deref(), output.on_conflict),
            (Some("renditions"), Some("again/"), OnConflict::Fail)
        );
        assert_eq!(resolved.callback, None);
        let sheet = &resolved.activities[0];
        let Some(MediaWork::Snapshot(spec)) = &sheet.work else {
            panic!("{sheet:?}")
        };
        let Some(MediaWork::Snapshot(before)) = &workflow.activities[1].work else {
            panic!("a snapshot")
        };
        assert_eq!((spec.columns, spec.lines), (3, before.lines));
        assert_eq!(
            (sheet.needs.as_slice(), sheet.template.as_deref()),
            (&["facts".to_owned()][..], Some("sprite-webvtt"))
        );
    }

    #[test]
    fn wishes_are_held_to_the_rules_of_definitions() {
        let workflow = workflow();
        for (tree, word) in [
            (json!({ "parameters": { "sheet": { "columns": 0 } } }), "columns"),
            (json!({ "parameters": { "sheet": { "colums": 2 } } }), "colums"),
            (json!({ "parameters": { "sheet": { "needs": [] } } }), "graph"),
            (json!({ "parameters": { "sheeet": {} } }), "sheet"),
            (json!({ "output": { "path": "{Nmae}" } }), "Name"),
            (json!({ "output": { "prefix": "a" } }), "slash"),
            (json!({ "callback": { "url": "ftp://x" } }), "http"),
        ] {
            let bad = resolve(&workflow, &wanted(tree.clone()), None, &Templates::shipped()).expect_err("is refused");
            assert!(bad.to_string().contains(word), "{tree}: {bad}");
        }
    }

    #[test]
    fn user_data_may_name_who_is_told_of_this_run() {
        let workflow = workflow();
        let told = |user_data: &str| resolve(&workflow, &Otherwise::default(), Some(user_data), &Templates::shipped());
        let rule = told(r#"{"NotifyAddress":"https://other.local/x"}"#)
            .expect("is good")
            .callback;
        let rule = rule.expect("is other");
        let inline = rule.inline.expect("an address");
        assert_eq!(
            (
                rule.unified,
                inline.url.as_str(),
                inline.profile.as_str(),
                inline.auth_key
            ),
            (true, "https://other.local/x", "vod", None),
            "another receiver does not learn the key"
        );
        let named = told(r#"{"NotifyAddress":"ice-callback-one"}"#)
            .expect("is good")
            .callback;
        assert_eq!(
            named.and_then(|rule| rule.destination).as_deref(),
            Some("ice-callback-one")
        );
        assert!(told(r#"{"NotifyAddress":"not a name"}"#).is_err());
        for nothing in ["plain text", "{}", "[1]", r#"{"NotifyAddress":""}"#] {
            assert_eq!(told(nothing).expect("is good").callback, None, "{nothing}");
        }
    }
}
