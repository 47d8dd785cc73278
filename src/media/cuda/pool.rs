//! Surfaces of one layout and size that are used again and again, because taking memory on a device stops all that is
//! queued there.
//!
//! Guarantees: taking never waits for another holder, so no order of holding can stop a pass; a surface comes back when
//! its last holder drops it, whichever thread that is; what lies idle is bounded, and freed with the pool. Deliberately
//! absent: a bound of what is in use, which the queues between the stages of a pass give, and cleared samples.

use crate::media::cuda::error::CudaError;
use crate::media::cuda::gpu::Gpu;
use crate::media::cuda::surface::Layout;
use crate::media::cuda::surface::Surface;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;

/// Surfaces of one layout and size. Clones share what lies idle.
#[derive(Debug, Clone)]
pub struct SurfacePool {
    gpu: Arc<Gpu>,
    layout: Layout,
    width: u32,
    height: u32,
    shelf: Arc<Shelf<Arc<Surface>>>,
}

impl SurfacePool {
    /// A pool that keeps up to `most` idle surfaces. Takes no memory yet.
    pub fn new(gpu: &Arc<Gpu>, layout: Layout, width: u32, height: u32, most: usize) -> Self {
        SurfacePool {
            gpu: Arc::clone(gpu),
            layout,
            width,
            height,
            shelf: Arc::new(Shelf::new(most)),
        }
    }

    /// An idle surface, else a new one. Its samples are those of whoever had it before.
    ///
    /// # Errors
    /// The device has no memory for another one, or is lost.
    pub fn take(&self) -> Result<PooledSurface, CudaError> {
        let surface = match self.shelf.take() {
            Some(surface) => surface,
            None => Arc::new(Surface::new(&self.gpu, self.layout, self.width, self.height)?),
        };
        Ok(PooledSurface {
            surface: Some(surface),
            home: Arc::downgrade(&self.shelf),
        })
    }

    /// How the samples of its surfaces lie.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Pixels across and down.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }
}

/// A surface that goes back to its pool when it is dropped. What is behind the pixels of every frame on a device.
#[derive(Debug)]
pub struct PooledSurface {
    /// None only while it is dropped.
    surface: Option<Arc<Surface>>,
    home: Weak<Shelf<Arc<Surface>>>,
}

impl PooledSurface {
    /// A surface of no pool: freed when it is dropped.
    pub fn alone(surface: Surface) -> Self {
        PooledSurface {
            surface: Some(Arc::new(surface)),
            home: Weak::new(),
        }
    }

    /// Its memory, for encoders that make it known to the driver once and must not see it freed before they forget it.
    /// Holding it keeps nobody from using the surface again.
    pub(super) fn memory(&self) -> &Arc<Surface> {
        self.surface.as_ref().expect("it is there until it is dropped")
    }
}

impl Deref for PooledSurface {
    type Target = Surface;

    fn deref(&self) -> &Surface {
        self.memory()
    }
}

impl Drop for PooledSurface {
    fn drop(&mut self) {
        if let (Some(surface), Some(home)) = (self.surface.take(), self.home.upgrade()) {
            home.put(surface);
        }
    }
}

/// Idle things, up to a bound.
#[derive(Debug)]
struct Shelf<T> {
    idle: Mutex<Vec<T>>,
    most: usize,
}

impl<T> Shelf<T> {
    fn new(most: usize) -> Self {
        Shelf {
            idle: Mutex::new(Vec::with_capacity(most.min(64))),
            most,
        }
    }

    /// The one that came back last: its memory is the likeliest to be in the device's cache.
    fn take(&self) -> Option<T> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps it, or drops it where the shelf is full.
    fn put(&self, thing: T) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.most {
            idle.push(thing);
            return;
        }
        // Freeing waits for the device, so nobody should wait for the lock meanwhile.
        drop(idle);
        drop(thing);
    }
}

#[cfg(test)]
mod tests {
    use super::PooledSurface;
    use super::Shelf;
    use super::SurfacePool;
    use std::sync::Arc;

    #[test]
    fn a_shelf_keeps_up_to_its_bound_and_frees_the_rest() {
        let shelf = Shelf::new(2);
        let things: Vec<Arc<u32>> = (0..3).map(Arc::new).collect();
        for thing in &things {
            shelf.put(Arc::clone(thing));
        }
        let held: Vec<usize> = things.iter().map(Arc::strong_count).collect();
        assert_eq!(held, [2, 2, 1]);
        assert_eq!(shelf.take().as_deref(), Some(&1));
        assert_eq!(shelf.take().as_deref(), Some(&0));
        assert_eq!(shelf.take(), None);
    }

    #[test]
    fn pools_and_their_surfaces_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<SurfacePool>();
        crosses::<PooledSurface>();
    }
}
