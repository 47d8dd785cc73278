//! Path templates: whatever is accepted makes keys that stay inside the storage.
#![no_main]
use libfuzzer_sys::fuzz_target;
use reelmill::base::clock::UtcMs;
use reelmill::media::product::Place;
use reelmill::objects::uri::key_bytes;
use reelmill::workflow::naming::NameFacts;
use reelmill::workflow::naming::PathTemplate;
use reelmill::workflow::naming::relative_reference;

fuzz_target!(|input: (&str, &str, &str, &str, Option<&str>, u32)| {
    let (path, source_key, name, beside, prefix, number) = input;
    let Ok(template) = PathTemplate::parse(path) else {
        return;
    };
    template.tells_outputs_apart();
    template.tells_sources_apart();
    let facts = NameFacts {
        source_key,
        prefix,
        name,
        extension: ".mp4",
        group: name,
        activity: "a",
        template: None,
        media: "m",
        task: "t",
        job: "j",
        task_created_at: UtcMs(1_700_000_000_000),
    };
    let Ok(names) = template.names(&facts) else {
        return;
    };
    names.pattern();
    let names = names.versioned(number % 5);
    let mut keys = Vec::new();
    for place in [
        Place::Main,
        Place::Numbered(number),
        Place::Beside(beside.to_owned()),
        Place::Inside(beside.to_owned()),
    ] {
        let key = names.key(&place);
        let bytes = key_bytes(&key);
        assert!(!bytes.starts_with(b"/") && !bytes.starts_with(b".reelmill/"), "{key:?}");
        for segment in bytes.split(|byte| *byte == b'/') {
            assert!(!segment.is_empty() && segment != b"." && segment != b"..", "{place:?}: {key:?}");
            assert!(segment.len() <= 255 && !segment.contains(&0), "{place:?}: {key:?}");
        }
        keys.push(key);
    }
    relative_reference(&keys[0], &keys[3]);
    relative_reference(&keys[3], &keys[1]);
});
