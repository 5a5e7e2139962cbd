//! Work on many things at once where threads are to be had.

pub(crate) use histomask_shaders::parallel::map;

/// Does work on one of the threads that others share: whoever asks them from outside sleeps and is woken once for every
/// part that they do in parallel, which for a small image takes as long as a tenth of its prediction.
#[cfg(all(feature = "cpu", feature = "threads"))]
pub(crate) fn inside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Does work.
#[cfg(all(feature = "cpu", not(feature = "threads")))]
pub(crate) fn inside<T>(work: impl FnOnce() -> T) -> T {
    work()
}
