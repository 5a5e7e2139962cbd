//! An image too large for one pass, such as a whole slide: cut into windows of a training patch's side, put together
//! again without seams. On plain slices, no burn, no files.
//!
//! What a model scales over one image (the range of its map, the posterior that weighs its class maps) is that of the
//! windows around a pixel: they start every half side, and each weighs the less the further its middle is away, so
//! results change gradually and a pixel in the middle of a window has that window's own value.

mod axis;
mod cells;
mod soft;

pub use axis::Axis;
pub use cells::{Cells, MapScale, normalised};
pub use soft::soft_pixels;
