//! Convolution of planes `[B, C, H, W]`, as training has them, with both gradients. A piece of a map becomes blocks on its
//! way into the arithmetic, and its result planes on the way out: next to hundreds of products a value that costs little,
//! and no map is in memory twice.

mod by_input;
mod by_weight;
mod convolve;
mod pieces;
mod window;

pub use by_input::by_input;
pub use by_weight::by_weight;
pub use convolve::convolve;

use std::ops::Range;

use super::conv::Conv;
use crate::parallel;

/// Output channels whose weights are packed together, and that a piece has at most.
const GROUP: usize = 128;

/// A convolution without bias in groups of output channels; `fill(output, input, taps)` gives the weights of both.
fn groups(
    [outputs, inputs]: [usize; 2],
    kernel: [usize; 2],
    stride: usize,
    fill: impl Fn(usize, usize, &mut [f32]) + Sync,
) -> Vec<Conv> {
    let taps = kernel[0] * kernel[1];
    let groups: Vec<Range<usize>> =
        (0..outputs).step_by(GROUP).map(|first| first..outputs.min(first + GROUP)).collect();
    parallel::map(groups, |group| {
        let mut weight = vec![0.0; group.len() * inputs * taps];
        for (index, weight) in weight.chunks_exact_mut(taps).enumerate() {
            fill(group.start + index / inputs, index % inputs, weight);
        }
        Conv::with_kernel(&weight, &vec![0.0; group.len()], inputs, kernel, stride)
    })
}

#[cfg(test)]
mod tests;
