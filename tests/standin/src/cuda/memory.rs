//! What lies where in the memory of the devices.
//!
//! Guarantees: an address of a device is none of the host's (no processor has memory at such), so a host that reads one
//! ends at once; no address is ever given twice, so use after free is always seen; what is touched lies whole within
//! one living piece, or the context is lost as a real one would be. Deliberately absent: taking and freeing, which are
//! `allocate`'s.

use crate::contract;
use crate::cuda::code::Code;
use crate::cuda::code::ILLEGAL_ADDRESS;
use crate::cuda::context::Context;
use crate::cuda::device;
use crate::cuda::stream::Moment;
use crate::cuda::view::View;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// Where addresses of devices begin, and how many there are.
pub const FIRST: u64 = 0x0D00_0000_0000_0000;
const SPAN: u64 = 1 << 48;
/// What they are multiples of; what freed and neighbouring pieces keep free between one another.
const ALIGN: u64 = 512;

static SPACE: Mutex<Space> = Mutex::new(Space {
    next: FIRST + (1 << 32),
    pieces: BTreeMap::new(),
    used: BTreeMap::new(),
});

#[derive(Debug)]
struct Space {
    next: u64,
    pieces: BTreeMap<u64, Arc<Piece>>,
    /// By device, bytes that are taken.
    used: BTreeMap<usize, usize>,
}

/// How a piece came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// By `cuMemAlloc`.
    Linear,
    /// By `cuMemAllocPitch`: from a row to the next, bytes.
    Pitched(usize),
    /// By `cuMemAllocAsync`, of a pool: encoders refuse it.
    Pool,
    /// A frame that a decoder lends out.
    Frame,
}

/// One piece of a device's memory.
#[derive(Debug)]
pub struct Piece {
    address: u64,
    bytes: usize,
    kind: Kind,
    context: u64,
    device: usize,
    view: View,
    open: AtomicBool,
    last_use: Mutex<Option<Moment>>,
}

impl Piece {
    /// Device address of its first byte.
    pub fn address(&self) -> u64 {
        self.address
    }
    /// Bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
    /// How it came about.
    pub fn kind(&self) -> Kind {
        self.kind
    }
    /// Number of its device.
    pub fn device(&self) -> usize {
        self.device
    }
    /// Where the host keeps its first byte.
    pub fn start(&self) -> *mut u8 {
        self.view.start()
    }
    /// Lends it out or takes it back: closed, it is as if freed.
    pub fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }
    /// Notes that work of a stream touches it.
    pub fn touched_by(&self, moment: &Moment) {
        *self.last_use.lock().unwrap_or_else(PoisonError::into_inner) = Some(moment.clone());
    }
    /// The last work that touches it.
    pub fn last_use(&self) -> Option<Moment> {
        self.last_use.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A stretch of a piece, which stays alive as long as this.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// What it is of.
    pub piece: Arc<Piece>,
    /// Of its first byte.
    pub offset: usize,
}

impl Stretch {
    /// Where the host keeps its first byte.
    pub fn start(&self) -> *mut u8 {
        // SAFETY: the offset lies in the piece.
        unsafe { self.piece.start().add(self.offset) }
    }
}

fn space() -> MutexGuard<'static, Space> {
    SPACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is an address of a device, living or not.
pub fn is_device_address(address: u64) -> bool {
    (FIRST..FIRST + SPAN).contains(&address)
}

/// Takes a piece; none when the device is full.
pub fn take(context: &Context, bytes: usize, kind: Kind) -> Option<Arc<Piece>> {
    let reserved = Reserved::new(context.device(), bytes)?;
    let view = View::new(bytes)?;
    let mut space = space();
    let address = space.next;
    space.next += (bytes as u64).next_multiple_of(ALIGN) + ALIGN;
    let piece = Arc::new(Piece {
        address,
        bytes,
        kind,
        context: context.number(),
        device: context.device(),
        view,
        open: AtomicBool::new(true),
        last_use: Mutex::new(None),
    });
    space.pieces.insert(address, Arc::clone(&piece));
    // Given back by `give_back`.
    std::mem::forget(reserved);
    Some(piece)
}

/// Frees the piece that begins there; none when none does.
pub fn give_back(call: &str, address: u64) -> Option<Arc<Piece>> {
    let piece = {
        let mut space = space();
        let piece = space.pieces.remove(&address)?;
        *space.used.entry(piece.device).or_default() -= piece.bytes;
        piece
    };
    if piece.view.is_trampled() {
        contract::violated(
            call,
            format!("something wrote beside the {} bytes at {address:#x}", piece.bytes),
        );
    }
    Some(piece)
}

/// Frees what is left of a context that ends.
pub fn forget(context: &Context) {
    let mut space = space();
    let gone: Vec<_> = space
        .pieces
        .extract_if(.., |_, piece| piece.context == context.number())
        .collect();
    for (_, piece) in gone {
        *space.used.entry(piece.device).or_default() -= piece.bytes;
    }
}

/// The piece in which an address lies, or at whose end; none when none is there.
pub fn at(address: u64) -> Option<Stretch> {
    let space = space();
    let (start, piece) = space.pieces.range(..=address).next_back()?;
    let offset = usize::try_from(address - start).ok()?;
    (offset <= piece.bytes && piece.open.load(Ordering::Acquire)).then(|| Stretch {
        piece: Arc::clone(piece),
        offset,
    })
}

/// The stretch of `bytes` from there on. When it does not lie whole in one living piece of the context's device, that
/// is a violation, and the context is lost.
pub fn reach(call: &str, context: &Context, address: u64, bytes: usize) -> Result<Stretch, Code> {
    let complaint = match at(address) {
        Some(found) if found.piece.device != context.device() => {
            format!(
                "{address:#x} is memory of device {}, not {}",
                found.piece.device,
                context.device()
            )
        }
        Some(found) if found.offset + bytes <= found.piece.bytes => return Ok(found),
        Some(found) => format!(
            "{bytes} bytes from {address:#x} on: the piece there has {} from it on",
            found.piece.bytes - found.offset
        ),
        None if is_device_address(address) => format!("{address:#x} is freed, unmapped or was never taken"),
        None => format!("{address:#x} is no address of a device"),
    };
    contract::violated(call, complaint);
    context.lose(ILLEGAL_ADDRESS);
    Err(ILLEGAL_ADDRESS)
}

/// Bytes of a device's memory that nobody uses.
pub fn free_bytes(device: usize) -> usize {
    device::total_memory().saturating_sub(space().used.get(&device).copied().unwrap_or(0))
}

/// Memory of a device that has no address, of decoders and encoders.
#[derive(Debug)]
pub struct Reserved {
    device: usize,
    bytes: usize,
}

impl Reserved {
    /// Takes it; none when the device is full.
    pub fn new(device: usize, bytes: usize) -> Option<Self> {
        let mut space = space();
        let used = space.used.entry(device).or_default();
        let after = used.checked_add(bytes)?;
        if after > device::total_memory() {
            return None;
        }
        *used = after;
        Some(Reserved { device, bytes })
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        *space().used.entry(self.device).or_default() -= self.bytes;
    }
}
