//! Operations with a form of their own, by what they serve:
//!
//! | module | what |
//! |---|---|
//! | `infer` | a network in use: convolution, bias, shortcut and activation in one operation |
//! | `blocks` | the same on the CPU, from the first convolution to the last without tensors |
//! | `train`, `train_cpu` | a training step, and what burn's CPU backend lacks for it |
//! | `mask` | from coarse map to masked images, with its gradient |
//! | `picture` | the model's input from pixels, and the mask painted over them |
//! | `geometry`, `activation` | padding, sizes, which kernel a convolution has; what follows it |
//! | `launch`, `limits`, `tuning` | WGSL kernels on burn's buffers; what an adapter takes; how burn's are chosen |

mod activation;
#[cfg(feature = "cpu")]
mod blocks;
#[cfg(feature = "cpu")]
mod cpu_tensor;
mod geometry;
mod infer;
#[cfg(feature = "wgsl")]
mod launch;
mod limits;
mod mask;
mod picture;
mod train;
#[cfg(feature = "cpu")]
mod train_cpu;
#[cfg(feature = "gpu")]
mod tuning;

pub use activation::Activation;
#[cfg(feature = "cpu")]
pub(crate) use blocks::{Blocks, Packed};
pub(crate) use geometry::{Form, padding};
pub use infer::{conv, depthwise, pack, pointwise, pointwise_conv};
pub use limits::{check_pass, limits};
pub use mask::{
    MaskSpec, MaskedImages, mask_images, mask_images_composed, mask_images_within, soft_mask, soft_mask_composed,
};
pub use picture::{OverlaySpec, model_input, overlay, pixels};
pub use train::{Normalised, batch_norm_act, conv2d, depthwise_conv2d};
#[cfg(feature = "gpu")]
pub use tuning::tune_by_time;
