/// Pixels of a chunk: each chunk is reduced by itself, then the chunks are merged.
const PIXELS: usize = 8192;
/// Most chunks of an image; the stages that merge read them all.
const MOST: usize = 256;

/// Into how many chunks a reduction over `pixels` is cut.
pub(crate) fn chunks(pixels: usize) -> usize {
    pixels.div_ceil(PIXELS).clamp(1, MOST)
}
