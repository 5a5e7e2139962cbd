//! Training on the CPU: what burn-flex lacks. Each operation is `None` on any other device, where `train` then takes
//! burn's own; without this module training is the same, and slower.
//!
//! A training step spends most of its time in three places there: the backward of convolutions, which burn computes as
//! a convolution with a kernel as large as the map, or channel by channel where it is depthwise; its forward, which
//! transposes the map value by value; and batch normalisation with its activation, which burn composes of a dozen
//! passes over the map.

mod batch_norm;
mod conv2d;
mod depthwise;
mod planes;

pub(super) use batch_norm::forward as batch_norm_act;
pub(super) use conv2d::forward as conv2d;
pub(super) use depthwise::forward as depthwise_conv2d;
