//! A network in use on a CPU: feature maps in blocks of 16 channels, weights packed once, convolution with bias, shortcut
//! and activation in one pass. Training's convolutions of planes, and their gradients, go through the same kernels.

mod conv;
mod depthwise;
mod map;
mod on_blocks;
mod planes;
mod resample;
mod tile;
mod transposed;

pub use conv::{Conv, Placement, Sample};
pub use depthwise::{Depthwise, Expansion};
pub use map::{BLOCK, Map};
pub use planes::{by_input, by_weight, convolve};
pub use resample::{MaxPool, nearest_double};
