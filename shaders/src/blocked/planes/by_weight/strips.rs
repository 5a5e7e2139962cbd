use std::ops::Range;

use super::{CHANNELS, Layer};

/// Rows of a sample's output.
pub(super) struct Strip {
    pub(super) sample: usize,
    pub(super) rows: Range<usize>,
}

/// Values of the input that a strip sees, about.
const WINDOW: usize = 32_768;

/// All of them, sample by sample.
pub(super) fn strips(layer: &Layer<'_>) -> Vec<Strip> {
    let height = layer.size[0];
    let row = layer.inputs.min(CHANNELS) * layer.x_size[1] * layer.stride;
    // a place of Winograd's form has two rows
    let most = (WINDOW / row.max(1)).max(4);
    let rows = height.div_ceil(height.div_ceil(most).max(1)).next_multiple_of(2);
    let of_sample = |sample| {
        (0..height).step_by(rows.max(1)).map(move |start| Strip { sample, rows: start..height.min(start + rows) })
    };
    (0..layer.batch).flat_map(of_sample).collect()
}
