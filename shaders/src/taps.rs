//! Bilinear resampling: which two inputs an output position reads, and how much of each.
//!
//! In whole numbers up to the last division, so that a GPU, a CPU and a browser agree on the positions to the bit.

/// The two taps of one output position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taps {
    /// Index of the first input.
    pub low: usize,
    /// Index of the second, the same at the end of the row.
    pub high: usize,
    /// Weight of the second, in `[0, 1)`.
    pub fraction: f32,
}

/// Taps of `position` among `output` positions over `input` ones, with PyTorch's conventions.
#[must_use]
pub fn taps(position: usize, output: usize, input: usize, align_corners: bool) -> Taps {
    let (numerator, denominator) = if align_corners {
        (position * (input - 1), (output - 1).max(1))
    } else {
        (((2 * position + 1) * input).saturating_sub(output), 2 * output)
    };
    let low = (numerator / denominator).min(input - 1);
    let fraction = (numerator - low * denominator) as f32 / denominator as f32;
    Taps { low, high: (low + 1).min(input - 1), fraction }
}
