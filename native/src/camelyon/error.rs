use std::path::{Path, PathBuf};

use histomask_core::slide::SlideError;

use crate::atomic::WriteError;
use crate::data::DataError;

/// Why a slide, or all of them, could not be sampled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CamelyonError {
    #[error("{}: {reason}", .path.display())]
    Annotation { path: PathBuf, reason: String },
    #[error(
        "{}: {slide} is a slide with tumour, but there is no {slide}.xml; put its annotation into the folder",
        .path.display()
    )]
    NoAnnotation { path: PathBuf, slide: String },
    #[error("{} and {}: two files for the slide {name}; leave one out", .first.display(), .second.display())]
    Twice { name: String, first: PathBuf, second: PathBuf },
    #[error("{0}")]
    Setting(String),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("{}: cannot be encoded ({source})", .path.display())]
    Encode { path: PathBuf, source: image::ImageError },
    #[error("a table cannot be written ({0})")]
    Table(#[from] csv::Error),
    #[error("a record cannot be written ({0})")]
    Record(#[from] serde_json::Error),
}

impl CamelyonError {
    pub(super) fn annotation(path: &Path, reason: impl Into<String>) -> Self {
        Self::Annotation { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn slide(path: &Path, reason: SlideError) -> Self {
        Self::Data(DataError::Slide { path: path.to_owned(), reason })
    }

    /// Whether it concerns one slide, so that the others go on.
    pub(super) fn of_one_slide(&self) -> bool {
        matches!(self, Self::Annotation { .. } | Self::NoAnnotation { .. } | Self::Data(_))
    }
}
