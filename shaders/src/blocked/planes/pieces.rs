//! Parts of the planes that a convolution writes, as threads are handed them.

use std::ops::Range;

use super::GROUP;

/// Rows of a group of channels, of one sample or the whole of several.
pub(super) struct Piece<'o> {
    /// Of channels.
    pub(super) group: usize,
    pub(super) rows: Range<usize>,
    pub(super) parts: Vec<Part<'o>>,
}

/// Of one sample.
pub(super) struct Part<'o> {
    pub(super) sample: usize,
    /// These rows of each channel.
    pub(super) planes: Vec<&'o mut [f32]>,
}

/// Values of a piece's input, about: they stay in a processor's second cache.
const WINDOW: usize = 65_536;
/// Samples of a piece, at most.
const TOGETHER: usize = 4;

/// How a convolution's output is divided.
pub(super) struct Division {
    /// Channels, rows and columns of the output.
    pub(super) output: [usize; 3],
    /// Values of the input that a row of the output needs for itself.
    pub(super) row: usize,
    /// Rows that are not divided.
    pub(super) step: usize,
}

impl Division {
    /// The pieces of `output` `[B, C, H, W]`. Where a map is one piece, samples are put together: weights are read for
    /// all of them at once.
    pub(super) fn pieces<'o>(&self, output: &'o mut [f32]) -> Vec<Piece<'o>> {
        let [channels, height, width] = self.output;
        let most = (WINDOW / self.row.max(1)).max(4).next_multiple_of(self.step);
        let strips = height.div_ceil(most).max(1);
        let strip = height.div_ceil(strips).next_multiple_of(self.step).max(1);
        let strips = height.div_ceil(strip);
        let together = if strips > 1 { 1 } else { (most / height.max(1)).clamp(1, TOGETHER) };
        let groups = channels.div_ceil(GROUP);
        let mut pieces: Vec<Piece<'o>> = Vec::new();
        for (sample, output) in output.chunks_mut((channels * height * width).max(1)).enumerate() {
            if sample % together == 0 {
                pieces.extend((0..groups * strips).map(|index| Piece {
                    group: index / strips,
                    rows: index % strips * strip..(index % strips * strip + strip).min(height),
                    parts: Vec::with_capacity(together),
                }));
            }
            let first = pieces.len() - groups * strips;
            for (channel, plane) in output.chunks_mut((height * width).max(1)).enumerate() {
                for (index, rows) in plane.chunks_mut((strip * width).max(1)).enumerate() {
                    let piece = &mut pieces[first + channel / GROUP * strips + index];
                    if channel % GROUP == 0 {
                        piece.parts.push(Part { sample, planes: Vec::with_capacity(GROUP) });
                    }
                    if let Some(part) = piece.parts.last_mut() {
                        part.planes.push(rows);
                    }
                }
            }
        }
        pieces
    }
}
