//! What this machine can do at most, measured: multiply-adds from registers, and bytes from and to memory.

use std::time::Instant;

use histomask_shaders::multiply_adds;

use super::median;

/// Vectors' rounds of one measurement: some 10 ms.
const ROUNDS: usize = 2_000_000;
/// Numbers of a stream through memory, 256 MiB: too many for a cache.
const STREAM: usize = 64 << 20;
/// Numbers of a stream that a thread takes at once.
const PART: usize = 1 << 20;

/// Of all threads together.
pub(super) struct Roof {
    pub(super) threads: usize,
    /// 32-bit multiply-adds a second.
    pub(super) multiply_adds: f64,
    /// Bytes a second, read and written.
    pub(super) bytes: f64,
}

impl Roof {
    /// The median of `repeats` measurements after one to warm up.
    pub(super) fn measured(repeats: u32) -> Self {
        Self { threads: rayon::current_num_threads(), multiply_adds: arithmetic(repeats), bytes: memory(repeats) }
    }

    /// Seconds that work takes at least, and whether memory is why.
    pub(super) fn least(&self, multiply_adds: f64, bytes: f64) -> (f64, bool) {
        let (arithmetic, memory) = (multiply_adds / self.multiply_adds, bytes / self.bytes);
        (arithmetic.max(memory), memory > arithmetic)
    }
}

fn arithmetic(repeats: u32) -> f64 {
    let rates = (0..=repeats).map(|_| {
        let start = Instant::now();
        let done: usize = rayon::broadcast(|_| multiply_adds(ROUNDS)).into_iter().sum();
        done as f64 / start.elapsed().as_secs_f64()
    });
    median(rates.skip(1).collect())
}

/// A stream read, scaled and written to another.
fn memory(repeats: u32) -> f64 {
    use rayon::prelude::*;
    let (from, mut to) = (vec![1.0_f32; STREAM], vec![0.0_f32; STREAM]);
    let rates = (0..=repeats).map(|_| {
        let start = Instant::now();
        to.par_chunks_mut(PART).zip(from.par_chunks(PART)).for_each(|(to, from)| {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = 1.5 * from);
        });
        8.0 * STREAM as f64 / start.elapsed().as_secs_f64()
    });
    let rates: Vec<_> = rates.collect();
    median(rates.into_iter().skip(1).collect())
}
