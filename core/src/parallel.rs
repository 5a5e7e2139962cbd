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
