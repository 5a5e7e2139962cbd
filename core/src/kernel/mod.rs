//! Operations that burn's CPU backend has no fast form of, each with its own backward.
//!
//! A training step spends most of its time in three places there: the backward of convolutions, which burn computes as
//! a convolution with a kernel as large as the map, or channel by channel where it is depthwise; its forward, which
//! transposes the map value by value; and batch normalisation with its activation, which burn composes of a dozen
//! passes over the map. On every other device these functions are burn's own composition. Tests compare the two.
//!
//! Networks in use go through `conv/` on every device: convolution, bias and activation in one operation.

#[cfg(feature = "cpu")]
mod batch_norm_cpu;
#[cfg(feature = "cpu")]
mod cpu_tensor;
#[cfg(feature = "cpu")]
mod depthwise_cpu;
#[cfg(feature = "cpu")]
mod planes;

#[cfg(feature = "wgsl")]
mod launch;

mod batch_norm;
mod chunks;
mod conv;
mod conv2d;
mod depthwise;
mod limits;
mod mask;
mod picture;

pub use batch_norm::{Activation, Normalised, batch_norm_act};
pub use conv::{conv, depthwise, pack, pointwise};
pub use conv2d::conv2d;
pub use depthwise::depthwise_conv2d;
pub use limits::{check_pass, limits};
pub use mask::{MaskSpec, MaskedImages, mask_images, mask_images_composed, soft_mask, soft_mask_composed};
pub use picture::{MaskStats, OverlaySpec, mask_stats, normalize, overlay, pixels};
