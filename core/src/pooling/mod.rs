//! From modality maps to class scores: class-wise pooling, then spatial pooling (`spec` §1.3).

mod class_wise;
mod wildcat;

pub use class_wise::class_wise;
pub use wildcat::{Positions, WildcatPooling};
