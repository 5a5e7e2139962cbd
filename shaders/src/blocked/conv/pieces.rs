//! Parts of a convolution's output that threads are handed.

use std::ops::Range;

use super::super::map::{Block, Map};

/// Some output blocks of some pixels.
pub(super) struct Piece<'o> {
    pub(super) block: usize,
    /// Output blocks.
    pub(super) blocks: usize,
    pub(super) parts: Vec<Part<'o>>,
}

/// Pixels of one sample.
pub(super) struct Part<'o> {
    pub(super) sample: usize,
    pub(super) pixels: Range<usize>,
    pub(super) blocks: Vec<&'o mut [Block]>,
}

/// Pieces for each of several threads, at least: one that is late is waited for.
const PIECES: usize = 4;

/// Strips of `strip` pixels, or where that is a whole map and more, `together` maps; in as many groups of output blocks
/// as threads need, since what a piece sees has to be made ready for each of them.
pub(super) fn pieces(threads: usize, outputs: &mut [Map], strip: usize, together: usize) -> Vec<Piece<'_>> {
    let (plane, blocks) = outputs.first().map_or((0, 0), |map| (map.pixels(), map.blocks()));
    let (plane, strip, together) = (plane.max(1), strip.max(1), together.max(1));
    let strips = plane.div_ceil(strip);
    let bundles = if strips > 1 { outputs.len() * strips } else { outputs.len().div_ceil(together) };
    let wanted = if threads == 1 { 1 } else { PIECES * threads };
    let group = (blocks * bundles / wanted).clamp(2, blocks.max(2)) / 2 * 2;
    let groups = blocks.div_ceil(group);
    let piece = |index: usize| {
        let block = index % groups * group;
        Piece { block, blocks: group.min(blocks - block), parts: Vec::with_capacity(together) }
    };
    let mut pieces: Vec<_> = (0..bundles * groups).map(piece).collect();
    for (sample, output) in outputs.iter_mut().enumerate() {
        for (block, output) in output.used().chunks_mut(plane).enumerate() {
            for (index, output) in output.chunks_mut(strip).enumerate() {
                let bundle = if strips > 1 { sample * strips + index } else { sample / together };
                let piece = &mut pieces[bundle * groups + block / group];
                if block == piece.block {
                    let pixels = index * strip..index * strip + output.len();
                    piece.parts.push(Part { sample, pixels, blocks: Vec::with_capacity(piece.blocks) });
                }
                if let Some(part) = piece.parts.last_mut() {
                    part.blocks.push(output);
                }
            }
        }
    }
    pieces
}
