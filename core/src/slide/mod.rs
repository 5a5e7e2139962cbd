//! Whole slides: pyramids of tiles, read where they are needed over [`Read`](std::io::Read) and
//! [`Seek`](std::io::Seek), so the same code serves a file of many gigabytes and a browser's `File`.
//!
//! Read are SVS, pyramidal and flat TIFF and BigTIFF, OME-TIFF with levels in SubIFDs, and Philips TIFF; tiles in JPEG,
//! JPEG 2000, Deflate, LZW, PackBits or uncompressed. `docs/SLIDES.md` has the table and how it agrees with OpenSlide.
//! Other kinds may be lent by another library ([`Slide::other`]).
//!
//! Labels and macros carry names: they are listed, and decoded only by [`Slide::associated_image`].

mod cache;
mod error;
mod grid;
mod jpeg;
mod jpeg2000;
mod layout;
mod other;
mod otsu;
mod pyramid;
mod reader;
mod scale;
mod source;
mod tile;
mod tiled;
pub mod tissue;
mod ycbcr;

pub use error::SlideError;
pub use layout::Vendor;
pub use other::{OtherPixels, OtherSlide};
pub use otsu::otsu;
pub use pyramid::{PyramidText, PyramidWriter};
pub use reader::{Level, Slide};
