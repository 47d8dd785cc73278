//! What others make of a stream: it is put into MP4 by the product's muxer, and read by the ffmpeg of the host.

use crate::bench::HEIGHT;
use crate::bench::WIDTH;
use reelmill::media::av::Color;
use reelmill::media::av::Dict;
use reelmill::media::av::Packet;
use reelmill::media::av::Parameters;
use reelmill::media::av::PixelFormat;
use reelmill::media::av::mux::Muxer;
use reelmill::media::av::parameters::EncodedVideo;
use reelmill::media::cuda::nvenc::Coded;
use reelmill::media::cuda::nvenc::EncodeSetup;
use reelmill::media::facts::Ratio;
use std::path::Path;
use std::process::Command;

/// Units of a second: a picture of `STEP` lasts 1/25 s.
const UNIT: Ratio = Ratio { num: 1, den: 12_800 };

/// Writes a film.
pub fn mux(path: &Path, setup: &EncodeSetup, header: &[u8], coded: &[Coded]) {
    let parameters = Parameters::of_encoded_video(&EncodedVideo {
        codec: setup.codec.name(),
        width: WIDTH,
        height: HEIGHT,
        format: if setup.is_ten_bit {
            PixelFormat::YUV420P10
        } else {
            PixelFormat::YUV420P
        },
        color: Color::BT709,
        bit_rate: 0,
        video_delay: 0,
        header,
    })
    .expect("parameters");
    let mut muxer = Muxer::to_file("mp4", path).expect("a muxer");
    let stream = muxer.add_stream(&parameters, UNIT).expect("a stream");
    muxer.begin(Dict::new()).expect("begun");
    let unit = muxer.time_base(stream).expect("a unit");
    for one in coded {
        let mut packet = Packet::encoded(&one.bytes, one.pts, one.dts, one.duration, one.is_key).expect("a packet");
        packet.set_stream_index(stream);
        packet.rescale(UNIT, unit);
        muxer.write_interleaved(&mut packet).expect("written");
    }
    muxer.finish().expect("finished");
}

/// One value of each picture of a film as ffprobe decodes it.
pub fn of_frames(path: &Path, entry: &str) -> Vec<String> {
    let text = run(
        "ffprobe",
        &[
            "-v",
            "error",
            "-select_streams",
            "v",
            "-show_entries",
            &format!("frame={entry}"),
            "-of",
            "csv=p=0",
        ],
        path,
    );
    text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect()
}

/// Everything ffprobe says of its stream and first picture.
pub fn described(path: &Path) -> String {
    let entries = ["-show_streams", "-show_frames", "-read_intervals", "%+#1"];
    run("ffprobe", &[&["-v", "error"][..], &entries].concat(), path)
}

/// Average brightness of each picture.
pub fn brightness(path: &Path) -> Vec<f64> {
    let arguments = ["-v", "error", "-i"];
    let timing = ["-fps_mode", "passthrough", "-enc_time_base", "-1"];
    let filter = [
        "-vf",
        "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-",
        "-f",
        "null",
        "-",
    ];
    let output = Command::new("ffmpeg")
        .env_remove("LD_LIBRARY_PATH")
        .args(arguments)
        .arg(path)
        .args(timing)
        .args(filter)
        .output()
        .expect("ffmpeg");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.strip_prefix("lavfi.signalstats.YAVG=")?.parse().ok())
        .collect()
}

fn run(program: &str, arguments: &[&str], path: &Path) -> String {
    let output = Command::new(program)
        .env_remove("LD_LIBRARY_PATH")
        .args(arguments)
        .arg(path)
        .output()
        .expect("started");
    let refused = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && refused.is_empty(), "{program}: {refused}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
