//! Channels that are neither stereo nor 5.1 stay where they are, in every codec that has a place for them.

use crate::channel;
use crate::file;
use crate::group;
use crate::reader::make;
use crate::reader::samples;
use crate::reader::tone;
use crate::room::Room;
use crate::room::transcode;

/// A tone of its own for each channel, loud enough to be found and quiet enough never to be turned down.
fn expressions(channels: usize) -> String {
    let one = |number: usize| format!("0.2*sin({}*2*PI*t)", hz(number));
    (0..channels).map(one).collect::<Vec<_>>().join("|")
}

fn hz(channel: usize) -> usize {
    400 + 150 * channel
}

#[test]
fn channels_stay_where_they_are() {
    let room = Room::new();
    for (layout, channels) in [("3.0", 3), ("quad", 4)] {
        let source = format!("aevalsrc={}:c={layout}:s=48000:d=1", expressions(channels));
        let source = make(room.path(), &format!("{layout}.wav"), &[&source], "-c:a pcm_s16le");
        let kinds = [
            ("m4a", "aac"),
            ("ogg", "opus"),
            ("flac", "flac"),
            ("wav", "pcm"),
            ("mkv", "ac3"),
        ];
        let spec: String = kinds
            .iter()
            .map(|(container, codec)| {
                let audio = format!("audio = {{ codec = \"{codec}\", channels = \"source\", bitrate_kbps = 320 }}");
                group(codec, container, &audio)
            })
            .collect();
        let product = room.success(&source, &transcode(&spec));
        for (_, codec) in kinds {
            let heard = samples(&file(&room, &product, codec), 0);
            // AC-3 has its own order of three; the reader gives libav's, in which the centre is third.
            for number in 0..channels {
                let one = channel(&heard, number, channels);
                for other in 0..channels {
                    let found = tone(&one, (0, 1), 48_000.0, hz(other) as f64);
                    let is_there = found > 0.1;
                    assert_eq!(
                        is_there,
                        other == number,
                        "{layout} {codec}: {} Hz in {number}: {found}",
                        hz(other)
                    );
                }
            }
        }
    }
}

#[test]
fn layouts_that_a_codec_lacks_are_brought_to_one_that_it_has() {
    let room = Room::new();
    for (layout, channels) in [("2.1", 3), ("3.1", 4), ("4.0", 4), ("5.0(side)", 5), ("6.1(back)", 7)] {
        let source = format!("aevalsrc={}:c={layout}:s=48000:d=0.5", expressions(channels));
        let source = make(room.path(), &format!("{layout}.wav"), &[&source], "-c:a pcm_s16le");
        let spec = group("opus", "ogg", "audio = { codec = \"opus\", channels = \"source\" }")
            + &group("aac", "m4a", "audio = { codec = \"aac\", channels = \"source\" }");
        room.success(&source, &transcode(&spec));
    }
}

#[test]
fn sound_of_telephones_becomes_opus() {
    let room = Room::new();
    let source = make(room.path(), "phone.wav", &["sine=f=440:r=8000:d=1"], "-c:a pcm_s16le");
    let kinds = ["ogg", "mkv", "webm"];
    let spec: String = kinds
        .map(|kind| group(kind, kind, "audio = { codec = \"opus\" }"))
        .concat();
    let product = room.success(&source, &transcode(&spec));
    for kind in kinds {
        let heard = samples(&file(&room, &product, kind), 0);
        assert!(tone(&heard, (0, 1), 48_000.0, 440.0) > 0.05, "{kind}");
    }
}
