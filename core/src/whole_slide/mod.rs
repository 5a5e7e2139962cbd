//! A model on a whole slide: what is computed of it, in which order, and how a mask is put together of the parts.
//!
//! The same for a program that reads files and keeps its results on disk, and for a browser's tab: a [`Frame`] says how
//! large the slide is for the model, a [`Plan`] which [`Unit`]s it is made of, [`Parts`] computes each, in any order,
//! into bytes that may be kept ([`Results`]), and [`Compose`] makes rows of the mask from them. `docs/SLIDES.md` defines
//! what is scaled over a slide.

mod blend;
mod compose;
mod coverage;
mod frame;
mod given;
mod measures;
mod model;
mod parts;
mod plan;
mod record;
mod tissue;
mod verdict;

pub use compose::{Band, Bands, Compose, ComposeError, Results};
pub use coverage::{Coverage, CoveredRows};
pub use frame::{Frame, FrameError};
pub use given::doubts;
pub use measures::Measures;
pub use model::SlideModel;
pub use parts::Parts;
pub use plan::{Plan, Unit, Whole};
pub use record::{Mapped, Seen};
pub use tissue::{find_tissue, tissue_geojson};
pub use verdict::{Tile, Verdict};

/// Fewest pixels of a side that the network takes.
pub(crate) const LEAST: usize = 32;
