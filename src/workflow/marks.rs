//! Templates of what is drawn onto pictures: `template = "NAME"` in a `watermark` or `burn` table of a transcode.
//!
//! Guarantees: keys beside a template override it; a template never lends itself to another kind of table. Deliberately
//! absent: drawing (`media::overlay`).

use crate::base::reader;
use crate::base::reader::Wrong;
use crate::media::spec::BurnSpec;
use crate::media::spec::WatermarkSpec;
use crate::media::spec_check;
use crate::workflow::template::Template;
use crate::workflow::template::TemplateKind;
use crate::workflow::template::Templates;
use serde_json::Map;
use serde_json::Value;

/// Whether the parameters of a template of a drawn kind are in range; what it is drawn from may be absent, since it
/// usually stands beside the template.
///
/// # Errors
/// The first problem.
pub fn check(kind: TemplateKind, parameters: &Map<String, Value>) -> Result<(), Wrong> {
    let mut whole = parameters.clone();
    settle_kind(kind, &mut whole)?;
    let path = match kind {
        TemplateKind::Subtitle => {
            whole.entry("source").or_insert_with(|| Value::from("track:0"));
            "burn"
        }
        TemplateKind::ImageWatermark if !whole.contains_key("svg") => {
            whole.entry("image").or_insert_with(|| Value::from("storage:key"));
            "watermark[0]"
        }
        TemplateKind::TextWatermark => {
            whole.entry("text").or_insert_with(|| Value::from("text"));
            "watermark[0]"
        }
        _ => "watermark[0]",
    };
    let tree = Value::Object(whole);
    let problems = match kind {
        TemplateKind::Subtitle => spec_check::check_drawn(None, Some(&reader::from_tree::<BurnSpec>(&tree)?)),
        _ => spec_check::check_drawn(Some(&reader::from_tree::<WatermarkSpec>(&tree)?), None),
    };
    match problems.into_iter().next() {
        None => Ok(()),
        Some(wrong) => {
            let own = wrong.path.strip_prefix(path).unwrap_or(&wrong.path);
            Err(Wrong {
                path: own.trim_start_matches('.').to_owned(),
                ..wrong
            })
        }
    }
}

/// The `kind` key of a watermark follows from the type of its template.
fn settle_kind(kind: TemplateKind, table: &mut Map<String, Value>) -> Result<(), Wrong> {
    let (allowed, usual): (&[&str], _) = match kind {
        TemplateKind::ImageWatermark => (
            &["image", "svg"],
            if table.contains_key("svg") { "svg" } else { "image" },
        ),
        TemplateKind::TextWatermark => (&["text"], "text"),
        TemplateKind::Subtitle | TemplateKind::Activity(_) => return Ok(()),
    };
    match table.get("kind") {
        None => {
            table.insert("kind".to_owned(), Value::from(usual));
            Ok(())
        }
        Some(Value::String(word)) if allowed.contains(&word.as_str()) => Ok(()),
        Some(other) => Err(Wrong::at(
            "kind",
            format!("{other} does not go with type {:?}; leave kind out", kind.as_str()),
        )),
    }
}

/// Puts the templates that `watermark` and `burn` tables of a transcode name in their place, at the job and at every
/// video output; tables that say nothing of what is drawn take the template that stands in for none.
///
/// # Errors
/// A template that does not exist or is of another type, with its place.
pub fn expand(transcode: &mut Map<String, Value>, templates: &Templates) -> Result<(), Wrong> {
    tables_of(transcode, "", templates)?;
    let groups = transcode.get_mut("group").and_then(Value::as_array_mut);
    for (at, group) in groups.into_iter().flatten().enumerate() {
        let outputs = group.get_mut("output").and_then(Value::as_array_mut);
        for (number, output) in outputs.into_iter().flatten().enumerate() {
            if let Some(video) = output.get_mut("video").and_then(Value::as_object_mut) {
                tables_of(video, &format!("group[{at}].output[{number}].video."), templates)?;
            }
        }
    }
    Ok(())
}

fn tables_of(holder: &mut Map<String, Value>, path: &str, templates: &Templates) -> Result<(), Wrong> {
    let marks = holder.get_mut("watermark").and_then(Value::as_array_mut);
    for (at, mark) in marks.into_iter().flatten().enumerate() {
        if let Some(table) = mark.as_object_mut() {
            let kind = match table.get("kind").and_then(Value::as_str) {
                Some("text") => TemplateKind::TextWatermark,
                None if table.contains_key("text") => TemplateKind::TextWatermark,
                _ => TemplateKind::ImageWatermark,
            };
            let kinds = match table.contains_key("kind") || table.contains_key("text") {
                true => vec![kind],
                false => vec![TemplateKind::ImageWatermark, TemplateKind::TextWatermark],
            };
            let bare = !["image", "svg", "text"].iter().any(|key| table.contains_key(*key));
            merge(table, &kinds, kind, bare, &format!("{path}watermark[{at}]"), templates)?;
        }
    }
    if let Some(table) = holder.get_mut("burn").and_then(Value::as_object_mut) {
        let (kind, bare) = (TemplateKind::Subtitle, !table.contains_key("source"));
        merge(table, &[kind], kind, bare, &format!("{path}burn"), templates)?;
    }
    Ok(())
}

/// `kinds`: what its template may be. `bare`: it does not say what is drawn.
fn merge(
    table: &mut Map<String, Value>,
    kinds: &[TemplateKind],
    usual: TemplateKind,
    bare: bool,
    path: &str,
    templates: &Templates,
) -> Result<(), Wrong> {
    let refuse = |why: String| Err(Wrong::at(format!("{path}.template"), why));
    let template: &Template = match table.remove("template") {
        Some(Value::String(name)) => match templates.get(&name) {
            Some(template) if kinds.contains(&template.kind) => template,
            Some(other) => {
                let words: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                return refuse(format!(
                    "template {name:?} is of type {:?}, and here one of type {} is wanted",
                    other.kind.as_str(),
                    words.join(" or ")
                ));
            }
            None => {
                let known: Vec<&str> = templates
                    .iter()
                    .filter(|template| kinds.contains(&template.kind))
                    .map(|template| template.name.as_str())
                    .collect();
                return refuse(format!(
                    "there is no template {name:?}; {}",
                    reader::meant(&name, &known)
                ));
            }
        },
        Some(_) => return refuse("must be the name of a template".to_owned()),
        None if bare => match templates.default_of(usual) {
            Some(default) => default,
            None => return Ok(()),
        },
        None => return Ok(()),
    };
    let mut merged = template.parameters.clone();
    // What is drawn is said in one way: beside a template it replaces the template's way.
    if !bare {
        for key in ["image", "svg", "text", "source"] {
            merged.remove(key);
        }
    }
    reader::overlay(&mut merged, table);
    settle_kind(template.kind, &mut merged).map_err(|wrong| Wrong {
        path: format!("{path}.{}", wrong.path),
        ..wrong
    })?;
    *table = merged;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::base::reader;
    use crate::media::spec::MediaWork;
    use crate::media::spec::WatermarkKind;
    use crate::workflow::activity;
    use crate::workflow::activity::Node;
    use crate::workflow::template::Template;
    use crate::workflow::template::Templates;
    use serde_json::json;

    fn template(text: &str) -> Template {
        Template::from_toml(text).expect("a good template")
    }

    fn transcode(rest: serde_json::Value, templates: &Templates) -> Result<MediaWork, String> {
        let mut node = json!({
            "id": "t", "type": "transcode",
            "group": [{ "kind": "file", "output": [{ "name": "a", "video": { "codec": "h264", "height": 240 } }] }],
        });
        let tree = node.as_object_mut().expect("a table");
        reader::overlay(tree, rest.as_object().expect("a table"));
        match activity::resolve(&node, templates) {
            Ok(Node::Activity(activity)) => Ok(activity.work.expect("has work")),
            Ok(other) => Err(format!("{other:?}")),
            Err((_, wrongs)) => Err(wrongs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        }
    }

    #[test]
    fn keys_beside_a_template_override_it() {
        let templates = Templates::with([template(
            "name = \"mine\"\ntype = \"image_watermark\"\nimage = \"art:logo.png\"\nopacity = 0.5\nwidth = 0.2\n",
        )]);
        let work = transcode(
            json!({
                "watermark": [{ "template": "mine", "opacity": 0.25 }, { "template": "text-bottom-right", "text": "draft" }],
                "burn": { "template": "subtitle-white", "source": "track:0" },
            }),
            &templates,
        );
        let Ok(MediaWork::Transcode(spec)) = work else {
            panic!("{work:?}")
        };
        assert_eq!(
            (spec.watermarks[0].image.as_deref(), spec.watermarks[0].opacity),
            (Some("art:logo.png"), 0.25)
        );
        assert_eq!(
            (spec.watermarks[1].kind, spec.watermarks[1].border),
            (WatermarkKind::Text, 2)
        );
        assert_eq!(spec.burn.expect("burns").color.as_deref(), Some("#ffffff"));
    }

    #[test]
    fn a_default_stands_in_for_what_is_not_said() {
        let own = template("name = \"mine\"\ntype = \"image_watermark\"\nimage = \"art:logo.png\"\n");
        let templates = Templates::with([own]).with_defaults(["mine".to_owned()]);
        let work = transcode(json!({ "watermark": [{ "corner": "top_left" }] }), &templates);
        let Ok(MediaWork::Transcode(spec)) = work else {
            panic!("{work:?}")
        };
        assert_eq!(spec.watermarks[0].image.as_deref(), Some("art:logo.png"));
        let without = transcode(
            json!({ "watermark": [{ "corner": "top_left" }] }),
            &Templates::shipped(),
        );
        assert!(without.expect_err("nothing is drawn").contains("image"));
    }

    #[test]
    fn wrong_templates_are_refused_where_they_stand() {
        let shipped = Templates::shipped();
        for (rest, word) in [
            (
                json!({ "watermark": [{ "template": "subtitle-white", "image": "a:b" }] }),
                "image_watermark",
            ),
            (
                json!({ "watermark": [{ "template": "logo-top-rihgt", "image": "a:b" }] }),
                "logo-top-right",
            ),
            (
                json!({ "burn": { "template": "poster", "source": "track:0" } }),
                "subtitle",
            ),
        ] {
            let refused = transcode(rest.clone(), &shipped).expect_err("is refused");
            assert!(
                refused.contains(word) && refused.contains(".template"),
                "{rest}: {refused}"
            );
        }
        for (text, word) in [
            ("name = \"a\"\ntype = \"image_watermark\"\nopacity = 2.0\n", "opacity"),
            ("name = \"a\"\ntype = \"text_watermark\"\nfont_size = 2\n", "font_size"),
            ("name = \"a\"\ntype = \"text_watermark\"\nkind = \"image\"\n", "kind"),
            ("name = \"a\"\ntype = \"subtitle\"\ncolour = \"#fff\"\n", "colour"),
            ("name = \"a\"\ntype = \"subtitel\"\n", "subtitle"),
        ] {
            let refused = Template::from_toml(text).expect_err("is refused").to_string();
            assert!(refused.contains(word), "{text}: {refused}");
        }
    }
}
