//! The worker's end of a relay: asks for what is not here, takes what comes, and wakes who waits for it.
//!
//! Guarantees: nothing is asked for twice while it is on its way; requests are written without the lock under which
//! answers are taken, so that neither side ever waits for itself; memory is bounded by [`KEPT_BYTES`], what is on its
//! way ahead of readers, and one request for each thread that reads. Deliberately absent: which file is which.

use crate::base::fault::Blame;
use crate::base::fault::Fault;
use crate::worker::relay::blocks::BLOCK_BYTES;
use crate::worker::relay::blocks::Blocks;
use crate::worker::relay::blocks::Place;
use crate::worker::relay::reading::Reading;
use crate::worker::relay::wire::Answer;
use crate::worker::relay::wire::Head;
use crate::worker::relay::wire::MAX_RANGE_BYTES;
use crate::worker::relay::wire::Request;
use crate::worker::relay::wire::Wish;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::io::Read;
use std::io::Write;
use std::ops::Range;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Kept of what was brought.
const KEPT_BYTES: usize = 48 << 20;
/// Room for what is fetched ahead of all readers in a row together; less than is kept, or it would go before it is read.
const AHEAD_BYTES: u64 = 32 << 20;
/// Asked for at once on behalf of one read.
const DEMAND_BYTES: u64 = 8 << 20;
/// The thread that takes answers calls nothing deep.
const STACK_BYTES: usize = 256 << 10;

/// A relay as the worker has it. Clones share it.
#[derive(Debug, Clone)]
pub struct Line(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    out: Mutex<File>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    blocks: Blocks,
    reading: Reading,
    /// Blocks on their way.
    coming: HashSet<Place>,
    ranges: HashMap<u32, Coming>,
    /// Checks that were asked for, and whether they were answered well.
    checks: HashMap<u32, bool>,
    last_id: u32,
    fetched_bytes: u64,
    requests: u64,
    ended: Option<Fault>,
}

/// A range on its way.
#[derive(Debug)]
struct Coming {
    member: u32,
    /// Where the next block begins.
    at: u64,
    end: u64,
    begun: Vec<u8>,
}

/// What a line has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Bytes that came.
    pub fetched_bytes: u64,
    /// Ranges that were asked for.
    pub requests: u64,
}

impl Line {
    /// Over an inherited socket. A thread takes the answers from now on: the cage must be closed before.
    ///
    /// # Errors
    /// The descriptor cannot be shared, or no thread can be had.
    pub fn open(socket: File) -> io::Result<Self> {
        let input = socket.try_clone()?;
        let shared = Arc::new(Shared {
            out: Mutex::new(socket),
            state: Mutex::new(State {
                blocks: Blocks::new(KEPT_BYTES),
                reading: Reading::default(),
                coming: HashSet::new(),
                ranges: HashMap::new(),
                checks: HashMap::new(),
                last_id: 0,
                fetched_bytes: 0,
                requests: 0,
                ended: None,
            }),
            changed: Condvar::new(),
        });
        let line = Line(Arc::clone(&shared));
        std::thread::Builder::new()
            .name("relay".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let fault = shared.take_answers(input);
                shared.end(fault);
            })?;
        Ok(line)
    }

    /// Reads bytes of a file of `size_bytes`: as many as fit or are left.
    ///
    /// # Errors
    /// The line has ended; [`Line::fault`] says why.
    pub fn read(&self, member: u32, size_bytes: u64, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = size_bytes.saturating_sub(offset);
        let wanted = (buffer.len() as u64).min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let shared = &*self.0;
        let mut state = shared.lock();
        let outlook = state.reading.note(member, offset, wanted, AHEAD_BYTES);
        let mut ahead = Some(outlook.ahead);
        let mut filled = 0;
        loop {
            if let Some(fault) = &state.ended {
                return Err(io::Error::other(fault.cause.clone()));
            }
            filled += state.copy(
                member,
                &mut buffer[filled..wanted as usize],
                offset + filled as u64,
                outlook.passes,
            );
            let done = filled as u64 == wanted;
            let from = offset + filled as u64;
            let mut requests = Vec::new();
            if !done {
                let horizon = (offset + wanted).min(from.saturating_add(DEMAND_BYTES));
                requests = state.plan(member, size_bytes, from..horizon);
            }
            if let Some(ahead) = ahead.take() {
                requests.append(&mut state.plan(member, size_bytes, ahead));
            }
            if !requests.is_empty() {
                drop(state);
                shared.ask(&requests);
                state = shared.lock();
            } else if !done {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if done {
                return Ok(filled);
            }
        }
    }

    /// Asks whether all files are still what they were.
    ///
    /// # Errors
    /// One is not, or that cannot be learned.
    pub fn recheck(&self) -> Result<(), Fault> {
        let shared = &*self.0;
        let mut state = shared.lock();
        let id = state.new_id();
        state.checks.insert(id, false);
        drop(state);
        shared.ask(&[Request { id, wish: Wish::Check }]);
        let mut state = shared.lock();
        loop {
            if let Some(fault) = &state.ended {
                return Err(fault.clone());
            }
            if state.checks.get(&id) == Some(&true) {
                state.checks.remove(&id);
                return Ok(());
            }
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends every read, now and later, with this reason; the first reason stays.
    pub fn end(&self, fault: Fault) {
        self.0.end(fault);
    }

    /// Why nothing can be read any more; none: it can.
    pub fn fault(&self) -> Option<Fault> {
        self.0.lock().ended.clone()
    }

    /// What it has done so far.
    pub fn tally(&self) -> Tally {
        let state = self.0.lock();
        Tally {
            fetched_bytes: state.fetched_bytes,
            requests: state.requests,
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, fault: Fault) {
        self.lock().ended.get_or_insert(fault);
        self.changed.notify_all();
    }

    /// Sends requests. Must be called without the lock of the state.
    fn ask(&self, requests: &[Request]) {
        let bytes: Vec<u8> = requests.iter().flat_map(|request| request.encode()).collect();
        let sent = {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            out.write_all(&bytes)
        };
        if let Err(error) = sent {
            self.end(broken(&error.to_string()));
        }
    }

    /// Takes answers to the end of the line; says why it ended.
    fn take_answers(&self, mut input: File) -> Fault {
        let mut payload = Vec::new();
        loop {
            let mut head = [0; Head::BYTES];
            if let Err(error) = input.read_exact(&mut head) {
                return broken(&error.to_string());
            }
            let Some(head) = Head::decode(&head) else {
                return broken("what came is no answer");
            };
            let length = match head.answer {
                Answer::Piece(length) | Answer::Fault(length) => length,
                Answer::Done => 0,
            };
            payload.resize(length as usize, 0);
            if let Err(error) = input.read_exact(&mut payload) {
                return broken(&error.to_string());
            }
            let taken = match head.answer {
                Answer::Piece(_) => self.lock().take_piece(head.id, &payload),
                Answer::Done => self.lock().take_end(head.id),
                Answer::Fault(_) => Err(serde_json::from_slice(&payload)
                    .unwrap_or_else(|error| broken(&format!("a fault that cannot be read: {error}")))),
            };
            if let Err(fault) = taken {
                return fault;
            }
            self.changed.notify_all();
        }
    }
}

impl State {
    fn new_id(&mut self) -> u32 {
        self.last_id = self.last_id.wrapping_add(1);
        self.last_id
    }

    /// Copies what is here from `offset` on without a gap.
    fn copy(&mut self, member: u32, to: &mut [u8], offset: u64, passes: bool) -> usize {
        let mut filled = 0;
        while filled < to.len() {
            let at = offset + filled as u64;
            let place = Place {
                member,
                block: at / BLOCK_BYTES,
            };
            match self
                .blocks
                .copy(place, (at % BLOCK_BYTES) as usize, &mut to[filled..], passes)
            {
                Some(count) if count > 0 => filled += count,
                _ => break,
            }
        }
        filled
    }

    /// The requests for what of a range is neither here nor on its way.
    fn plan(&mut self, member: u32, size_bytes: u64, range: Range<u64>) -> Vec<Request> {
        let end = range.end.min(size_bytes);
        let mut requests = Vec::new();
        if range.start >= end {
            return requests;
        }
        let most = u64::from(MAX_RANGE_BYTES) / BLOCK_BYTES;
        let mut stretch: Option<Range<u64>> = None;
        for block in range.start / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES) {
            let place = Place { member, block };
            if self.blocks.has(place) || self.coming.contains(&place) {
                requests.extend(stretch.take().map(|stretch| self.expect(member, size_bytes, stretch)));
                continue;
            }
            match &mut stretch {
                Some(stretch) if stretch.end - stretch.start < most => stretch.end = block + 1,
                _ => {
                    requests.extend(stretch.take().map(|stretch| self.expect(member, size_bytes, stretch)));
                    stretch = Some(block..block + 1);
                }
            }
        }
        requests.extend(stretch.map(|stretch| self.expect(member, size_bytes, stretch)));
        requests
    }

    /// Notes that these blocks are on their way.
    fn expect(&mut self, member: u32, size_bytes: u64, blocks: Range<u64>) -> Request {
        let id = self.new_id();
        let at = blocks.start * BLOCK_BYTES;
        let end = (blocks.end * BLOCK_BYTES).min(size_bytes);
        self.coming.extend(blocks.map(|block| Place { member, block }));
        self.requests += 1;
        self.ranges.insert(
            id,
            Coming {
                member,
                at,
                end,
                begun: Vec::new(),
            },
        );
        let length = u32::try_from(end - at).expect("at most MAX_RANGE_BYTES");
        let wish = Wish::Read {
            member,
            offset: at,
            length,
        };
        Request { id, wish }
    }

    fn take_piece(&mut self, id: u32, mut piece: &[u8]) -> Result<(), Fault> {
        self.fetched_bytes += piece.len() as u64;
        let coming = self
            .ranges
            .get_mut(&id)
            .ok_or_else(|| broken("bytes came that nobody asked for"))?;
        while !piece.is_empty() {
            let length = (coming.end - coming.at).min(BLOCK_BYTES) as usize;
            if length == 0 {
                return Err(broken("more bytes came than were asked for"));
            }
            let count = piece.len().min(length - coming.begun.len());
            coming.begun.extend_from_slice(&piece[..count]);
            piece = &piece[count..];
            if coming.begun.len() == length {
                let place = Place {
                    member: coming.member,
                    block: coming.at / BLOCK_BYTES,
                };
                coming.at += length as u64;
                let block = std::mem::take(&mut coming.begun).into_boxed_slice();
                self.blocks.insert(place, block);
                self.coming.remove(&place);
            }
        }
        Ok(())
    }

    fn take_end(&mut self, id: u32) -> Result<(), Fault> {
        if let Some(answered) = self.checks.get_mut(&id) {
            *answered = true;
            return Ok(());
        }
        match self.ranges.remove(&id) {
            Some(coming) if coming.at == coming.end => Ok(()),
            Some(_) => Err(broken("fewer bytes came than were asked for")),
            None => Err(broken("an answer came that nobody waits for")),
        }
    }
}

/// The line itself failed: the daemon went away, or one of us has a defect.
fn broken(cause: &str) -> Fault {
    Fault::new(
        "RelayBroken",
        Blame::Host,
        "read source",
        "the relay",
        format!("the daemon, which reads for the worker, cannot be heard: {cause}"),
        "Nothing if the daemon was stopped: the work is tried again. Else report it.",
    )
}
