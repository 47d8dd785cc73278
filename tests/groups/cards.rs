//! Cards of AVCHD, P2 and XDCAM cameras, built of real encodes in the folders that cameras write.

use crate::explained;
use crate::ffmpeg;
use crate::files;
use crate::house;
use crate::look;
use crate::made;
use crate::put;
use std::path::Path;

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    std::fs::write(path, bytes).expect("it is written");
}

/// Puts all of a folder into the storage, file by file.
fn insert(appliance: &crate::Appliance, card: &Path) {
    for file in crate::appliance::files_beneath(card) {
        put(appliance, &card.join(&file), &format!("in/{file}"));
    }
}

/// A playlist (MPLS): items with how each goes on from the one before.
fn playlist(items: &[(&str, u8)]) -> Vec<u8> {
    let mut bytes = b"MPLS0100".to_vec();
    bytes.extend(40_u32.to_be_bytes());
    bytes.resize(40, 0);
    bytes.extend([0; 6]);
    bytes.extend((items.len() as u16).to_be_bytes());
    bytes.extend([0; 2]);
    for (clip, connection) in items {
        bytes.extend(20_u16.to_be_bytes());
        bytes.extend(clip.as_bytes());
        bytes.extend(b"M2TS");
        bytes.extend([0, *connection, 0]);
        bytes.extend([0; 8]);
    }
    bytes
}

#[test]
fn an_avchd_recording_that_was_cut_in_the_middle_of_a_picture_is_whole() {
    let appliance = house("keep");
    let card = tempfile::tempdir().expect("a folder");
    let root = card.path();
    ffmpeg(
        root,
        "-f lavfi -i testsrc2=s=256x144:r=25:d=6 -f lavfi -i sine=r=48000:d=6 -c:v libx264 -preset ultrafast \
         -pix_fmt yuv420p -g 25 -bf 0 -c:a ac3 -f mpegts whole.mts",
    );
    let bytes = std::fs::read(root.join("whole.mts")).expect("read");
    std::fs::remove_file(root.join("whole.mts")).expect("removed");
    // Cut between two packets of the stream, wherever that is in the pictures.
    let (first, second) = bytes.split_at(bytes.len() / 188 / 2 * 188);
    write(root, "BDMV/STREAM/00000.MTS", first);
    write(root, "BDMV/STREAM/00001.MTS", second);
    write(root, "BDMV/CLIPINF/00000.CPI", "HDMV0100");
    write(root, "BDMV/INDEX.BDM", "INDX0100");
    write(root, "BDMV/PLAYLIST/00000.MPL", playlist(&[("00000", 1), ("00001", 6)]));
    insert(&appliance, root);
    let tasks = appliance.ended_tasks(1);
    let seen = look(&made(&appliance, &tasks[0]));
    seen.is_even(150, 25.0);
    assert!((seen.sounds[0] - 6.0).abs() < 0.1, "{:?}", seen.sounds);
    assert_eq!(tasks[0]["parts"]["kind"], "cut");
    let index = appliance.until("the index is set aside", || {
        let said = explained(&appliance, "in/BDMV/INDEX.BDM");
        said.contains("is no recording").then_some(said)
    });
    assert!(index.contains("not_taken"), "{index}");
    assert_eq!(appliance.tasks().len(), 1);
}

fn p2_text(id: &str, previous: Option<&str>, next: Option<&str>) -> String {
    let link = |name: &str, id: Option<&str>| {
        id.map_or(String::new(), |id| {
            format!("<{name}><GlobalClipID>{id}</GlobalClipID></{name}>")
        })
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><P2Main xmlns=\"urn:schemas-Professional-Plug-in:P2:ClipMetadata:v3.1\">\
         <ClipContent><GlobalClipID>{id}</GlobalClipID><Relation><Connection>{}{}{}</Connection></Relation><EssenceList>\
         <Video><VideoFormat>MXF</VideoFormat></Video><Audio><AudioFormat>MXF</AudioFormat></Audio>\
         <Audio><AudioFormat>MXF</AudioFormat></Audio></EssenceList></ClipContent></P2Main>",
        link("Top", Some("A")),
        link("Previous", previous),
        link("Next", next)
    )
}

#[test]
fn a_p2_recording_has_its_sound_and_goes_on_in_the_next_clip() {
    let appliance = house("keep");
    let card = tempfile::tempdir().expect("a folder");
    let root = card.path();
    for folder in ["VIDEO", "AUDIO"] {
        std::fs::create_dir_all(root.join("CARD/CONTENTS").join(folder)).expect("made");
    }
    for (clip, tone) in [("0001AB", 440), ("0002CD", 880)] {
        ffmpeg(
            root,
            &format!(
                "-f lavfi -i testsrc2=s=256x144:r=25:d=2 -c:v dnxhd -profile:v dnxhr_lb -pix_fmt yuv422p \
                 -timecode 10:00:00:00 -f mxf_opatom CARD/CONTENTS/VIDEO/{clip}.MXF"
            ),
        );
        for channel in 0..2 {
            ffmpeg(
                root,
                &format!(
                    "-f lavfi -i sine=f={tone}:r=48000:d=2 -ac 1 -c:a pcm_s16le -f mxf_opatom \
                     CARD/CONTENTS/AUDIO/{clip}0{channel}.MXF"
                ),
            );
        }
    }
    write(root, "CARD/CONTENTS/CLIP/0001AB.XML", p2_text("A", None, Some("B")));
    write(root, "CARD/CONTENTS/CLIP/0002CD.XML", p2_text("B", Some("A"), None));
    write(root, "CARD/CONTENTS/ICON/0001AB.BMP", "an icon");
    // All but one channel of the second clip: it is waited for.
    let late = root.join("CARD/CONTENTS/AUDIO/0002CD01.MXF");
    let kept = tempfile::tempdir().expect("a folder");
    std::fs::rename(&late, kept.path().join("late.mxf"))
        .or_else(|_| std::fs::copy(&late, kept.path().join("late.mxf")).and_then(|_| std::fs::remove_file(&late)))
        .expect("taken away");
    insert(&appliance, root);
    appliance.until("it is waited for the last channel", || {
        let said = explained(&appliance, "in/CARD/CONTENTS/VIDEO/0001AB.MXF");
        said.contains("0002CD01.MXF is not there").then_some(())
    });
    assert!(appliance.tasks().is_empty());
    put(
        &appliance,
        &kept.path().join("late.mxf"),
        "in/CARD/CONTENTS/AUDIO/0002CD01.MXF",
    );
    let tasks = appliance.ended_tasks(1);
    let seen = look(&made(&appliance, &tasks[0]));
    seen.is_even(100, 25.0);
    assert_eq!(seen.sounds.len(), 2, "{:?}", seen.sounds);
    assert!(
        seen.sounds.iter().all(|length_s| (length_s - 4.0).abs() < 0.1),
        "{:?}",
        seen.sounds
    );
    let roles: Vec<String> = files(&tasks[0]).into_iter().map(|(_, role)| role).collect();
    assert_eq!(roles[..6], ["film", "sound", "sound", "film", "sound", "sound"]);
    let media = tasks[0]["media"]["id"].as_str().expect("an id");
    let facts = &appliance.get(&format!("/api/v1/media/{media}"))["facts"];
    assert_eq!(facts["timecode"]["start"], "10:00:00:00", "{facts:#}");
}

#[test]
fn an_xdcam_take_is_cut_where_its_clips_overlap() {
    let appliance = house("keep");
    let card = tempfile::tempdir().expect("a folder");
    let root = card.path();
    // The second file begins ten frames before the end of the first.
    for (clip, from, length) in [
        ("814_0001_01", "0", "3"),
        ("814_0001_02", "2.6", "3.4"),
        ("814_0002_01", "0", "1"),
    ] {
        std::fs::create_dir_all(root.join("BPAV/CLPR").join(clip)).expect("made");
        ffmpeg(
            root,
            &format!(
                "-f lavfi -i testsrc2=s=256x144:r=25:d=6 -f lavfi -i sine=r=48000:d=6 -ss {from} -t {length} -c:v mpeg2video \
                 -g 12 -bf 0 -q:v 5 -c:a pcm_s16le -f mov BPAV/CLPR/{clip}/{clip}.MP4"
            ),
        );
        write(root, &format!("BPAV/CLPR/{clip}/{clip}M01.XML"), "<NonRealTimeMeta/>");
    }
    write(
        root,
        "BPAV/MEDIAPRO.XML",
        "<MediaProfile><Contents><Material uri=\"./CLPR/814_0001_01/814_0001_01.MP4\" umid=\"A1\"/>\
         <Material uri=\"./CLPR/814_0001_02/814_0001_02.MP4\" umid=\"A2\"/>\
         <Material uri=\"./TAKR/814_0001/814_0001.SMI\" umid=\"C1\"/></Contents></MediaProfile>",
    );
    write(
        root,
        "BPAV/TAKR/814_0001/814_0001.SMI",
        "<smil><body><par><ref src=\"urn:smpte:umid:A1\" clipBegin=\"smpte-25=00:00:00:00\" clipEnd=\"smpte-25=00:00:03:00\"/>\
         <ref src=\"urn:smpte:umid:A2\" clipBegin=\"smpte-25=00:00:00:10\" clipEnd=\"smpte-25=00:00:03:10\"/></par></body></smil>",
    );
    insert(&appliance, root);
    let tasks = appliance.ended_tasks(2);
    let of = |clip: &str| {
        let task = tasks
            .iter()
            .find(|task| task["media"]["object"].as_str().is_some_and(|key| key.contains(clip)));
        task.unwrap_or_else(|| panic!("a task of {clip}: {tasks:#?}"))
    };
    let seen = look(&made(&appliance, of("814_0001_01")));
    seen.is_even(150, 25.0);
    assert!((seen.sounds[0] - 6.0).abs() < 0.1, "{:?}", seen.sounds);
    look(&made(&appliance, of("814_0002_01"))).is_even(25, 25.0);
    let said = explained(&appliance, "in/BPAV/CLPR/814_0001_02/814_0001_02.MP4");
    assert!(
        said.contains("part of in/BPAV/CLPR/814_0001_01/814_0001_01.MP4"),
        "{said}"
    );
}
