//! WGSL kernels for what only histomask does, and a CPU twin of each.
//!
//! A kernel is one file of `wgsl/`, one compute stage, valid WGSL by itself: `build.rs` has naga check it and
//! generates its [`Kernel`] (bindings, workgroup size) and its parameters. The module of the same name holds the
//! twin: the same stage in plain Rust on slices, which serves the CPU backend and which tests compare it with.
//!
//! | stage | from | to |
//! |---|---|---|
//! | `map_range`, `map_range_merge` | coarse map | minimum and inverse range of the resampled map, and where its extremes are |
//! | `soft_mask` | coarse map, range | soft mask at the image's size (Eq. 12) |
//! | `mask_regions` | coarse map, range, image | X⁺ and X⁻ at the classifier's size |
//! | `mask_size`, `sum_merge` | coarse map, range | size of the foreground (Eq. 10) |
//! | `mask_regions_backward`, `sum_merge`, `map_backward` | gradient of the regions and the size | gradient of the coarse map |
//! | `mask_stats`, `mask_stats_merge` | mask, true mask | sizes, entropy, counts |
//! | `normalize` | RGBA bytes | the model's input |
//! | `overlay` | image, mask, colours | the painted image |
//! | `pointwise`, `depthwise`, `conv` | feature map, weights | the next feature map, activated |

mod activation;
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
mod mask_stats;
mod mask_stats_merge;
mod normalize;
mod overlay;
mod parallel;
mod pointwise;
mod product;
mod sigmoid;
mod soft_mask;
mod sum_merge;
pub mod taps;
mod tier;
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
pub use mask_stats::mask_stats;
pub use mask_stats_merge::mask_stats_merge;
pub use normalize::normalize;
pub use overlay::{PREDICTED_EDGE, TRUE_EDGE, edge_thickness, overlay};
pub use pointwise::pointwise;
pub use product::TILE;
pub use soft_mask::soft_mask;
pub use sum_merge::sum_merge;
pub use vectorised::vectorised;

include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    /// WGSL has no imports: what several files need stands in each, and must not drift apart.
    #[test]
    fn functions_of_one_name_have_one_text() {
        let mut texts: HashMap<&str, (&str, &str)> = HashMap::new();
        for kernel in crate::ALL {
            for function in kernel.source.split("\nfn ").skip(1) {
                let text = function.split("\n}").next().unwrap_or_default();
                let name = text.split('(').next().unwrap_or_default();
                let (first, known) = *texts.entry(name).or_insert((kernel.name, text));
                assert!(name == "main" || known == text, "{name} differs between {first} and {}", kernel.name);
            }
        }
        assert!(texts.contains_key("taps") && texts.contains_key("soft"), "{:?}", texts.keys());
    }
}
