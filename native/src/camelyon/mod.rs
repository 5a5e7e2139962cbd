//! Camelyon16-P512: patches of Camelyon16's slides as the paper's authors sampled them (`spec` §6.2), with names,
//! folders and lists as published.
//!
//! | step | file |
//! |---|---|
//! | slides and annotations by name; published folds, counts and odd slides | `slides.rs`, `published.rs` |
//! | annotation XML; its polygons as pixels | `annotation.rs`, `polygon.rs` |
//! | tissue by Otsu's thresholds | `tissue.rs` |
//! | patches of tumour: candidates, then those kept | `metastatic.rs`, `calibration.rs` |
//! | normal patches | `normal.rs` |
//! | all of it, slide by slide; lists; numbers | `sample.rs`, `lists.rs`, `summary.rs` |

mod annotation;
mod calibration;
mod error;
mod lists;
mod metastatic;
mod normal;
mod patch;
mod png;
mod polygon;
mod published;
mod sample;
mod settings;
mod slides;
mod summary;
mod tissue;

pub(crate) use error::CamelyonError;
pub(crate) use sample::{Event, Sampled, sample};
pub(crate) use settings::{Calibration, Holes, SampleSettings};
pub(crate) use slides::find;
