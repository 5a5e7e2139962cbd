//! How far masks deserve belief, measured without true masks (`docs/TRUST.md`).

mod class_curves;
mod features;
mod groups;
mod measure;
mod output;
mod report;
mod stability;
mod summary;
mod verdict;

pub use features::{FrozenFeatures, Regions};
pub use groups::groups;
pub use measure::{ImageTrust, Options, TemperatureFrom, Trust, TrustError, measure};
pub use output::write;
pub use report::{add_to_report, text};
pub use stability::{flip_stability, orientation_stability, stain_stability};
pub use summary::{Calibration, Correlation, Probes, Summary};
pub use verdict::sentence;
