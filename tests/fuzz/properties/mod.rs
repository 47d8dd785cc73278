//! What must hold of each parser whatever it is given, one function a parser. Used by the fuzz targets and, with plain
//! random damage to the seeds, by `tests/parsers`.

use reelmill::base::clock::UtcMs;
use reelmill::media::animate;
use reelmill::media::animation_file as animation;
use reelmill::media::av::Source;
use reelmill::media::av::source::ReadAt;
use reelmill::media::facts::Ratio;
use reelmill::media::image_playlist as playlist;
use reelmill::media::moments as picture_moments;
use reelmill::media::moments::Span;
use reelmill::media::product::Place;
use reelmill::media::spec::AnimationFormat;
use reelmill::media::spec::AnimationSpec;
use reelmill::media::spec::MediaWork;
use reelmill::media::spec::SnapshotSpec;
use reelmill::media::spec::seconds;
use reelmill::media::spec_check;
use reelmill::media::timecode::Timecode;
use reelmill::media::webvtt as index;
use reelmill::media::wholeness as whole;
use reelmill::objects::uri::key_bytes;
use reelmill::trigger::box_check;
use reelmill::worker::protocol::Message;
use reelmill::worker::protocol::Order;
use reelmill::workflow::definition::Definition;
use reelmill::workflow::naming::NameFacts;
use reelmill::workflow::naming::PathTemplate;
use reelmill::workflow::naming::relative_reference;
use reelmill::workflow::resolve::resolve;
use reelmill::workflow::template::Templates;
use std::io;
use std::io::Cursor;

/// A number from the first eight bytes, and the rest.
fn number_and_rest(bytes: &[u8]) -> (u64, &[u8]) {
    match bytes.split_first_chunk::<8>() {
        Some((head, rest)) => (u64::from_le_bytes(*head), rest),
        None => (0, bytes),
    }
}

/// The index of a sprite: what is read is written back and read the same.
pub fn webvtt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(cues) = index::read(text) {
        index::flaw(&cues);
        let again = index::read(&index::write(&cues, &["a note".to_owned()])).expect("its own writing is read");
        assert_eq!(again, cues);
    }
}

/// The image playlist of a sprite: what is read can be written, and its rate told.
pub fn image_playlist(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(segments) = playlist::read(text) {
        playlist::bandwidth(&segments, &vec![u64::MAX; segments.len()]);
        playlist::write(&segments);
    }
}

/// Which moments of a source a spec means: whatever the check lets through comes to moments inside the source.
pub fn moments(bytes: &[u8]) {
    let (numbers, rest) = number_and_rest(bytes);
    let (length_ms, frame_ms, is_one_frame) = (numbers as u32, (numbers >> 32) as u16 % 1001, numbers >> 63 == 1);
    let span = Span {
        duration_s: (length_ms > 0).then_some(f64::from(length_ms) / 1000.0),
        frame_s: f64::from(frame_ms) / 1000.0,
        is_one_frame,
    };
    let rising = |at_s: &[f64]| at_s.windows(2).all(|pair| pair[0] < pair[1]);
    if let Ok(spec) = serde_json::from_slice::<SnapshotSpec>(rest) {
        let allowed = spec_check::check(&MediaWork::Snapshot(spec.clone())).is_empty();
        match picture_moments::wanted(&spec, span) {
            Ok(wanted) if allowed => {
                assert!((1..=picture_moments::MAX_PICTURES).contains(&wanted.at_s.len()));
                assert!(
                    rising(&wanted.at_s) && wanted.at_s[0] >= 0.0,
                    "{spec:?} {span:?} {:?}",
                    wanted.at_s
                );
                let end_s = span.duration_s.unwrap_or(f64::INFINITY);
                assert!(
                    is_one_frame || wanted.at_s.iter().all(|moment_s| *moment_s <= end_s),
                    "{spec:?} {span:?}"
                );
            }
            Ok(_) => {}
            Err(fault) => assert!(!allowed || fault.code == "DurationUnknown", "{spec:?}: {fault}"),
        }
    }
    if let Ok(spec) = serde_json::from_slice::<AnimationSpec>(rest)
        && spec_check::check(&MediaWork::DynamicImage(spec.clone())).is_empty()
    {
        let wanted = animate::wanted(&spec, span);
        assert!(!wanted.at_s.is_empty() && wanted.at_s.len() <= 60 * 60 + 100);
        assert!(rising(&wanted.at_s), "{spec:?} {span:?} {:?}", wanted.at_s);
    }
}

/// The lines between a daemon and its workers: what is understood says the same when it is said again.
pub fn order_line(bytes: &[u8]) {
    if let Ok(order) = serde_json::from_slice::<Order>(bytes) {
        for job in &order.jobs {
            spec_check::check(&job.work);
        }
        let again = serde_json::to_vec(&order).expect("an order is JSON");
        let again: Order = serde_json::from_slice(&again).expect("its own writing is read");
        assert_eq!(again, order);
    }
    if let Ok(message) = serde_json::from_slice::<Message>(bytes) {
        let again = serde_json::to_vec(&message).expect("a message is JSON");
        serde_json::from_slice::<Message>(&again).expect("its own writing is read");
    }
}

/// Path templates: whatever is accepted makes keys that stay inside the storage. Five texts, a line each.
pub fn path_template(bytes: &[u8]) {
    let (number, rest) = number_and_rest(bytes);
    let text = String::from_utf8_lossy(rest);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or("");
    let (path, source_key, name, beside, prefix) = (line(), line(), line(), line(), line());
    let Ok(template) = PathTemplate::parse(path) else {
        return;
    };
    template.tells_outputs_apart();
    template.tells_sources_apart();
    let facts = NameFacts {
        source_key,
        prefix: (!prefix.is_empty()).then_some(prefix),
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
    let names = names.versioned(number as u32 % 5);
    let mut keys = Vec::new();
    for place in [
        Place::Main,
        Place::Numbered(number as u32),
        Place::Beside(beside.to_owned()),
        Place::Inside(beside.to_owned()),
    ] {
        let key = names.key(&place);
        let bytes = key_bytes(&key);
        assert!(!bytes.starts_with(b"/") && !bytes.starts_with(b".reelmill/"), "{key:?}");
        for segment in bytes.split(|byte| *byte == b'/') {
            assert!(
                !segment.is_empty() && segment != b"." && segment != b"..",
                "{place:?}: {key:?}"
            );
            assert!(segment.len() <= 255 && !segment.contains(&0), "{place:?}: {key:?}");
        }
        keys.push(key);
    }
    relative_reference(&keys[0], &keys[3]);
    relative_reference(&keys[3], &keys[1]);
}

/// Times and timecodes that people write.
pub fn timecode(bytes: &[u8]) {
    let (numbers, rest) = number_and_rest(bytes);
    let Ok(text) = std::str::from_utf8(rest) else {
        return;
    };
    if let Some(value_s) = seconds::parse(text) {
        assert!(value_s.is_finite() && value_s >= 0.0, "{text:?} is {value_s}");
    }
    let any = |number: u32| i32::try_from(number & 0x7fff_ffff).unwrap_or(1).max(1);
    for (num, den) in [
        (25, 1),
        (30_000, 1001),
        (60_000, 1001),
        (any(numbers as u32), any((numbers >> 32) as u32)),
    ] {
        if let Ok(timecode) = Timecode::parse(text, Ratio { num, den }) {
            timecode.parts();
            timecode.later(numbers);
            timecode.seconds_since(timecode);
        }
    }
}

/// The walk that tells an unfinished file before it triggers anything.
pub fn box_walk(bytes: &[u8]) {
    let (claimed, rest) = number_and_rest(bytes);
    for size in [rest.len() as u64, claimed, u64::MAX] {
        box_check::check(&mut Cursor::new(rest), size).expect("memory is always read");
    }
}

struct Claimed(Vec<u8>, u64);

impl ReadAt for Claimed {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..));
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn size_bytes(&self) -> io::Result<u64> {
        Ok(self.1)
    }
}

/// The walk that tells a truncated source before it is decoded.
pub fn wholeness(bytes: &[u8]) {
    let (claimed, rest) = number_and_rest(bytes);
    for size in [rest.len() as u64, claimed] {
        if let Ok(source) = Source::from_bytes(Box::new(Claimed(rest.to_vec(), size)), "fuzz") {
            let _ = whole::look(&source);
            let _ = whole::signature(&source);
        }
    }
}

/// The reader that proves GIFs: of any bytes it says what they are or what is wrong with them.
pub fn animation_file(bytes: &[u8]) {
    if let Ok(facts) = animation::read(bytes, AnimationFormat::Gif) {
        assert!(facts.frames > 0);
    }
    animation::webp_repeats_at(bytes);
}

/// Workflow definitions as people write them: read, written and read again, and resolved.
pub fn workflow_text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(definition) = Definition::from_toml(text) {
        let again = definition.to_toml();
        Definition::from_toml(&again).expect("its own writing is read");
        let _ = resolve(&definition, &Templates::shipped());
    }
    let _ = Definition::from_json(text);
}
