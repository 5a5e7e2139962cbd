//! How far masks deserve belief, measured without true masks (`docs/TRUST.md`).

mod class_curves;
mod correlation;
mod features;
mod groups;
mod image;
mod measure;
mod output;
mod probes;
mod report;
mod stability;
mod summary;
mod verdict;

pub use features::{FrozenFeatures, Regions};
pub use groups::groups;
pub use image::ImageTrust;
pub use measure::{Options, TemperatureFrom, Trust, TrustError, measure};
pub use output::{remove_of_others, write};
pub use probes::{Probes, probe};
pub use report::{add_to_report, text};
pub use stability::{flip_stability, orientation_stability, stain_stability};
pub use summary::{Calibration, Correlation, Summary};
pub use verdict::sentence;
