//! Definitions, right and wrong.

use super::resolve;
use super::resolve_named;
use super::wrap_template;
use crate::media::spec::GroupKind;
use crate::media::spec::MediaWork;
use crate::media::spec::SnapshotMode;
use crate::workflow::definition::Definition;
use crate::workflow::preset;
use crate::workflow::resolved::AfterRule;
use crate::workflow::resolved::ResolvedWorkflow;
use crate::workflow::resolved::When;
use crate::workflow::template::Template;
use crate::workflow::template::TemplateKind;
use crate::workflow::template::Templates;

const HEAD: &str = "name = \"w\"\n[source]\nstorage = \"ingest\"\n";

fn resolved(text: &str) -> ResolvedWorkflow {
    let definition = Definition::from_toml(text).expect("readable");
    resolve(&definition, &Templates::shipped()).expect("right")
}

fn why(text: &str) -> String {
    match Definition::from_toml(text) {
        Err(bad) => bad.to_string(),
        Ok(definition) => resolve(&definition, &Templates::shipped())
            .expect_err("must be refused")
            .to_string(),
    }
}

fn with(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

#[test]
fn every_shipped_text_is_right() {
    let templates = Templates::shipped();
    for template in templates.iter() {
        let wrapped = wrap_template(&template.name, &templates);
        let kind = wrapped.map(|workflow| TemplateKind::Activity(workflow.activities[0].kind));
        let drawn = TemplateKind::DRAWN.contains(&template.kind);
        assert_eq!(kind, (!drawn).then_some(template.kind), "{}", template.name);
    }
    assert_eq!(preset::registration().activities.len(), 1);
    for name in preset::names() {
        let preset = preset::get(name).expect("known");
        assert_eq!(preset.name, name);
        let resolved = resolve(&preset, &templates).expect(name);
        assert!(resolved.source.library && !resolved.source.automatic);
    }
    let ingest = resolved(include_str!("../../config/workflows/ingest-ladder.toml"));
    assert!(ingest.source.automatic);
    assert_eq!(ingest.output.storage.as_deref(), Some("renditions"));
    assert_eq!(ingest.activities.len(), 4);
}

#[test]
fn web_ladder_encodes_each_rung_once_for_both_packagings() {
    let preset = preset::get("web-ladder").expect("known");
    let resolved = resolve(&preset, &Templates::shipped()).expect("right");
    let Some(MediaWork::Transcode(spec)) = &resolved.activities[1].work else {
        panic!("the ladder is a transcode")
    };
    let [files, set] = &spec.groups[..] else {
        panic!("two groups")
    };
    assert_eq!((files.kind, set.kind), (GroupKind::File, GroupKind::Hls));
    assert_eq!(files.outputs, set.outputs);
    let heights: Vec<_> = files
        .outputs
        .iter()
        .filter_map(|output| output.video.as_ref()?.height)
        .collect();
    assert_eq!(heights, [1080, 720, 480, 360]);
}

#[test]
fn toml_and_json_are_one_type_and_survive_a_round_trip() {
    let text = include_str!("../../config/workflows/ingest-ladder.toml");
    let from_toml = Definition::from_toml(text).expect("right");
    let json = serde_json::to_string(&from_toml).expect("serialises");
    assert_eq!(Definition::from_json(&json).expect("right"), from_toml);
    assert_eq!(Definition::from_toml(&from_toml.to_toml()).expect("right"), from_toml);
    let preset = preset::get("web-ladder").expect("known");
    assert_eq!(Definition::from_toml(&preset.to_toml()).expect("right"), preset);
}

#[test]
fn activities_are_ordered_and_start_and_end_vanish() {
    let flow = resolved(&with(
        "[[activity]]\nid = \"Act-Start\"\ntype = \"Start\"\n\
         [[activity]]\nid = \"late\"\ntype = \"noop\"\nneeds = [\"early\", \"early\"]\nwhen = \"failure\"\n\
         [[activity]]\nid = \"early\"\ntype = \"noop\"\nneeds = [\"Act-Start\"]\n\
         [[activity]]\nid = \"done\"\ntype = \"End\"\nneeds = [\"late\"]\n",
    ));
    let ids: Vec<&str> = flow.activities.iter().map(|activity| activity.id.as_str()).collect();
    assert_eq!(ids, ["early", "late"]);
    assert!(flow.activities[0].needs.is_empty());
    assert_eq!(flow.activities[1].needs, ["early"]);
    assert_eq!(flow.activities[1].when, When::Failure);
    // Start is there without being written.
    assert!(
        resolved(&with(
            "[[activity]]\nid = \"a\"\ntype = \"noop\"\nneeds = [\"Start\"]\n"
        ))
        .activities[0]
            .needs
            .is_empty()
    );
}

#[test]
fn scalars_beside_a_template_override_and_lists_replace() {
    let flow = resolved(&with(
        "[[activity]]\nid = \"s\"\ntype = \"snapshot\"\ntemplate = \"sprite-webvtt\"\ncolumns = 4\n\
         [[activity]]\nid = \"p\"\ntype = \"snapshot\"\ntemplate = \"poster\"\ninterval_s = 5\n\
         [[activity]]\nid = \"t\"\ntype = \"transcode\"\ntemplate = \"h264-mp4-ladder\"\npartial = true\n\
         group = [{ kind = \"file\", output = [{ name = \"x\", audio = { codec = \"aac\" } }] }]\n",
    ));
    let Some(MediaWork::Snapshot(sprite)) = &flow.activities[0].work else {
        panic!("snapshot")
    };
    assert_eq!(
        (sprite.mode, sprite.columns, sprite.lines),
        (SnapshotMode::Sprite, 4, 10)
    );
    let Some(MediaWork::Snapshot(stills)) = &flow.activities[1].work else {
        panic!("snapshot")
    };
    assert_eq!(
        (stills.interval_s, stills.times.len(), stills.quality),
        (Some(5.0), 0, 90)
    );
    let Some(MediaWork::Transcode(one)) = &flow.activities[2].work else {
        panic!("transcode")
    };
    assert!(one.partial && one.groups.len() == 1 && one.groups[0].outputs.len() == 1);
    assert_eq!(flow.activities[0].parameters["columns"], 4);
    assert_eq!(flow.activities[0].parameters["cell_width"], 160);
}

#[test]
fn problems_name_the_node_the_key_and_the_remedy() {
    let node = |text: &str| why(&with(&format!("[[activity]]\nid = \"n1\"\n{text}\n")));
    let cases = [
        (node("type = \"noop\"\nneeds = [\"ghost\"]"), "\"n1\" needs \"ghost\""),
        (node("type = \"noop\"\nneeds = [\"n1\"]"), "in a circle: n1 needs n1"),
        (
            node("type = \"noop\"\n[[activity]]\nid = \"n1\"\ntype = \"noop\""),
            "two activities have the id \"n1\"",
        ),
        (node("type = \"transcod\""), "did you mean \"transcode\"?"),
        (
            node("type = \"review\"\ntimeout_s = 0"),
            "activity \"n1\": timeout_s: 0 is out of range, 1 to 31536000",
        ),
        (node("type = \"hook\""), "url: is missing"),
        (
            node("type = \"copy\"\nstorage = \"a\"\noutputs_of = [\"n2\"]"),
            "\"n2\", which is no activity before it",
        ),
        (
            node("type = \"snapshot\"\ntemplate = \"postr\""),
            "did you mean \"poster\"?",
        ),
        (
            node("type = \"transcode\"\ntemplate = \"poster\""),
            "is of type \"snapshot\"",
        ),
        (
            node("type = \"noop\"\nwhen = \"height > 720\""),
            "needs something in needs",
        ),
        (node("type = \"noop\"\nwhen = \"blocked\""), "can say block"),
        (
            node("type = \"noop\"\nwhen = \"blocked\"\nneeds = [\"n0\"]\n[[activity]]\nid = \"n0\"\ntype = \"noop\""),
            "can say block",
        ),
        (node("type = \"noop\"\nwhen = \"failure\""), "Start does not"),
        (node("type = \"snapshot\"\ninput = \"ladder/1080p\""), "later version"),
        (
            node("type = \"snapshot\"\nquality = 0"),
            "activity \"n1\": quality: 0 is out of range, 1 to 100",
        ),
        (node("type = \"snapshot\"\ntimes = [\"101%\"]"), "times[0]"),
        (node("type = \"snapshot\"\nqualty = 3"), "did you mean \"quality\"?"),
        (node("type = \"snapshot\"\nneds = [\"x\"]"), "did you mean \"needs\"?"),
        (node("type = \"analysis\"\nwidth = 3"), "takes no parameters"),
        (node("type = \"transcode\""), "\"group\" is missing"),
        (
            node(
                "type = \"transcode\"\ngroup = [{ kind = \"hls\", output = [{ name = \"a\", video = { codec = \"h264\", height = 721 } }] }]",
            ),
            "group[0].output[0].video.height: 721 is out of range, an even number, 128 to 8192",
        ),
        (
            node("type = \"transcode\"\ngroup = [{ kind = \"file\", output = [{ name = \"a\", vidio = {} }] }]"),
            "activity \"n1\": group[0].output[0].vidio: unknown key \"vidio\"; did you mean \"video\"?",
        ),
        (
            node(
                "type = \"transcode\"\ngroup = [{ kind = \"file\", output = [{ name = \"a\", video = { codec = \"vvc\" } }] }]",
            ),
            "\"vvc\" is not one of h264",
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(expected), "{found:?} must say {expected:?}");
    }
}

#[test]
fn a_longer_cycle_is_named_in_order() {
    let text = with(
        "[[activity]]\nid = \"a\"\ntype = \"noop\"\nneeds = [\"b\"]\n[[activity]]\nid = \"b\"\ntype = \"noop\"\nneeds = [\"c\"]\n\
         [[activity]]\nid = \"c\"\ntype = \"noop\"\nneeds = [\"a\"]\n",
    );
    assert!(why(&text).contains("a needs b needs c needs a"), "{}", why(&text));
}

#[test]
fn sections_are_checked() {
    let noop = "[[activity]]\nid = \"n\"\ntype = \"noop\"\n";
    let cases = [
        (format!("name = \"a b\"\n[source]\nlibrary = true\n{noop}"), "name: "),
        (
            format!("nam = \"a\"\n[source]\nlibrary = true\n{noop}"),
            "line 1, nam: unknown key \"nam\"; did you mean \"name\"?",
        ),
        (format!("name = \"a\"\n{noop}"), "source: is missing"),
        (
            format!("name = \"a\"\n[source]\nlibrary = true\ntrigger = \"manual\"\n{noop}"),
            "source.trigger",
        ),
        (
            format!("name = \"a\"\n[source]\nprefix = \"x/\"\n{noop}"),
            "source.storage: is missing",
        ),
        (format!("{HEAD}prefix = \"in\"\n{noop}"), "end with a slash"),
        (format!("{HEAD}prefix = \"../x/\"\n{noop}"), ".. segment"),
        (
            format!("{HEAD}trigger = \"auto\"\n{noop}"),
            "did you mean \"automatic\"?",
        ),
        (format!("{HEAD}extensions = [\".mp4\"]\n{noop}"), "without dot"),
        (format!("{HEAD}after = \"move:done/\"\n{noop}"), "would arrive again"),
        (format!("{HEAD}after = \"burn\"\n{noop}"), "keep, move:PREFIX, delete"),
        (
            format!("{HEAD}[output]\npath = \"{{Nmae}}{{Ext}}\"\n{noop}"),
            "the nearest known one is {Name}",
        ),
        (
            format!("{HEAD}[output]\npath = \"all/{{Name}}{{Ext}}\"\n{noop}"),
            "every source the same",
        ),
        (
            format!(
                "{HEAD}[output]\npath = \"{{FileName}}{{Ext}}\"\non_conflict = \"fail\"\n[[activity]]\nid = \"l\"\ntype = \"transcode\"\ntemplate = \"h264-mp4-ladder\"\n"
            ),
            "1080p.mp4 of activity \"l\" and 720p.mp4",
        ),
        (
            format!("{HEAD}[callback]\nkind = \"none\"\nurl = \"http://x/\"\n{noop}"),
            "callback.kind",
        ),
        (
            format!("{HEAD}[callback]\nurl = \"ftp://x/\"\n{noop}"),
            "no http or https",
        ),
        (HEAD.to_owned(), "at least one"),
        (
            format!("preset = \"web-lader\"\n{HEAD}"),
            "did you mean \"web-ladder\"?",
        ),
        (format!("preset = \"web-ladder\"\n{HEAD}{noop}"), "not both"),
    ];
    for (text, expected) in cases {
        let found = why(&text);
        assert!(found.contains(expected), "{found:?} must say {expected:?}");
    }
}

#[test]
fn several_problems_come_at_once() {
    let found = why(&with(
        "prefix = \"x\"\n[[activity]]\nid = \"a\"\ntype = \"snapshot\"\nquality = 0\ncolumns = 0\n",
    ));
    assert_eq!(found.matches("out of range").count(), 2, "{found}");
    assert!(found.contains("source.prefix"), "{found}");
}

#[test]
fn callbacks_replace_the_unified_one_unless_asked() {
    let noop = "[[activity]]\nid = \"n\"\ntype = \"noop\"\n";
    let rule = |section: &str| resolved(&format!("{HEAD}{section}{noop}")).callback;
    assert!(rule("").unified);
    assert!(!rule("[callback]\nkind = \"none\"\n").unified);
    assert!(!rule("[callback]\ndestination = \"mam\"\n").unified);
    let inline = rule("[callback]\nurl = \"http://mam/hook\"\nauth_key = \"k\"\nalso_unified = true\n");
    assert!(inline.unified);
    assert_eq!(inline.inline.map(|inline| inline.profile).as_deref(), Some("ims"));
    let tencent = rule("[callback]\nurl = \"http://mam/hook\"\nprofile = \"mps\"\nlegacy_events = true\n");
    assert!(tencent.legacy_events && !inline.legacy_events);
    assert_eq!(tencent.inline.map(|inline| inline.profile).as_deref(), Some("mps"));
    let moved = resolved(&format!("{HEAD}prefix = \"in/\"\nafter = \"move:done/\"\n{noop}"));
    assert_eq!(moved.source.after, AfterRule::Move("done/".to_owned()));
}

#[test]
fn secrets_are_not_shown() {
    let text = format!("{HEAD}[callback]\nurl = \"http://mam/hook\"\nauth_key = \"hunter2\"\n");
    let shown = Definition::from_toml(&text)
        .expect("readable")
        .without_secrets()
        .to_toml();
    assert!(!shown.contains("hunter2") && shown.contains("***"), "{shown}");
}

#[test]
fn deleting_an_activity_deletes_what_follows_it() {
    let text = with(
        "[[activity]]\nid = \"a\"\ntype = \"noop\"\n[[activity]]\nid = \"b\"\ntype = \"noop\"\nneeds = [\"a\"]\n\
         [[activity]]\nid = \"c\"\ntype = \"noop\"\nneeds = [\"b\"]\n[[activity]]\nid = \"d\"\ntype = \"noop\"\n",
    );
    let definition = Definition::from_toml(&text).expect("readable");
    let rest = definition.without_activity("a").expect("known");
    assert_eq!(rest.activity.len(), 1);
    assert_eq!(rest.activity[0]["id"], "d");
    assert!(definition.without_activity("zz").is_none());
}

#[test]
fn run_takes_a_file_a_preset_or_a_template() {
    let templates = Templates::shipped();
    let none = |_: &str| Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    for name in ["web-ladder", "poster", "h264-hls-ladder"] {
        let flow = resolve_named(name, &templates, none).expect(name);
        assert_eq!(flow.output.path, "{Name}{Ext}");
    }
    // Source, output and callback of a file do not matter here, and may be left out.
    let file = "name = \"f\"\n[output]\npath = \"{Nope}\"\n[[activity]]\nid = \"n\"\ntype = \"noop\"\n";
    assert_eq!(
        resolve_named("f.toml", &templates, |_| Ok(file.to_owned()))
            .expect("right")
            .name,
        "f"
    );
    let missing = resolve_named("./f.toml", &templates, none)
        .expect_err("missing")
        .to_string();
    assert!(missing.contains("cannot read ./f.toml"), "{missing}");
    let unknown = resolve_named("web-lader", &templates, none)
        .expect_err("unknown")
        .to_string();
    assert!(unknown.contains("did you mean \"web-ladder\"?"), "{unknown}");
}

#[test]
fn a_users_template_is_checked_when_read_and_cannot_take_a_shipped_name() {
    let own = Template::from_toml("name = \"big\"\ntype = \"snapshot\"\nquality = 99\n").expect("right");
    let fake = Template {
        name: "poster".to_owned(),
        ..own.clone()
    };
    let templates = Templates::with([own, fake]);
    assert_eq!(
        templates
            .get("big")
            .map(|template| template.parameters["quality"].clone()),
        Some(99.into())
    );
    assert!(templates.get("poster").is_some_and(|template| template.shipped));
    let bad = Template::from_toml("name = \"big\"\ntype = \"snapshot\"\nqualty = 99\n").expect_err("misspelt");
    assert_eq!(bad.line, Some(3), "{bad}");
}
