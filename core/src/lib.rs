//! Weakly supervised classification and segmentation of histology patches.
//!
//! From image-level labels alone, a max-min model (Belharbi et al., IEEE TMI 2022) learns which class a patch
//! belongs to and which pixels made it so: certain on the foreground it is shown, maximally uncertain on the
//! background, and a log-barrier keeps either region from taking the whole image.
//!
//! This crate holds the model, the losses and the metrics on [burn]. It touches no file, network or clock, and
//! builds for `wasm32`. Load a model, give it an RGB image, get class, mask and uncertainty:
//!
//! ```no_run
//! # fn main() -> Result<(), histomask_core::Error> {
//! # let (file, pixels) = (vec![], vec![0; 512 * 512 * 3]);
//! use histomask_core::{Device, RgbView, Segmenter};
//!
//! let segmenter = Segmenter::from_safetensors(&file, &Device::flex())?;
//! let result = segmenter.segment(RgbView::new(&pixels, 512, 512)?)?;
//! if let Some(class) = result.class {
//!     println!("{} {:?}", segmenter.card().classes[class], result.probabilities);
//! }
//! println!("background uncertainty {:?}", result.background_uncertainty);
//! let foreground = result.mask.iter().filter(|&&value| value >= 0.5).count(); // 512 * 512 values in [0, 1]
//! # Ok(()) }
//! ```
//!
//! | module | what |
//! |---|---|
//! | [`model`], [`backbone`], [`head`], [`pooling`], [`mask`] | the network, in the order an image takes |
//! | [`method`] | the methods of the paper's tables, max-min among them, behind one interface |
//! | [`loss`], [`schedule`] | what training minimises |
//! | [`metric`] | what evaluation reports |
//! | [`refine`] | what a mask gains from the image's own colours |
//! | [`outline`] | masks as polygons, GeoJSON |
//! | [`mosaic`] | images too large for one pass, put together without seams |
//! | `slide`, `whole_slide` | reading whole slides; a model on them; with the feature `slide` |
//! | [`caution`] | images whose result is doubtful |
//! | [`trust`] | how far a mask deserves belief, without masks |
//! | [`kernel`] | operations with a backward of their own |
//! | [`weights`], [`card`], [`preprocess`], [`segmenter`] | models as files, and their use |

pub mod backbone;
pub mod card;
pub mod caution;
mod classify;
pub mod config;
mod error;
pub mod head;
#[cfg(feature = "decode")]
#[cfg_attr(not(feature = "slide"), expect(dead_code, reason = "slides read more of a directory than pictures do"))]
mod ifd;
pub mod kernel;
mod local_maps;
pub mod loss;
#[cfg(feature = "decode")]
mod lzw;
pub mod mask;
pub mod method;
pub mod metric;
pub mod model;
pub mod mosaic;
pub mod outline;
#[cfg(any(feature = "cpu", feature = "slide"))]
mod parallel;
#[cfg(feature = "decode")]
pub mod picture_file;
pub mod plain_cell;
pub mod pooling;
pub mod preprocess;
pub mod refine;
mod regions;
pub mod resample;
pub mod runs;
pub mod schedule;
pub mod segmenter;
pub mod self_check;
#[cfg(feature = "slide")]
pub mod slide;
pub mod trust;
pub mod weights;
#[cfg(feature = "slide")]
pub mod whole_slide;

pub use burn;
pub use burn::tensor::Device;
pub use card::ModelCard;
pub use config::MethodKind;
pub use error::Error;
pub use histomask_shaders as shaders;
pub use local_maps::LocalMaps;
pub use preprocess::RgbView;
pub use segmenter::{Observation, Segmentation, Segmenter};
