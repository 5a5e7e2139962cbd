//! WGSL kernels for what only histomask does, and a CPU twin of each.
//!
//! A kernel is one file of `wgsl/`, one compute stage; what several of them need stands once in `wgsl/shared/`.
//! `build.rs` puts them together, has naga check the text and generates its [`Kernel`] (bindings, workgroup size) and
//! its parameters. The module of the same name holds the
//! twin: the same stage in plain Rust on slices, which serves the CPU backend and which tests compare it with.
//!
//! | stage | from | to |
//! |---|---|---|
//! | `map_range`, `map_range_merge` | coarse map | minimum and inverse range of the resampled map, and where its extremes are |
//! | `soft_mask` | coarse map, range | soft mask at the image's size (Eq. 12) |
//! | `mask_regions` | coarse map, range, image | X⁺ and X⁻ at the classifier's size |
//! | `mask_size`, `sum_merge` | coarse map, range | size of the foreground (Eq. 10) |
//! | `mask_regions_backward`, `sum_merge`, `map_backward` | gradient of the regions and the size | gradient of the coarse map |
//! | `model_input` | RGBA bytes | the model's input |
//! | `overlay` | image, mask, colours | the painted image |
//! | `pointwise`, `depthwise`, `conv` | feature map, weights | the next feature map, activated |

mod activation;
pub mod blocked;
pub mod colormap;
mod conv;
mod depthwise;
mod kernel;
mod limits;
mod map_backward;
mod map_range;
mod map_range_merge;
mod mask_regions;
mod mask_regions_backward;
mod mask_size;
mod model_input;
mod overlay;
pub mod parallel;
mod peak;
mod pointwise;
mod product;
mod resize;
mod sigmoid;
mod soft_mask;
mod sum_merge;
pub mod taps;
mod vectorised;

pub use conv::conv;
pub use depthwise::depthwise;
pub use kernel::Kernel;
pub use limits::{LimitError, Limits, MAX_SIDE};
pub use map_backward::map_backward;
pub use map_range::map_range;
pub use map_range_merge::map_range_merge;
pub use mask_regions::mask_regions;
pub use mask_regions_backward::mask_regions_backward;
pub use mask_size::mask_size;
pub use model_input::model_input;
pub use overlay::{PREDICTED_EDGE, TRUE_EDGE, edge_thickness, overlay};
pub use peak::multiply_adds;
pub use pointwise::pointwise;
pub use product::TILE;
pub use resize::resize;
pub use soft_mask::{soft, soft_mask};
pub use sum_merge::sum_merge;
pub use vectorised::vectorised;

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));
