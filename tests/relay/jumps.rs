//! How many bytes go over a relay: counted between a real worker and the end of the executor.

use crate::appliance::REELMILL;
use crate::appliance::clips;
use crate::stage::small_rung;
use crate::stage::sprite;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use reelmill::base::fault::Fault;
use reelmill::base::ids::AttemptId;
use reelmill::base::ids::JobId;
use reelmill::executor::relay::Members;
use reelmill::executor::relay::Relay;
use reelmill::media::limits::Limits;
use reelmill::media::product::JobEnd;
use reelmill::media::spec::Backend;
use reelmill::media::spec::MediaWork;
use reelmill::worker::protocol;
use reelmill::worker::protocol::JobOrder;
use reelmill::worker::protocol::Message;
use reelmill::worker::protocol::Order;
use reelmill::worker::protocol::SandboxMode;
use reelmill::worker::protocol::SourceOrder;
use reelmill::worker::supervisor;
use reelmill::worker::supervisor::Inherited;
use reelmill::worker::supervisor::RelayEnd;
use reelmill::worker::supervisor::SupervisorOptions;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;

/// A file as an endpoint, and the ranges that were asked of it.
struct Endpoint {
    file: File,
    size_bytes: u64,
    asked: Mutex<Vec<Range<u64>>>,
}

impl Members for Endpoint {
    fn name(&self, _: u32) -> String {
        "cloud:film.mp4".to_owned()
    }
    fn size_bytes(&self, member: u32) -> Option<u64> {
        (member == 0).then_some(self.size_bytes)
    }
    fn stream(&self, _: u32, range: Range<u64>) -> BoxStream<'static, Result<Bytes, Fault>> {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        self.file.read_exact_at(&mut bytes, range.start).expect("it has them");
        self.asked.lock().expect("lock").push(range);
        let pieces: Vec<_> = bytes
            .chunks(100_000)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        futures_util::stream::iter(pieces).boxed()
    }
    fn recheck(&self) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What one job over a relayed file cost.
struct Cost {
    size_bytes: u64,
    sent_bytes: u64,
    asked: Vec<Range<u64>>,
    /// What the worker says it has read.
    told_bytes: u64,
}

/// Carries one job out, which must succeed.
async fn cost_of(path: &Path, work: MediaWork) -> Cost {
    let room = tempfile::tempdir().expect("a folder");
    let file = File::open(path).expect("the clip");
    let size_bytes = file.metadata().expect("its size").len();
    let endpoint = Arc::new(Endpoint {
        file,
        size_bytes,
        asked: Mutex::default(),
    });
    let members = Arc::clone(&endpoint) as Arc<dyn Members>;
    let (relay, socket) = Relay::new(members, Duration::from_secs(600)).expect("a pair");
    let (pulse, sent_bytes) = (relay.pulse(), relay.sent_bytes());
    let order = Order {
        version: protocol::VERSION,
        attempt: AttemptId::fresh(),
        jobs: vec![JobOrder {
            job: JobId::from("job"),
            work,
        }],
        source: SourceOrder {
            descriptor: supervisor::SOURCE_DESCRIPTOR,
            name: "film.mp4".to_owned(),
            size_bytes,
            mtime_ns: 0,
            family: None,
            pictures: Vec::new(),
            relay: Some(0),
            relayed: Vec::new(),
        },
        side: Vec::new(),
        members: Vec::new(),
        assembly: None,
        relay: Some(supervisor::relay_descriptor(0)),
        scratch: room.path().to_owned(),
        threads: 2,
        backend: Backend::Software,
        device: None,
        limits: Limits::default(),
        sandbox: SandboxMode::Auto,
    };
    let options = SupervisorOptions {
        program: REELMILL.into(),
        ..SupervisorOptions::default()
    };
    let files = Inherited {
        relay: Some(RelayEnd { socket, pulse }),
        ..Inherited::default()
    };
    let serving = tokio::spawn(relay.serve());
    let (sender, mut receiver) = mpsc::channel(64);
    let listening = async {
        let mut ends = Vec::new();
        while let Some(message) = receiver.recv().await {
            if let Message::JobEnded { end, .. } = message {
                ends.push(*end);
            }
        }
        ends
    };
    let running = supervisor::run(&options, &order, files, sender, CancellationToken::new());
    let (ended, ends) = tokio::join!(running, listening);
    serving.await.expect("the relay ends with its worker");
    assert_eq!(ended.fault, None);
    assert!(matches!(ends[..], [JobEnd::Success(_)]), "{ends:?}");
    let asked = endpoint.asked.lock().expect("lock").clone();
    Cost {
        size_bytes,
        sent_bytes: sent_bytes.load(Ordering::Relaxed),
        asked,
        told_bytes: ended.cost.expect("it says what it cost").read_bytes,
    }
}

/// A film of 8 Mbit/s with key frames every 2 s, so many times 10 s long; its index stands at its end.
fn film(tens: u32) -> PathBuf {
    // Clips are kept by the number of the process that makes them: one at a time in this one.
    static MAKING: Mutex<()> = Mutex::new(());
    let _making = MAKING.lock().expect("lock");
    let ten = clips::made(
        "noisy-10s.mp4",
        &[
            &[
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=640x360:rate=25:duration=10,noise=alls=60:allf=t",
            ][..],
            &["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=10"],
            &[
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
                "-b:v",
                "8M",
                "-g",
                "50",
            ],
            &["-c:a", "aac", "-b:a", "96k"],
        ]
        .concat(),
    );
    let (ten, times) = (ten.display().to_string(), (tens - 1).to_string());
    let arguments = ["-stream_loop", &times, "-i", &ten, "-c", "copy"];
    clips::made(&format!("noisy-{tens}0s.mp4"), &arguments)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sprite_reads_a_small_part_of_a_film() {
    let cost = cost_of(&film(30), sprite()).await;
    let percent = cost.sent_bytes as f64 * 100.0 / cost.size_bytes as f64;
    println!(
        "sprite: {} of {} bytes, {percent:.2} %, in {} ranges",
        cost.sent_bytes,
        cost.size_bytes,
        cost.asked.len()
    );
    assert!(
        cost.size_bytes > 250_000_000,
        "the clip is what it should be: {}",
        cost.size_bytes
    );
    assert!(percent < 5.0, "{percent} %");
    assert!(
        cost.asked.len() < 30 * 4 + 60,
        "a few round trips a picture: {}",
        cost.asked.len()
    );
    assert_eq!(cost.told_bytes, cost.sent_bytes, "the worker tells what came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcode_reads_each_byte_about_once_in_large_ranges() {
    let cost = cost_of(&film(3), small_rung("")).await;
    let mut asked = cost.asked.clone();
    asked.sort_by_key(|range| range.start);
    for pair in asked.windows(2) {
        assert!(pair[0].end <= pair[1].start, "nothing is asked for twice: {pair:?}");
    }
    assert!(cost.sent_bytes <= cost.size_bytes);
    assert!(
        cost.asked.len() < 120,
        "{} ranges for {} bytes",
        cost.asked.len(),
        cost.size_bytes
    );
    let largest = cost.asked.iter().map(|range| range.end - range.start).max();
    assert!(largest.is_some_and(|bytes| bytes >= 1 << 20), "{largest:?}");
}

/// `REELMILL_FILM=FILE cargo test --test relay a_film_of -- --ignored --nocapture`
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures a film of the caller's"]
async fn a_film_of_the_caller() {
    let path = PathBuf::from(std::env::var_os("REELMILL_FILM").expect("REELMILL_FILM names it"));
    let begun = std::time::Instant::now();
    let cost = cost_of(&path, sprite()).await;
    println!(
        "sprite: {} of {} bytes, {:.2} %, in {} ranges, {:.1} s",
        cost.sent_bytes,
        cost.size_bytes,
        cost.sent_bytes as f64 * 100.0 / cost.size_bytes as f64,
        cost.asked.len(),
        begun.elapsed().as_secs_f64()
    );
}
