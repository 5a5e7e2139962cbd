//! Work on many things at once where threads are to be had.

/// `of` each thing, in order.
#[cfg(feature = "threads")]
pub(crate) fn map<T: Send, U: Send>(things: Vec<T>, of: impl Fn(T) -> U + Send + Sync) -> Vec<U> {
    use rayon::prelude::*;
    things.into_par_iter().map(of).collect()
}

/// `of` each thing, in order.
#[cfg(not(feature = "threads"))]
pub(crate) fn map<T, U>(things: Vec<T>, of: impl Fn(T) -> U) -> Vec<U> {
    things.into_iter().map(of).collect()
}

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
