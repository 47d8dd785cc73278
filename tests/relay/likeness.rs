//! The same from a bucket as from a folder: facts, products, proofs, and what lies beside a source.

use crate::appliance::clips;
use crate::collection::media;
use crate::stage::Stage;
use crate::stage::bytes_of;
use crate::stage::small_rung;
use crate::stage::sprite;
use crate::stage::works;
use reelmill::executor::Executor;
use reelmill::media::product::JobEnd;
use reelmill::media::spec::MediaWork;
use reelmill::objects::uri::ObjectUri;

/// Both attempts end well, and in the same.
async fn assert_same(stage: &Stage, key: &str, jobs: &[(&str, MediaWork)]) {
    let near = stage.run(&format!("nas:{key}"), jobs).await;
    let far = stage.run(&format!("cloud:{key}"), jobs).await;
    assert_eq!(near.code(), "", "{key}: {near:?}");
    assert_eq!(far.code(), "", "{key}: {far:?}");
    assert_eq!(near.facts, far.facts, "{key}");
    assert_eq!(far.jobs.len(), jobs.len(), "{key}");
    for ((job, end), (_, work)) in near.jobs.iter().zip(sorted(jobs)) {
        let as_text = |end: &JobEnd| match is_repeatable(&work) {
            true => serde_json::to_string_pretty(end).expect("plain data"),
            false => format!("{:#?}", shape(end)),
        };
        assert_eq!(as_text(end), as_text(&far.jobs[job]), "{key}, {job}");
    }
}

fn sorted(jobs: &[(&str, MediaWork)]) -> Vec<(String, MediaWork)> {
    let mut jobs: Vec<_> = jobs
        .iter()
        .map(|(job, work)| ((*job).to_owned(), work.clone()))
        .collect();
    jobs.sort_by(|one, other| one.0.cmp(&other.0));
    jobs
}

/// With a buffer to keep to, x264's threads make other bytes each time, of one file too.
fn is_repeatable(work: &MediaWork) -> bool {
    let text = serde_json::to_string(work).expect("plain data");
    !matches!(work, MediaWork::Transcode(_)) || !text.contains("bufsize_kbps")
}

/// Frames and length of a stream.
type StreamShape = (Option<u64>, Option<String>);

/// What of outputs is the same each time: names, files, frames and lengths, and that they were proved.
fn shape(end: &JobEnd) -> Vec<(String, usize, Vec<StreamShape>)> {
    let JobEnd::Success(product) = end else {
        panic!("{end:?}");
    };
    let outputs = product.outputs.iter().map(|output| {
        let renditions = output.renditions.iter().map(|rendition| &rendition.facts);
        let streams = output.facts.iter().chain(renditions).flat_map(|facts| &facts.streams);
        let streams = streams.map(|stream| {
            let length = stream.duration_s.map(|length_s| format!("{length_s:.3}"));
            (stream.frame_count, length)
        });
        (output.name.clone(), output.files.len(), streams.collect())
    });
    outputs.collect()
}

fn named(works: &[(String, MediaWork)]) -> Vec<(&str, MediaWork)> {
    works.iter().map(|(id, work)| (id.as_str(), work.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_ladder_makes_of_an_object_what_it_makes_of_a_file() {
    let stage = Stage::new();
    stage.put("incoming/a clip+1.mp4", &bytes_of(clips::short()));
    assert_same(&stage, "incoming/a clip+1.mp4", &named(&works("web-ladder"))).await;
    let size = std::fs::metadata(clips::short()).expect("it was made").len();
    assert!(
        stage.sent_bytes() <= size + 65_536,
        "each byte once: {} of {size}",
        stage.sent_bytes()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_of_every_kind_are_read_alike() {
    let stage = Stage::new();
    let jobs = [
        ("rung", small_rung("")),
        ("sprite", sprite()),
        ("facts", MediaWork::Analysis),
    ];
    // None with texts: whether the pause after the last line gets a sample of its own depends on which lane ends first,
    // from a folder too.
    for name in [
        "ax_bbb_2500ms.ts",
        "ax_sample.avi",
        "ax_sample_fragmented.mp4",
        "ax_sowt-with-video.mov",
        "ax_bear-vp9-odd-dimensions.webm",
        "imageio_newtonscradle.gif",
    ] {
        let Some(path) = media(name) else { continue };
        stage.put(name, &bytes_of(path));
        assert_same(&stage, name, &jobs).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_beside_a_source_may_lie_in_either() {
    let stage = Stage::new();
    stage.put("main.mp4", &bytes_of(clips::short()));
    stage.put("slate.mp4", &bytes_of(clips::silent()));
    let mark = clips::made(
        "mark.png",
        &["-f", "lavfi", "-i", "color=red:size=32x32", "-frames:v", "1"],
    );
    stage.put("mark.png", &bytes_of(mark));
    let rung = |slate: &str, mark: &str| {
        let joined = format!("head = [\"{slate}:slate.mp4\"]");
        works(&format!(
            "name = \"joined\"\n[[activity]]\nid = \"rung\"\ntype = \"transcode\"\n{joined}\n[[activity.group]]\n\
             kind = \"file\"\ncontainer = \"mp4\"\n[[activity.group.output]]\nname = \"rung\"\n\
             video = {{ codec = \"h264\", height = 128, preset = \"ultrafast\", rate = \"crf\", crf = 30, \
             watermark = [{{ image = \"{mark}:mark.png\" }}] }}\n"
        ))
        .remove(0)
        .1
    };
    let mut ends = Vec::new();
    for (source, slate, mark) in [
        ("nas", "nas", "nas"),
        ("cloud", "cloud", "cloud"),
        ("nas", "cloud", "nas"),
        ("cloud", "nas", "cloud"),
    ] {
        let outcome = stage
            .run(&format!("{source}:main.mp4"), &[("job", rung(slate, mark))])
            .await;
        assert_eq!(outcome.code(), "", "{source} {slate} {mark}: {outcome:?}");
        let JobEnd::Success(product) = &outcome.jobs["job"] else {
            panic!("{source} {slate} {mark}: {outcome:?}");
        };
        ends.push(product.outputs[0].files[0].md5.clone());
    }
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");

    let outcome = stage
        .run(
            "cloud:main.mp4",
            &[("job", rung("cloud", "cloud").clone()), ("facts", MediaWork::Analysis)],
        )
        .await;
    assert_eq!(outcome.code(), "");
    std::fs::remove_file(stage.server.folder("media").join("mark.png")).expect("it was there");
    let outcome = stage
        .run(
            "cloud:main.mp4",
            &[("job", rung("cloud", "cloud")), ("facts", MediaWork::Analysis)],
        )
        .await;
    assert_eq!(outcome.code(), "", "only who names it fails");
    assert!(matches!(&outcome.jobs["facts"], JobEnd::Success(_)));
    assert!(
        matches!(&outcome.jobs["job"], JobEnd::Failed { fault } if fault.code == "SideFileMissing"),
        "{outcome:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_measured_like_a_file() {
    let stage = Stage::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n / 7) as u8).collect();
    stage.put("a/b.bin", &bytes);
    stage.put("empty.bin", b"");
    for (key, there) in [("a/b.bin", true), ("empty.bin", true), ("nothing.bin", false)] {
        let of = |storage: &str| ObjectUri::new(storage, key);
        let (near, far) = (of("nas"), of("cloud"));
        let near = stage.executor().measure(&near).await.expect("measured");
        let far = stage.executor().measure(&far).await.expect("measured");
        assert_eq!(near, far, "{key}");
        assert_eq!(far.is_some(), there, "{key}");
    }
}
