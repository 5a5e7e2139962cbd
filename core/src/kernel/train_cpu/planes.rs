//! Loops over the planes of `[B, C, H, W]`, in parallel where threads are to be had.
//!
//! A loop has the processor's vector instructions only where it is inlined into [`vectorised`]: the closures that are
//! given here are `#[inline(always)]`.

use histomask_shaders::parallel::chunks;
use histomask_shaders::vectorised;
use pulp::{Simd, WithSimd};

use crate::parallel;

/// A loop called where the processor's vector instructions are on. As `FnOnce` it would be called through a function
/// of its own, without them.
struct Loop<F>(F);

impl<T, F: FnMut() -> T> WithSimd for Loop<F> {
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> T {
        (self.0)()
    }
}

/// One value for each of `n` channels.
pub(super) fn map_channels<T: Send>(n: usize, value: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    let each = |channel| {
        vectorised(Loop(
            #[inline(always)]
            || value(channel),
        ))
    };
    parallel::map((0..n).collect(), each)
}

/// One value for each channel, from its planes of `size` values in each of the buffers: `value(channel, planes)` may change
/// them, `planes[buffer][sample]`.
pub(super) fn change_channels<T: Send>(
    buffers: Vec<&mut [f32]>,
    [channels, size]: [usize; 2],
    value: impl Fn(usize, &mut [Vec<&mut [f32]>]) -> T + Send + Sync,
) -> Vec<T> {
    let mut planes: Vec<Vec<Vec<&mut [f32]>>> =
        (0..channels).map(|_| buffers.iter().map(|_| Vec::new()).collect()).collect();
    for (buffer, values) in buffers.into_iter().enumerate() {
        for (index, plane) in values.chunks_exact_mut(size.max(1)).enumerate() {
            planes[index % channels][buffer].push(plane);
        }
    }
    let each = |(channel, mut planes): (usize, Vec<Vec<&mut [f32]>>)| {
        vectorised(Loop(
            #[inline(always)]
            || value(channel, &mut planes),
        ))
    };
    parallel::map(planes.into_iter().enumerate().collect(), each)
}

/// A buffer of planes of `size` values, each filled by `fill(index, plane)`; planes come zeroed.
pub(super) fn filled(planes: usize, size: usize, fill: impl Fn(usize, &mut [f32]) + Sync) -> Vec<f32> {
    let mut buffer = vec![0.0; planes * size];
    let each = |index: usize, plane: &mut [f32]| {
        vectorised(Loop(
            #[inline(always)]
            || fill(index, plane),
        ));
    };
    chunks(&mut buffer, size, each);
    buffer
}

/// Values summed side by side, so that the compiler can use vector registers.
const LANES: usize = 16;

/// The sum of `term(a)` over a plane: 32-bit within short runs, 64-bit between them.
#[inline(always)]
pub(super) fn sum(a: &[f32], term: impl Fn(f32) -> f32) -> f64 {
    let mut lanes = [0f32; LANES];
    let (chunks, rest) = a.as_chunks::<LANES>();
    for a in chunks {
        for lane in 0..LANES {
            lanes[lane] += term(a[lane]);
        }
    }
    lanes.iter().chain(&rest.iter().map(|&a| term(a)).collect::<Vec<_>>()).map(|&value| f64::from(value)).sum()
}

/// The sums of `terms(a, b)` over two planes of one size.
#[inline(always)]
pub(super) fn sum2(a: &[f32], b: &[f32], terms: impl Fn(f32, f32) -> [f32; 2]) -> [f64; 2] {
    let mut lanes = [[0f32; LANES]; 2];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            let [first, second] = terms(a[lane], b[lane]);
            lanes[0][lane] += first;
            lanes[1][lane] += second;
        }
    }
    let mut sums = lanes.map(|lanes| lanes.iter().map(|&value| f64::from(value)).sum::<f64>());
    for (&a, &b) in a_rest.iter().zip(b_rest) {
        let [first, second] = terms(a, b);
        sums[0] += f64::from(first);
        sums[1] += f64::from(second);
    }
    sums
}

/// The scalar product of two rows.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; LANES];
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}
