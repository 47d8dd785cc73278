//! Rooms and groups from names and texts as cameras and renderers write them.

use super::Contents;
use super::Group;
use super::GroupKind;
use super::Room;
use super::Seen;
use super::judge::Held;
use super::judge::Judgement;
use super::judge::Known;
use super::judge::judge;
use crate::base::clock::UtcMs;
use crate::workflow::arrival::Arrival;
use crate::workflow::arrival::PartsKind;
use std::collections::BTreeMap;

const ALL: [GroupKind; 5] = [
    GroupKind::Sequences,
    GroupKind::Gopro,
    GroupKind::P2,
    GroupKind::Xdcam,
    GroupKind::Avchd,
];

fn contents(keys: &[&str], texts: &[(&str, &[u8])]) -> Contents {
    let seen = Seen {
        size_bytes: 10,
        mtime_ns: 5,
    };
    let texts: BTreeMap<String, Vec<u8>> = texts
        .iter()
        .map(|(key, text)| ((*key).to_owned(), text.to_vec()))
        .collect();
    let files = keys.iter().map(|key| (*key).to_owned()).chain(texts.keys().cloned());
    Contents {
        files: files.map(|key| (key, seen)).collect(),
        texts,
    }
}

/// The groups of the room that the first key lies in, once it is sure that all keys lie there.
fn groups(contents: &Contents) -> Vec<Group> {
    let rooms: Vec<Option<Room>> = contents.files.keys().map(|key| Room::of(key, &ALL)).collect();
    let room = rooms.iter().flatten().next().expect("a room").clone();
    room.groups(contents)
}

fn pieces(group: &Group) -> Vec<&str> {
    group.pieces.iter().map(|piece| piece.key.as_str()).collect()
}

#[test]
fn numbered_pictures_of_one_name_are_one_film() {
    let found = groups(&contents(&["d/a_0009.dpx", "d/a_0010.dpx", "d/a_0012.dpx"], &[]));
    assert_eq!(found.len(), 1);
    assert_eq!(pieces(&found[0]), ["d/a_0009.dpx", "d/a_0010.dpx", "d/a_0012.dpx"]);
    assert_eq!(found[0].kind, PartsKind::Sequence);
    assert!(found[0].missing.is_empty());
    // Counting without zeros, and over the width of the zeros.
    let found = groups(&contents(&["a1.png", "a2.png", "a10.png"], &[]));
    assert_eq!(pieces(&found[0]), ["a1.png", "a2.png", "a10.png"]);
    let found = groups(&contents(&["a.099.exr", "a.100.exr", "a.999.exr", "a.1000.exr"], &[]));
    assert_eq!(pieces(&found[0]), ["a.099.exr", "a.100.exr", "a.999.exr", "a.1000.exr"]);
    assert!(
        found[0].missing[0].contains("898 numbers between 99 and 1000 are missing"),
        "{found:?}"
    );
    // Two widths are two films; one picture is none.
    let found = groups(&contents(&["b_01.png", "b_02.png", "b_001.png", "b_002.png"], &[]));
    assert_eq!(found.len(), 2);
    assert!(groups(&contents(&["b_01.png"], &[])).is_empty());
}

#[test]
fn what_is_no_picture_of_a_film_has_no_room() {
    for key in [
        "poster_v1.png",
        "clip0001.mp4",
        "a.png",
        "0001.txt",
        "x/caf%E90001.png",
        "20240101123456789.jpg",
    ] {
        assert_eq!(Room::of(key, &ALL), None, "{key}");
    }
    assert_eq!(Room::of("a_0001.png", &[GroupKind::Gopro]), None);
    assert!(Room::of("shots/dev2.png", &ALL).is_some());
}

#[test]
fn chapters_of_a_gopro_follow_each_other() {
    let found = groups(&contents(
        &[
            "DCIM/100GOPRO/GH010123.MP4",
            "DCIM/100GOPRO/GH020123.MP4",
            "DCIM/100GOPRO/GH030123.MP4",
            "DCIM/100GOPRO/GH010123.THM",
            "DCIM/100GOPRO/GL010123.LRV",
        ],
        &[],
    ));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].pieces.len(), 3);
    assert_eq!(found[0].main(), "DCIM/100GOPRO/GH010123.MP4");
    assert_eq!(
        found[0].attendants,
        ["DCIM/100GOPRO/GH010123.THM", "DCIM/100GOPRO/GL010123.LRV"]
    );
    // Older cameras count from the second file, and other recordings have other numbers.
    let found = groups(&contents(
        &["GOPR0007.MP4", "GP010007.MP4", "GP020007.MP4", "GOPR0008.MP4"],
        &[],
    ));
    assert_eq!(pieces(&found[0]), ["GOPR0007.MP4", "GP010007.MP4", "GP020007.MP4"]);
    let found = groups(&contents(&["GS010009.360", "GS020009.360"], &[]));
    assert_eq!(pieces(&found[0]), ["GS010009.360", "GS020009.360"]);
    // What is missing is named as the camera names it.
    let found = groups(&contents(&["GX020011.MP4", "GX040011.MP4"], &[]));
    assert_eq!(
        found[0].missing,
        ["GX010011.MP4 is not there", "GX030011.MP4 is not there"]
    );
    assert_eq!(
        groups(&contents(&["GP010012.MP4"], &[]))[0].missing,
        ["GOPR0012.MP4 is not there"]
    );
    for key in ["GHAA0123.MP4", "GH000123.MP4", "GH01012.MP4", "GHOST123.MP4"] {
        assert_eq!(Room::of(key, &[GroupKind::Gopro]), None, "{key}");
    }
}

#[test]
fn chapters_are_strictly_those_of_one_recording_of_one_folder() {
    // As many as a card holds, in the order of their numbers, whatever the order of their names.
    let names: Vec<String> = (1..=99)
        .rev()
        .map(|chapter| format!("GX{chapter:02}0042.MP4"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let found = groups(&contents(&names, &[]));
    let wanted: Vec<String> = (1..=99).map(|chapter| format!("GX{chapter:02}0042.MP4")).collect();
    assert_eq!(found.len(), 1);
    assert_eq!(pieces(&found[0]), wanted);
    assert!(found[0].missing.is_empty());
    // Two codecs under one number are two recordings, each whole by itself and with what is its own; small copies, which
    // could be of either, are of none.
    let found = groups(&contents(
        &[
            "GH010050.MP4",
            "GH020050.MP4",
            "GX010050.MP4",
            "GH010050.THM",
            "GX010050.THM",
            "GL010050.LRV",
        ],
        &[],
    ));
    assert_eq!(found.len(), 2);
    assert_eq!(pieces(&found[0]), ["GH010050.MP4", "GH020050.MP4"]);
    assert_eq!(pieces(&found[1]), ["GX010050.MP4"]);
    assert_eq!(found[0].attendants, ["GH010050.THM"]);
    assert_eq!(found[1].attendants, ["GX010050.THM"]);
    // The first chapter of an older camera has no number, the second is 01.
    let found = groups(&contents(&["GOPR0007.MP4", "GP020007.MP4"], &[]));
    assert_eq!(found[0].missing, ["GP010007.MP4 is not there"]);
    // Another folder is another card, and another number another recording.
    let room = |key: &str| Room::of(key, &[GroupKind::Gopro]);
    assert_eq!(room("a/GH010050.MP4"), room("a/GH020050.MP4"));
    assert_eq!(room("a/gh020050.mp4"), room("a/GH020050.MP4"));
    assert_ne!(room("a/GH010050.MP4"), room("b/GH020050.MP4"));
    assert_ne!(room("a/GH010050.MP4"), room("a/GH010051.MP4"));
    // Nearly such names are films by themselves.
    for key in [
        "GH010050.MOV",
        "GH0100500.MP4",
        "XH010050.MP4",
        "GH01OO50.MP4",
        "GH010050.MP4.part",
        "GP000007.MP4",
    ] {
        assert_eq!(room(key), None, "{key}");
    }
}

fn p2(id: &str, previous: Option<&str>, next: Option<&str>, audios: usize) -> Vec<u8> {
    let link = |name: &str, id: Option<&str>| match id {
        Some(id) => format!("<{name}><GlobalClipID>{id}</GlobalClipID><P2SerialNo.>AAF05C0123</P2SerialNo.></{name}>"),
        None => String::new(),
    };
    let relation = format!(
        "<Relation><OffsetInShot>0</OffsetInShot><GlobalShotID>S</GlobalShotID><Connection>{}{}{}</Connection></Relation>",
        link("Top", previous.or(next)),
        link("Previous", previous),
        link("Next", next)
    );
    let audio =
        "<Audio ValidAudioFlag=\"true\"><AudioFormat>MXF</AudioFormat><SamplingRate>48000</SamplingRate></Audio>";
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\" ?>\n\
        <P2Main xmlns=\"urn:schemas-Professional-Plug-in:P2:ClipMetadata:v3.1\">\n<ClipContent>\n\
        <ClipName>X</ClipName>\n<GlobalClipID>{id}</GlobalClipID>\n<Duration>50</Duration><EditUnit>1/25</EditUnit>{relation}\n\
        <EssenceList><Video ValidAudioFlag=\"false\"><VideoFormat>MXF</VideoFormat><FrameRate>25p</FrameRate></Video>{}</EssenceList>\n\
        <ClipMetadata><UserClipName>u</UserClipName></ClipMetadata></ClipContent></P2Main>",
        audio.repeat(audios)
    )
    .into_bytes()
}

#[test]
fn a_p2_clip_is_its_pictures_and_its_sound() {
    let text = p2("A", None, None, 2);
    let all = contents(
        &[
            "CONTENTS/VIDEO/0001AB.MXF",
            "CONTENTS/AUDIO/0001AB00.MXF",
            "CONTENTS/AUDIO/0001AB01.MXF",
            "CONTENTS/ICON/0001AB.BMP",
            "CONTENTS/PROXY/0001AB.MP4",
        ],
        &[("CONTENTS/CLIP/0001AB.XML", &text)],
    );
    let found = groups(&all);
    assert_eq!(found.len(), 1);
    assert_eq!(
        pieces(&found[0]),
        [
            "CONTENTS/VIDEO/0001AB.MXF",
            "CONTENTS/AUDIO/0001AB00.MXF",
            "CONTENTS/AUDIO/0001AB01.MXF"
        ]
    );
    assert_eq!(
        found[0].pieces.iter().map(|piece| piece.sound_of).collect::<Vec<_>>(),
        [None, Some(0), Some(0)]
    );
    assert_eq!(found[0].attendants.len(), 3);
    assert!(found[0].missing.is_empty());
    // Without its XML nobody knows how much of it there is.
    let found = groups(&contents(&["CONTENTS/VIDEO/0001AB.MXF"], &[]));
    assert_eq!(found[0].missing, ["CONTENTS/CLIP/0001AB.XML is not there"]);
    let found = groups(&contents(
        &["CONTENTS/VIDEO/0001AB.MXF"],
        &[("CONTENTS/CLIP/0001AB.XML", b"<P2Main><Cl")],
    ));
    assert!(
        found[0].missing[0].contains("damaged") || found[0].missing[0].contains("in the middle"),
        "{found:?}"
    );
    // The sound of another clip is not taken, and what the XML counts is expected under its name.
    let found = groups(&contents(
        &["CONTENTS/VIDEO/0001AB.MXF"],
        &[("CONTENTS/CLIP/0001AB.XML", &text)],
    ));
    assert_eq!(found[0].pieces[2].key, "CONTENTS/AUDIO/0001AB01.MXF");
}

#[test]
fn a_p2_recording_goes_on_from_card_to_card() {
    let (one, two) = (p2("A", None, Some("B"), 1), p2("B", Some("A"), None, 1));
    let texts: [(&str, &[u8]); 2] = [
        ("d/C1/CONTENTS/CLIP/0001AB.XML", &one),
        ("d/C2/CONTENTS/CLIP/0001CD.XML", &two),
    ];
    let keys = [
        "d/C1/CONTENTS/VIDEO/0001AB.MXF",
        "d/C1/CONTENTS/AUDIO/0001AB00.MXF",
        "d/C2/CONTENTS/VIDEO/0001CD.MXF",
        "d/C2/CONTENTS/AUDIO/0001CD00.MXF",
    ];
    let found = groups(&contents(&keys, &texts));
    assert_eq!(found.len(), 1);
    assert_eq!(pieces(&found[0]), keys);
    assert_eq!(
        found[0].pieces.iter().map(|piece| piece.sound_of).collect::<Vec<_>>(),
        [None, Some(0), None, Some(2)]
    );
    assert!(found[0].missing.is_empty());
    let found = groups(&contents(&keys[..2], &texts[..1]));
    assert!(
        found[0].missing[0].contains("goes on from d/C1/CONTENTS/CLIP/0001AB is not there"),
        "{found:?}"
    );
    let found = groups(&contents(&keys[2..], &texts[1..]));
    assert!(
        found[0].missing[0].contains("0001CD goes on from is not there"),
        "{found:?}"
    );
    // A circle ends.
    let (one, two) = (p2("A", Some("B"), Some("B"), 0), p2("B", Some("A"), Some("A"), 0));
    let texts: [(&str, &[u8]); 2] = [("CONTENTS/CLIP/1.XML", &one), ("CONTENTS/CLIP/2.XML", &two)];
    assert_eq!(
        groups(&contents(&["CONTENTS/VIDEO/1.MXF", "CONTENTS/VIDEO/2.MXF"], &texts)).len(),
        1
    );
}

const MEDIAPRO: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<MediaProfile xmlns="http://xmlns.sony.net/pro/metadata/mediaprofile" version="2.10"><Properties/><Contents>
<Material uri="./CLPR/814_0001_01/814_0001_01.MP4" type="MP4" dur="250" umid="060A2B340101010501010D4313000000A1"/>
<Material uri="./CLPR/814_0001_02/814_0001_02.MP4" type="MP4" dur="250" umid="060A2B340101010501010D4313000000A2"/>
<Material uri="./CLPR/814_0002_01/814_0002_01.MP4" type="MP4" dur="50" umid="060A2B340101010501010D4313000000B1"/>
<Material uri="./TAKR/814_0001/814_0001.SMI" type="SMI" dur="490" umid="060A2B340101010501010D4313000000C1"/>
</Contents></MediaProfile>"#;

const TAKE: &[u8] = br#"<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<smil xmlns="urn:schemas-professionalDisc:edl:takeList"><head><metadata type="Meta"/></head><body><par systemComponent="MP4">
<ref src="urn:smpte:umid:060A2B340101010501010D4313000000A1" type="MP4" clipBegin="smpte-25=00:00:00:00" clipEnd="smpte-25=00:00:10:00"/>
<ref src="urn:smpte:umid:060A2B340101010501010D4313000000A2" type="MP4" begin="smpte-25=00:00:10:00" clipBegin="smpte-25=00:00:00:10" clipEnd="smpte-25=00:00:10:00"/>
</par></body></smil>"#;

const EX: [&str; 7] = [
    "BPAV/CUEUP.XML",
    "BPAV/CLPR/814_0001_01/814_0001_01.MP4",
    "BPAV/CLPR/814_0001_01/814_0001_01M01.XML",
    "BPAV/CLPR/814_0001_02/814_0001_02.MP4",
    "BPAV/CLPR/814_0001_02/814_0001_02R01.BIM",
    "BPAV/CLPR/814_0002_01/814_0002_01.MP4",
    "BPAV/TAKR/814_0001/814_0001M01.XML",
];

#[test]
fn takes_of_an_xdcam_card_say_what_of_their_clips_follows_what() {
    let texts: [(&str, &[u8]); 2] = [
        ("BPAV/MEDIAPRO.XML", MEDIAPRO),
        ("BPAV/TAKR/814_0001/814_0001.SMI", TAKE),
    ];
    let found = groups(&contents(&EX, &texts));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(pieces(&found[0]), [EX[1], EX[3]]);
    let frames: Vec<_> = found[0].pieces.iter().map(|piece| piece.frames).collect();
    assert_eq!(frames, [Some((0, 250)), Some((10, 250))]);
    assert!(found[0].attendants.contains(&EX[2].to_owned()) && found[0].attendants.contains(&EX[6].to_owned()));
    assert_eq!(pieces(&found[1]), [EX[5]]);
    assert!(found.iter().all(|group| group.missing.is_empty()));
    // The take is named by the index and is not there yet: its clips wait, the others do not.
    let found = groups(&contents(&EX[..6], &texts[..1]));
    let waits: Vec<bool> = found.iter().map(|group| !group.missing.is_empty()).collect();
    assert_eq!(waits, [true, true, false], "{found:?}");
    // Nor is anything known before the index is there.
    assert!(
        groups(&contents(&EX[..6], &[]))
            .iter()
            .all(|group| group.missing == ["BPAV/MEDIAPRO.XML is not there"])
    );
    // A take without UMIDs that are known: the camera numbers its clips.
    let found = groups(&contents(
        &EX[1..],
        &[("BPAV/MEDIAPRO.XML", b"<MediaProfile/>"), texts[1]],
    ));
    assert_eq!(pieces(&found[0]), [EX[1], EX[3]]);
}

#[test]
fn clips_of_other_xdcam_cards_have_their_proxies_beside_them() {
    let found = groups(&contents(
        &[
            "XDROOT/Clip/C0001.MXF",
            "XDROOT/Clip/C0001M01.XML",
            "XDROOT/Sub/C0001S01.MXF",
            "XDROOT/Clip/C0002M01.XML",
        ],
        &[("XDROOT/MEDIAPRO.XML", b"<MediaProfile><Contents/></MediaProfile>")],
    ));
    assert_eq!(pieces(&found[0]), ["XDROOT/Clip/C0001.MXF"]);
    assert_eq!(
        found[0].attendants,
        ["XDROOT/Clip/C0001M01.XML", "XDROOT/Sub/C0001S01.MXF"]
    );
    assert_eq!(pieces(&found[1]), ["XDROOT/Clip/C0002.MXF"]);
    let found = groups(&contents(
        &[
            "PRIVATE/M4ROOT/CLIP/C0001.MP4",
            "PRIVATE/M4ROOT/CLIP/C0001M01.XML",
            "PRIVATE/M4ROOT/THMBNL/C0001T01.JPG",
        ],
        &[],
    ));
    assert_eq!(found.len(), 1);
    assert!(found[0].missing.is_empty() && found[0].attendants.len() == 2);
}

/// A playlist of items, each with its connection.
pub(super) fn playlist(items: &[(&str, u8)]) -> Vec<u8> {
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
fn only_what_a_playlist_joins_without_a_seam_is_one_recording_of_avchd() {
    let list = playlist(&[("00000", 1), ("00001", 6), ("00002", 1), ("00003", 5)]);
    let keys: Vec<String> = (0..5)
        .map(|number| format!("PRIVATE/AVCHD/BDMV/STREAM/0000{number}.MTS"))
        .collect();
    let mut all: Vec<&str> = keys.iter().map(String::as_str).collect();
    all.extend(["PRIVATE/AVCHD/BDMV/CLIPINF/00000.CPI", "PRIVATE/AVCHD/BDMV/INDEX.BDM"]);
    let texts: [(&str, &[u8]); 1] = [("PRIVATE/AVCHD/BDMV/PLAYLIST/00000.MPL", &list)];
    let found = groups(&contents(&all, &texts));
    let names: Vec<Vec<&str>> = found.iter().map(pieces).collect();
    assert_eq!(names, [vec![all[0], all[1]], vec![all[2]], vec![all[3]], vec![all[4]]]);
    assert_eq!(found[0].kind, PartsKind::Cut);
    assert_eq!(found[0].attendants, ["PRIVATE/AVCHD/BDMV/CLIPINF/00000.CPI"]);
    // A seamless item after a file of the largest size was cut by the camera.
    let mut large = contents(&all, &texts);
    large.files.insert(
        keys[2].clone(),
        Seen {
            size_bytes: (4 << 30) - 1024,
            mtime_ns: 1,
        },
    );
    assert_eq!(
        groups(&large)
            .iter()
            .map(|group| group.pieces.len())
            .collect::<Vec<_>>(),
        [2, 2, 1]
    );
    let whole = |group: &Group| group.missing.is_empty();
    assert!(groups(&large).iter().all(whole));
    large.files.remove(texts[0].0);
    large.texts.clear();
    assert!(
        !groups(&large).iter().any(whole),
        "a cut file, and nothing says where it goes on"
    );
    for damaged in [&b""[..], b"MPLS", &list[..60], &[0; 100]] {
        let texts: [(&str, &[u8]); 1] = [(texts[0].0, damaged)];
        assert!(!groups(&contents(&all, &texts)).iter().any(whole));
    }
}

fn decide(contents: &Contents, held: &[(&str, u64)], known: &[&str]) -> Judgement {
    let held: BTreeMap<String, Held> = held
        .iter()
        .map(|(key, settled_ms)| {
            let arrival = Arrival {
                key: (*key).to_owned(),
                size_bytes: 10,
                mtime_ns: 5,
                etag: String::new(),
                seen_at: UtcMs(7),
            };
            let settled_ms = *settled_ms;
            (
                (*key).to_owned(),
                Held {
                    settled: arrival.into(),
                    settled_ms,
                },
            )
        })
        .collect();
    let room = contents
        .files
        .keys()
        .find_map(|key| Room::of(key, &ALL))
        .expect("a room");
    let is_known = |key: &str, _: Seen| known.contains(&key);
    judge(
        &room,
        contents,
        &Known {
            held: &held,
            is_known: &is_known,
            is_old: false,
            quiet_since_ms: 100,
            fps: 24.0,
        },
    )
}

#[test]
fn a_media_is_given_out_whole_once_and_again_when_it_grew() {
    let all = contents(&["a_1.png", "a_2.png", "a_3.png"], &[]);
    let judgement = decide(&all, &[("a_1.png", 50), ("a_2.png", 60)], &[]);
    assert!(judgement.whole.is_empty() && judgement.alone.is_empty());
    assert_eq!(judgement.waiting[0].0, ["a_1.png", "a_2.png"]);
    assert!(
        judgement.waiting[0].1.contains("a_3.png is still changing"),
        "{judgement:?}"
    );
    let judgement = decide(&all, &[("a_1.png", 50), ("a_2.png", 60), ("a_3.png", 110)], &[]);
    assert!(judgement.whole.is_empty() && judgement.is_early);
    let judgement = decide(&all, &[("a_1.png", 50), ("a_2.png", 60), ("a_3.png", 70)], &[]);
    let whole = &judgement.whole[0];
    assert_eq!(
        (
            whole.arrival.key.as_str(),
            whole.arrival.size_bytes,
            whole.arrival.mtime_ns
        ),
        ("a_1.png", 30, 5)
    );
    assert_eq!(
        (whole.parts.members.len(), whole.parts.fps, whole.is_new),
        (3, Some(24.0), true)
    );
    // Nothing new: nothing is given out. A later one: all of it.
    assert_eq!(
        decide(&all, &[], &["a_1.png", "a_2.png", "a_3.png"]),
        Judgement::default()
    );
    let judgement = decide(&all, &[("a_3.png", 70)], &["a_1.png", "a_2.png"]);
    assert_eq!(judgement.whole[0].arrival.size_bytes, 30);
    // One is taken away before the others settled; a single one stands for itself.
    let rest = contents(&["a_1.png"], &[]);
    let judgement = decide(&rest, &[("a_1.png", 50), ("a_2.png", 60)], &[]);
    assert_eq!(
        (judgement.alone.len(), judgement.gone.as_slice()),
        (1, &["a_2.png".to_owned()][..])
    );
}

#[test]
fn what_describes_a_card_is_no_media() {
    let texts: [(&str, &[u8]); 2] = [
        ("BPAV/MEDIAPRO.XML", MEDIAPRO),
        ("BPAV/TAKR/814_0001/814_0001.SMI", TAKE),
    ];
    let all = contents(&EX, &texts);
    let held: Vec<(&str, u64)> = all.files.keys().map(|key| (key.as_str(), 1)).collect();
    let judgement = decide(&all, &held, &[]);
    assert_eq!(
        (judgement.whole.len(), judgement.aside.len(), judgement.alone.len()),
        (2, 2, 0)
    );
    assert!(judgement.aside[0].1.contains("XDCAM"), "{judgement:?}");
}
