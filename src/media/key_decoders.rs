//! Key frames decoded side by side: one thread reads, several decode.
//!
//! Guarantees: frames are answered in the order their packets were given in, a bounded number of packets is under
//! way. Key frames need nothing of each other, so each decoder works on one alone, without the delay of decoders
//! that share a stream. Deliberately absent: reading; which key frames.

use crate::media::av::AvError;
use crate::media::av::Decoder;
use crate::media::av::Packet;
use crate::media::frame_seeker::FrameSeeker;
use crate::media::frame_seeker::ShownFrame;
use crate::media::frame_seeker::decode_alone;
use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;
use std::thread::Scope;

/// Packets waiting for each decoder, the one in work apart.
const WAITING: usize = 1;

/// A frame, none where it cannot be decoded.
type Answer = Result<Option<ShownFrame>, AvError>;

/// Decoders in threads of their own.
#[derive(Debug)]
pub struct KeyDecoders {
    lanes: Vec<Lane>,
    /// Lanes whose answers are awaited, in order.
    under_way: VecDeque<usize>,
    next: usize,
    frames: u64,
}

#[derive(Debug)]
struct Lane {
    packets: SyncSender<Packet>,
    answers: Receiver<Answer>,
}

impl KeyDecoders {
    /// Starts one thread for each decoder; they end when this value is dropped.
    pub fn start<'scope>(scope: &'scope Scope<'scope, '_>, decoders: Vec<Decoder>) -> Self {
        let lanes = decoders
            .into_iter()
            .map(|mut decoder| {
                let (packets, to_decode) = sync_channel::<Packet>(WAITING);
                let (answer, answers) = sync_channel(WAITING + 1);
                scope.spawn(move || {
                    for packet in to_decode {
                        if answer.send(decode_alone(&mut decoder, &packet)).is_err() {
                            break;
                        }
                    }
                });
                Lane { packets, answers }
            })
            .collect();
        KeyDecoders {
            lanes,
            under_way: VecDeque::new(),
            next: 0,
            frames: 0,
        }
    }

    /// Another packet can be given without waiting for an answer to be taken.
    pub fn has_room(&self) -> bool {
        self.under_way.len() < self.lanes.len() * (WAITING + 1)
    }

    /// Gives a packet; its frame comes from [`KeyDecoders::take`] when those given before have been taken.
    pub fn give(&mut self, packet: Packet) {
        let lane = self.next % self.lanes.len();
        self.next += 1;
        // A lane that is gone answers nothing, which `take` tells.
        self.lanes[lane].packets.send(packet).ok();
        self.under_way.push_back(lane);
    }

    /// The frame of the packet given first; none when it cannot be decoded, or none is under way.
    pub fn take(&mut self) -> Answer {
        let Some(lane) = self.under_way.pop_front() else {
            return Ok(None);
        };
        let Ok(answer) = self.lanes[lane].answers.recv() else {
            return Err(AvError::argument("a decoder thread ended"));
        };
        self.frames += u64::from(matches!(answer, Ok(Some(_))));
        // One with missing parts is none: the way from an earlier key frame shows whether they are really missing.
        answer.map(|shown| shown.filter(|shown| !shown.frame.is_damaged()))
    }

    /// Frames answered.
    pub fn frames(&self) -> u64 {
        self.frames
    }
}

/// Key frames for moments that rise, read and decoded ahead of the one at hand.
#[derive(Debug)]
pub struct KeysAhead {
    decoders: KeyDecoders,
    queue: VecDeque<Next>,
    read: usize,
    last_key: Option<usize>,
    last: Option<ShownFrame>,
}

/// What becomes of a moment that has been read.
#[derive(Debug)]
enum Next {
    /// Its key frame is being decoded.
    UnderWay,
    /// Its key frame is that of the moment before.
    Again,
    /// The index has no key frame for it.
    None,
}

impl KeysAhead {
    /// Over decoders that were started.
    pub fn new(decoders: KeyDecoders) -> Self {
        KeysAhead {
            decoders,
            queue: VecDeque::new(),
            read: 0,
            last_key: None,
            last: None,
        }
    }

    /// The key frame of the next of `moments` (stream units), which are the same in every call; none where the
    /// index has none or it cannot be decoded.
    pub fn next(&mut self, seeker: &mut FrameSeeker<'_>, moments: &[f64]) -> Answer {
        while self.read < moments.len() && self.decoders.has_room() {
            let next = match seeker.key_packet_at(moments[self.read])? {
                Some((key, _)) if self.last_key == Some(key) => Next::Again,
                Some((key, packet)) => {
                    self.last_key = Some(key);
                    self.decoders.give(packet);
                    Next::UnderWay
                }
                None => Next::None,
            };
            self.queue.push_back(next);
            self.read += 1;
        }
        match self.queue.pop_front() {
            Some(Next::UnderWay) => self.last = self.decoders.take()?,
            Some(Next::Again) => {}
            Some(Next::None) | None => return Ok(None),
        }
        Ok(self.last.clone())
    }

    /// The decoders, for their counts.
    pub fn decoders(&self) -> &KeyDecoders {
        &self.decoders
    }
}
