//! What can go wrong with a data set, worded for the person who made it.

use std::path::{Path, PathBuf};

use histomask_core::outline::GeoJsonError;
use histomask_core::picture_file::PictureError;
use histomask_core::slide::SlideError;
use thiserror::Error;

use super::Split;
use super::check::Problems;
use crate::augment::AugmentError;

/// A data set, or one of its files, that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file or folder that something names is not there.
    #[error("{path}: no such file or folder; check the path, or the list that names it")]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// The operating system refused to read.
    #[error("{path}: cannot be read: {reason}; {}", Self::remedy(.reason))]
    Io {
        /// What was being read.
        path: PathBuf,
        /// The system's answer.
        reason: std::io::Error,
    },
    /// Bytes that are no image or mask, or none that can be read as it is meant.
    #[error("{path}: {reason}")]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: PictureError,
    },
    /// A file that is no slide, or one that cannot be read.
    #[error("{path}: {reason}")]
    Slide {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: SlideError,
    },
    /// A slide that takes OpenSlide, which this program was built without.
    #[error("{path}: {}", Self::needs_openslide(.what))]
    NeedsOpenSlide {
        /// The file.
        path: PathBuf,
        /// Its kind.
        what: String,
    },
    /// A file that holds no polygons.
    #[error("{path}: {reason}")]
    GeoJson {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: GeoJsonError,
    },
    /// A text that is too long to be held in memory with all that it says.
    #[error(
        "{path}: more than {} MiB of text, unpacked; write fewer or simpler polygons (here with --simplify), or divide the \
         file",
        .most >> 20
    )]
    LongText {
        /// The file.
        path: PathBuf,
        /// Most bytes.
        most: u64,
    },
    /// A folder that is not laid out as expected.
    #[error("{path}: {reason}")]
    Layout {
        /// The folder or list.
        path: PathBuf,
        /// What is missing and what to do.
        reason: String,
    },
    /// A row of a list that makes no sense.
    #[error("{path}, line {line}: {reason}")]
    Row {
        /// The list.
        path: PathBuf,
        /// Line in the file, counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A class that was not announced.
    #[error("{place}: unknown class `{label}`{hint} (known classes: {known})")]
    UnknownLabel {
        /// The file and line, or the folder.
        place: String,
        /// The name found.
        label: String,
        /// `, did you mean …`, or nothing.
        hint: String,
        /// The names expected.
        known: String,
    },
    /// A class too small to be in every split.
    #[error(
        "class `{class}` has {found} image(s), but dividing it takes at least {needed}; add images or name the splits"
    )]
    TooFewImages {
        /// The class.
        class: String,
        /// How many images it has.
        found: usize,
        /// How many it needs.
        needed: usize,
    },
    /// Given splits that put images of one patient on both sides.
    #[error(
        "{path}: group `{group}` stands in {} ({}) and in {} ({}){more}; put each group into one split, leave the \
         split column out to have splits drawn by group, or the group column if it means something else",
        .places[0].0, .places[0].1, .places[1].0, .places[1].1
    )]
    DividedGroup {
        /// The list.
        path: PathBuf,
        /// The first such group.
        group: String,
        /// Two splits, each with an image of the group in it.
        places: Box<[(Split, String); 2]>,
        /// `, and so do … more`, or nothing.
        more: String,
    },
    /// Too few groups to be in two splits.
    #[error(
        "all images have the same group, and no group is divided between splits; correct the groups, leave them out, \
         or name the splits (groups: {found})"
    )]
    TooFewGroups {
        /// How many there are.
        found: usize,
    },
    /// A value out of range in the `[data]` settings.
    #[error("setting `{setting}`: {reason}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// What is wrong with its value.
        reason: String,
    },
    /// An image that could not be brought to the network's input size.
    #[error("{path}: {reason}")]
    Augment {
        /// The image.
        path: PathBuf,
        /// Why.
        reason: AugmentError,
    },
    /// Everything found wrong by [`crate::data::check::check`].
    #[error("{root}: {problems}")]
    Problems {
        /// The data set.
        root: PathBuf,
        /// All problems.
        problems: Problems,
    },
    /// A background thread that loads images ended early.
    #[error("a loading thread stopped ({reason}); please report this with the data set's layout")]
    Worker {
        /// What is known about it.
        reason: String,
    },
}

impl DataError {
    pub(crate) fn picture(path: &Path, reason: PictureError) -> Self {
        Self::Picture { path: path.to_owned(), reason }
    }

    fn remedy(reason: &std::io::Error) -> &'static str {
        match reason.kind() {
            std::io::ErrorKind::IsADirectory => "name a file, or rename the folder if its name looks like one",
            _ => "check that you may read it, and that the disk is sound",
        }
    }

    pub(super) fn needs_openslide(what: &str) -> String {
        format!(
            "{what}, which takes OpenSlide: build this program with `--features openslide` (docs/SLIDES.md), or convert the \
             slide to pyramidal TIFF"
        )
    }

    /// [`Self::Missing`] for a file that is not there, else [`Self::Io`].
    pub(crate) fn io(path: &Path, reason: std::io::Error) -> Self {
        let path = path.to_owned();
        if reason.kind() == std::io::ErrorKind::NotFound { Self::Missing { path } } else { Self::Io { path, reason } }
    }
}
