//! Closed captions (CEA-608 and 708) on their way from the source's pictures to those of the renditions.
//!
//! Guarantees: every pair of bytes reaches an encoder once and in its order, on the picture of its time or, where that
//! one was left out, on the next; a picture carries no more than its standard (A/53) has room for, the rest goes on with
//! those that follow. Deliberately absent: what the captions say.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

/// Bytes of one construct: what it is, and two of data.
const CONSTRUCT_BYTES: usize = 3;
/// `cc_count` has five bits.
const CONSTRUCTS: usize = 31;
/// Says in a construct's first byte that its data mean something.
const IS_VALID: u8 = 0x04;
/// Pictures whose captions may be on their way: many more than pictures are. Beyond it nobody takes them any more.
const ON_THEIR_WAY: usize = 512;
/// Constructs that wait for pictures which do not come, as where most are left out, are worth no more than so many.
const WAITING_BYTES: usize = 64 * CONSTRUCTS * CONSTRUCT_BYTES;

/// Captions of one picture of the source.
#[derive(Debug, Clone)]
struct Caption {
    /// When that picture is shown, in the pass's unit.
    pts: i64,
    constructs: Arc<[u8]>,
}

/// Where the reader puts captions: to all encoders that carry them.
#[derive(Debug, Default)]
pub struct CaptionFan(Vec<SyncSender<Caption>>);

impl CaptionFan {
    /// One more encoder's end of it.
    pub fn open(&mut self) -> CaptionQueue {
        let (sender, receiver) = sync_channel(ON_THEIR_WAY);
        self.0.push(sender);
        CaptionQueue {
            receiver,
            next: None,
            waiting: VecDeque::new(),
        }
    }

    /// Hands on what a picture of that time carried. Those who take nothing any more do not hold up the others.
    pub fn send(&self, pts: i64, constructs: &[u8]) {
        if self.0.is_empty() {
            return;
        }
        let constructs: Arc<[u8]> = constructs.into();
        for sender in &self.0 {
            let constructs = constructs.clone();
            let _ = sender.try_send(Caption { pts, constructs });
        }
    }
}

/// What waits for the pictures of one encoder.
#[derive(Debug)]
pub struct CaptionQueue {
    receiver: Receiver<Caption>,
    next: Option<Caption>,
    waiting: VecDeque<u8>,
}

impl CaptionQueue {
    /// A picture of that time is to be encoded: what was shown with it or before it is due.
    pub fn reach(&mut self, pts: i64) {
        while let Some(caption) = self.next.take().or_else(|| self.receiver.try_recv().ok()) {
            if caption.pts > pts {
                self.next = Some(caption);
                return;
            }
            // Several pictures' worth on one: filling is left out, so that there is room for what is said.
            let is_crowded = !self.waiting.is_empty();
            for construct in caption.constructs.chunks_exact(CONSTRUCT_BYTES) {
                if !is_crowded || construct[0] & IS_VALID != 0 {
                    self.waiting.extend(construct);
                }
            }
            if self.waiting.len() > WAITING_BYTES {
                self.waiting.drain(..self.waiting.len() - WAITING_BYTES);
            }
        }
    }

    /// What the next encoded picture carries; none: nothing is due.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        let bytes = self.waiting.len().min(CONSTRUCTS * CONSTRUCT_BYTES);
        (bytes > 0).then(|| self.waiting.drain(..bytes).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::CaptionFan;

    fn said(number: u8) -> [u8; 3] {
        [0xfc, number, 0x80]
    }

    #[test]
    fn captions_keep_their_pictures_and_those_of_left_out_ones_go_on_with_the_next() {
        let mut fan = CaptionFan::default();
        let mut queue = fan.open();
        for number in 0..6_u8 {
            fan.send(i64::from(number) * 10, &said(number));
        }
        queue.reach(0);
        assert_eq!(queue.take().as_deref(), Some(&said(0)[..]));
        assert_eq!(queue.take(), None, "once");
        // The pictures at 10 and 20 were left out.
        queue.reach(30);
        assert_eq!(queue.take(), Some([said(1), said(2), said(3)].concat()));
        queue.reach(39);
        assert_eq!(queue.take(), None, "none before its time");
        queue.reach(100);
        assert_eq!(queue.take(), Some([said(4), said(5)].concat()));
    }

    #[test]
    fn a_picture_carries_what_there_is_room_for_and_filling_makes_way() {
        let mut fan = CaptionFan::default();
        let mut queue = fan.open();
        let filling = [0xf8, 0x80, 0x80];
        fan.send(0, &said(0).repeat(20));
        fan.send(1, &[filling.repeat(10), said(1).repeat(20)].concat());
        queue.reach(1);
        let first = queue.take().expect("captions");
        assert_eq!(first, [said(0).repeat(20), said(1).repeat(11)].concat());
        assert_eq!(queue.take(), Some(said(1).repeat(9)));
    }

    #[test]
    fn who_takes_nothing_holds_up_nobody() {
        let mut fan = CaptionFan::default();
        let _idle = fan.open();
        let mut queue = fan.open();
        for number in 0..2_000 {
            fan.send(number, &said(1));
            queue.reach(number);
            assert_eq!(queue.take().as_deref(), Some(&said(1)[..]));
        }
    }
}
