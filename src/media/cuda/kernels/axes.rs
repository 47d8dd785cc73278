//! Tables of weights on the device, made once and kept.
//!
//! Guarantees: a ladder's tables are uploaded with its first picture and never again; sources that change their size all
//! the time do not fill the device's memory. Deliberately absent: the weights, which are `software::weights`'.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::kernels::parameters::Axes;
use crate::media::cuda::kernels::parameters::Axis;
use crate::media::cuda::memory::DeviceMemory;
use crate::media::software::orientation::Turn;
use crate::media::software::weights;
use crate::media::software::weights::Filter;
use crate::media::software::weights::Weights;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// More than a ladder of sixteen in two grades needs.
const MOST_TABLES: usize = 256;

/// What decides a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AxisKey {
    /// Samples of the source.
    pub source: u32,
    /// Samples that are made.
    pub result: u32,
    /// How neighbours count.
    pub filter: Filter,
    /// Fractional bits of the weights.
    pub bits: u32,
    /// Read from its end.
    pub reversed: bool,
}

impl AxisKey {
    /// The weights.
    pub fn weights(&self) -> Weights {
        let weights = Weights::new(self.source, self.result, self.filter, self.bits);
        if self.reversed { weights.reversed() } else { weights }
    }
}

/// The axes of a picture: luma of `crop` made `size` (upright), chroma of half of it made `chroma_size`.
pub fn of_picture(
    crop: (u32, u32),
    turn: Turn,
    size: (u32, u32),
    chroma_size: (u32, u32),
    filter: Option<Filter>,
    table: &mut dyn FnMut(AxisKey) -> Result<Axis, CudaError>,
) -> Result<Axes, CudaError> {
    let (wide, high) = turn.before(size.0, size.1);
    let (chroma_wide, chroma_high) = turn.before(chroma_size.0, chroma_size.1);
    let filter = filter.unwrap_or(Filter::between(crop, (wide, high)));
    let (across, down) = turn.reversals();
    let mut axis = |source: u32, result: u32, is_across: bool| {
        table(AxisKey {
            source,
            result,
            filter,
            bits: if is_across {
                weights::ACROSS_BITS
            } else {
                weights::DOWN_BITS
            },
            reversed: if is_across { across } else { down },
        })
    };
    Ok(Axes {
        luma_across: axis(crop.0, wide, true)?,
        luma_down: axis(crop.1, high, false)?,
        chroma_across: axis(crop.0.div_ceil(2), chroma_wide, true)?,
        chroma_down: axis(crop.1.div_ceil(2), chroma_high, false)?,
    })
}

/// Tables of one device.
#[derive(Debug, Default)]
pub(super) struct Tables {
    known: Mutex<HashMap<AxisKey, (Arc<DeviceMemory>, Axis)>>,
}

impl Tables {
    /// The table of a key; `held` keeps it until what uses it is queued.
    pub(super) fn of(
        &self,
        gpu: &Arc<Gpu>,
        key: AxisKey,
        held: &mut Vec<Arc<DeviceMemory>>,
    ) -> Result<Axis, CudaError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((memory, axis)) = known.get(&key) {
            held.push(Arc::clone(memory));
            return Ok(*axis);
        }
        let weights = key.weights();
        let bytes: Vec<u8> = weights.table().into_iter().flat_map(i32::to_ne_bytes).collect();
        let memory = Arc::new(DeviceMemory::holding(gpu, &bytes)?);
        let axis = Axis {
            table: memory.address(),
            count: weights.count() as u32,
            taps: weights.taps() as u32,
        };
        if known.len() >= MOST_TABLES {
            known.clear();
        }
        held.push(Arc::clone(&memory));
        known.insert(key, (memory, axis));
        Ok(axis)
    }
}
