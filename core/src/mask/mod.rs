//! From the localizer's maps to the soft mask and the two masked images (`spec` §1.4–1.6), and to a file's values.

mod grey;
mod masking;
mod min_max;
mod posterior_map;
mod region_sizes;
mod soft_threshold;

pub use grey::{binary, sixteen_bit};
pub use masking::{Regions, masked};
pub use min_max::min_max;
pub use posterior_map::posterior_map;
pub use region_sizes::{RegionSizes, region_sizes};
pub use soft_threshold::soft_threshold;
