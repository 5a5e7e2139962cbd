//! Loops over rows and planes, in parallel where threads are to be had.

/// Calls `fill(index, chunk)` for every chunk of `size` values.
#[cfg(feature = "threads")]
pub fn chunks<T: Send>(values: &mut [T], size: usize, fill: impl Fn(usize, &mut [T]) + Sync) {
    use rayon::prelude::*;
    values.par_chunks_mut(size.max(1)).enumerate().for_each(|(index, chunk)| fill(index, chunk));
}

/// Calls `fill(index, chunk)` for every chunk of `size` values.
#[cfg(not(feature = "threads"))]
pub fn chunks<T>(values: &mut [T], size: usize, fill: impl Fn(usize, &mut [T])) {
    values.chunks_mut(size.max(1)).enumerate().for_each(|(index, chunk)| fill(index, chunk));
}

/// Does every task.
#[cfg(feature = "threads")]
pub(crate) fn each<T: Send>(tasks: Vec<T>, work: impl Fn(T) + Send + Sync) {
    use rayon::prelude::*;
    tasks.into_par_iter().for_each(work);
}

/// Does every task.
#[cfg(not(feature = "threads"))]
pub(crate) fn each<T>(tasks: Vec<T>, work: impl Fn(T)) {
    tasks.into_iter().for_each(work);
}

/// Does every task: on this thread where it is to be one, as work that is itself shared out has it.
pub(crate) fn each_on<T: Send>(threads: usize, tasks: Vec<T>, work: impl Fn(T) + Send + Sync) {
    if threads == 1 { tasks.into_iter().for_each(work) } else { each(tasks, work) }
}

/// `of` each thing, in order.
#[cfg(feature = "threads")]
pub fn map<T: Send, U: Send>(things: Vec<T>, of: impl Fn(T) -> U + Send + Sync) -> Vec<U> {
    use rayon::prelude::*;
    things.into_par_iter().map(of).collect()
}

/// `of` each thing, in order.
#[cfg(not(feature = "threads"))]
pub fn map<T, U>(things: Vec<T>, of: impl Fn(T) -> U) -> Vec<U> {
    things.into_iter().map(of).collect()
}

/// Threads that share the tasks.
#[cfg(feature = "threads")]
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Threads that share the tasks.
#[cfg(not(feature = "threads"))]
pub(crate) fn threads() -> usize {
    1
}
