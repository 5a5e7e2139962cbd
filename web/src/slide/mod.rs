//! Whole slides in the tab: read where they lie, by parts; nothing is sent.

mod blob;
mod outcome;
mod outlines;
mod overview;
mod task;
mod view;

pub use outcome::SlideOutcome;
pub use task::SlideTask;
pub use view::SlideView;

use histomask_core::slide::Slide;

use self::blob::BlobReader;

/// A slide that the user chose.
type FileSlide = Slide<BlobReader>;
