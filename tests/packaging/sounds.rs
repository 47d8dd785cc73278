//! Sound of sets that is unlike the usual: a codec that ends with a packet of none, a copy that begins late.

use crate::decodes;
use crate::group;
use crate::made;
use crate::room::Room;
use std::process::Command;

#[test]
fn sound_of_any_codec_and_begin_is_as_long_as_it_is_said() {
    let room = Room::new();
    let source = room.path().join("late.mkv");
    let answer = Command::new("ffmpeg")
        .args("-nostdin -v error -y -f lavfi -i testsrc2=s=160x90:r=25:d=5 -itsoffset 3".split(' '))
        .args("-f lavfi -i sine=r=48000:d=2 -map 0 -map 1 -c:v libx264 -preset ultrafast".split(' '))
        .args("-pix_fmt yuv420p -g 25 -c:a aac".split(' '))
        .arg(&source)
        .status()
        .expect("ffmpeg is installed");
    assert!(answer.success());
    for codec in ["flac", "copy"] {
        let spec = group("kind = \"cmaf\"", &[90], &format!("audio = {{ codec = \"{codec}\" }}"));
        let (_, published) = made(&room, &source, &spec);
        decodes(&published.main(), &[]);
    }
}
