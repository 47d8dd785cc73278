//! The line against an executor of the tests at the other end of a real socket.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::worker::relay::blocks::BLOCK_BYTES;
use crate::worker::relay::line::Line;
use crate::worker::relay::wire;
use crate::worker::relay::wire::Answer;
use crate::worker::relay::wire::Head;
use crate::worker::relay::wire::Request;
use crate::worker::relay::wire::Wish;
use std::fs::File;
use std::io::Read;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A file of any size whose bytes follow from where they stand.
fn byte(member: u32, offset: u64) -> u8 {
    (offset
        .wrapping_add(u64::from(member) << 40)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        >> 56) as u8
}

fn bytes(member: u32, offset: u64, length: u64) -> Vec<u8> {
    (offset..offset + length).map(|at| byte(member, at)).collect()
}

fn pair() -> (File, File) {
    let (one, other) = UnixStream::pair().expect("a pair");
    (File::from(OwnedFd::from(one)), File::from(OwnedFd::from(other)))
}

fn next_request(socket: &mut File) -> Option<Request> {
    let mut request = [0; Request::BYTES];
    socket.read_exact(&mut request).ok()?;
    Some(Request::decode(&request).expect("a request"))
}

fn send(socket: &mut File, id: u32, answer: Answer, bytes: &[u8]) {
    let _ = socket.write_all(&Head { id, answer }.encode());
    let _ = socket.write_all(bytes);
}

fn send_all(socket: &mut File, request: &Request) {
    if let Wish::Read { member, offset, length } = request.wish {
        for piece in bytes(member, offset, u64::from(length)).chunks(100_001) {
            send(socket, request.id, Answer::Piece(piece.len() as u32), piece);
        }
    }
    send(socket, request.id, Answer::Done, &[]);
}

/// A line whose other end answers each request with `answer`; what was asked comes out when the line is gone.
fn line(mut answer: impl FnMut(&mut File, Request) + Send + 'static) -> (Line, JoinHandle<Vec<Request>>) {
    let (ours, mut theirs) = pair();
    let executor = std::thread::spawn(move || {
        let mut asked = Vec::new();
        while let Some(request) = next_request(&mut theirs) {
            asked.push(request);
            answer(&mut theirs, request);
        }
        asked
    });
    (Line::open(ours).expect("a thread"), executor)
}

fn honest() -> (Line, JoinHandle<Vec<Request>>) {
    line(|socket, request| send_all(socket, &request))
}

fn assert_reads(line: &Line, member: u32, size: u64, offset: u64, length: usize) {
    let mut buffer = vec![0; length];
    let count = line.read(member, size, &mut buffer, offset).expect("it can be read");
    assert_eq!(count as u64, (length as u64).min(size.saturating_sub(offset)));
    assert!(
        buffer[..count] == bytes(member, offset, count as u64),
        "{length} bytes at {offset}"
    );
}

#[test]
fn any_stretch_of_any_file_is_what_lies_there_for_many_readers_at_once() {
    let (line, _executor) = honest();
    let readers: Vec<_> = (0..4_u64)
        .map(|reader| {
            let line = line.clone();
            std::thread::spawn(move || {
                let mut random = reader + 1;
                for _ in 0..300 {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let (member, size) = ((random >> 60) as u32 & 1, 5_000_777);
                    let offset = (random >> 20) % (size + 5);
                    assert_reads(&line, member, size, offset, (random >> 45) as usize % 300_000);
                }
            })
        })
        .collect();
    for reader in readers {
        reader.join().expect("it read what it should");
    }
    assert!(
        line.tally().fetched_bytes <= 2 * (5_000_777 + BLOCK_BYTES),
        "all of it fits, so nothing comes twice"
    );
}

#[test]
fn jumps_cost_what_they_ask_for_and_two_rims() {
    let (line, _executor) = honest();
    let size = 2 << 30;
    for jump in 0..150 {
        assert_reads(&line, 0, size, 777 + jump * 10_000_019, 100_000);
    }
    let tally = line.tally();
    assert!(tally.fetched_bytes <= 150 * (100_000 + 2 * BLOCK_BYTES), "{tally:?}");
    assert_eq!(tally.requests, 150, "one round trip each");
}

#[test]
fn a_reader_in_a_row_gets_each_byte_once_in_large_ranges_that_overlap_in_time() {
    let (seen, asked_while_waiting) = mpsc::channel();
    let mut waiting: Option<Request> = None;
    // Holds every answer back until the next request is there, where one is to come.
    let (line, _executor) = line(move |socket, request| {
        let early = matches!(request.wish, Wish::Read { offset, .. } if offset < 20 << 20);
        if let Some(before) = waiting.take() {
            send_all(socket, &before);
        }
        if early {
            send_all(socket, &request);
        } else {
            let _ = seen.send(());
            waiting = Some(request);
        }
    });
    let size = 48 << 20;
    for step in 0..(40 << 20) / 65_536 {
        assert_reads(&line, 0, size, step * 65_536, 65_536);
    }
    let tally = line.tally();
    assert!(tally.requests < 120, "640 reads: {tally:?}");
    assert!(tally.fetched_bytes <= size, "{tally:?}");
    assert!(
        asked_while_waiting.try_iter().count() > 3,
        "the next range is asked for before the last has come"
    );
}

#[test]
fn a_fault_ends_every_reader_and_stays_what_it_was() {
    let (line, _executor) = line(|socket, request| match request.wish {
        Wish::Read { offset: 0, .. } => send_all(socket, &request),
        _ => {
            let fault = Fault::new(
                "SourceChanged",
                Blame::Source,
                "read",
                "s:k",
                "it was replaced",
                "Nothing.",
            );
            socket
                .write_all(&wire::encode_fault(request.id, &fault))
                .expect("it is heard");
        }
    });
    assert_reads(&line, 0, 1 << 30, 0, 1_000);
    let other = line.clone();
    let reader = std::thread::spawn(move || other.read(0, 1 << 30, &mut [0; 100], 1 << 25));
    assert!(line.read(0, 1 << 30, &mut [0; 100], 1 << 26).is_err());
    assert!(reader.join().expect("no panic").is_err());
    let error = line
        .read(0, 1 << 30, &mut [0; 100], 0)
        .expect_err("not even what is here");
    assert_eq!(error.to_string(), "it was replaced");
    assert_eq!(line.fault().map(|fault| fault.code), Some("SourceChanged".to_owned()));
    assert_eq!(line.recheck().expect_err("it has changed").code, "SourceChanged");
}

#[test]
fn a_reader_that_waits_is_woken_when_the_attempt_stops_or_the_daemon_is_gone() {
    let (asked, was_asked) = mpsc::channel();
    let (line, _executor) = line(move |_, _| {
        let _ = asked.send(());
    });
    let other = line.clone();
    let reader = std::thread::spawn(move || other.read(0, 1_000, &mut [0; 10], 0));
    was_asked.recv().expect("it asked");
    line.end(crate::worker::death::stopped("a.mp4"));
    assert!(reader.join().expect("no panic").is_err());

    let (ours, theirs) = pair();
    let line = Line::open(ours).expect("a thread");
    let other = line.clone();
    let reader = std::thread::spawn(move || other.read(0, 1_000, &mut [0; 10], 0));
    drop(theirs);
    assert!(reader.join().expect("no panic").is_err());
    assert_eq!(
        line.fault().map(|fault| (fault.code, fault.retryable)),
        Some(("RelayBroken".to_owned(), true))
    );
}

#[test]
fn a_check_is_answered_beside_reads() {
    let (line, executor) = honest();
    assert_reads(&line, 0, 100, 0, 100);
    line.recheck().expect("it is what it was");
    line.recheck().expect("and still is");
    drop(line);
    // The thread that takes answers holds the line open until the executor hangs up.
    drop(executor);
}

#[test]
fn an_executor_that_answers_nonsense_is_a_broken_relay() {
    type Nonsense = fn(&mut File, Request);
    let nonsense: [(&str, Nonsense); 5] = [
        ("no answer", |socket, _| {
            socket.write_all(&[9; Head::BYTES]).expect("sent")
        }),
        ("another request", |socket, request| {
            send(socket, request.id + 7, Answer::Piece(1), &[0])
        }),
        ("too much", |socket, request| {
            let rest = vec![0; BLOCK_BYTES as usize + 1];
            send(socket, request.id, Answer::Piece(rest.len() as u32), &rest);
        }),
        ("too little", |socket, request| {
            send(socket, request.id, Answer::Done, &[])
        }),
        ("no fault", |socket, request| {
            send(socket, request.id, Answer::Fault(3), b"abc")
        }),
    ];
    for (what, answer) in nonsense {
        let (line, _executor) = line(answer);
        assert!(line.read(0, 1_000, &mut [0; 10], 0).is_err(), "{what}");
        assert_eq!(
            line.fault().map(|fault| fault.code).as_deref(),
            Some("RelayBroken"),
            "{what}"
        );
    }
}
