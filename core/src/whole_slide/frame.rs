//! A slide in the model's pixels.

use super::LEAST;

/// Slides may be this much coarser than the model without being called enlarged.
const COARSER: f64 = 1.05;

/// How large a slide is for a model: whole pixels of the model cover it; a scanner's two scales may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Width and height in pixels of the model.
    pub size: [usize; 2],
    /// Pixels of level 0 in one of the model, across and down.
    pub step: [f64; 2],
    /// Microns per pixel, across and down.
    pub mpp: [f64; 2],
}

/// Why a slide cannot be seen as the model sees images.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It would be enlarged.
    #[error(
        "its pixels are {own:.3} µm, the model's {wanted} µm: it would only be enlarged; use a model trained at this scale"
    )]
    Coarser {
        /// Microns per pixel of the slide.
        own: f64,
        /// Of the model.
        wanted: f64,
    },
    /// It is hardly a picture.
    #[error("{width}×{height} pixels at the model's scale are too few; sides must be at least {LEAST}")]
    Small {
        /// Pixels of the model.
        width: usize,
        /// Pixels of the model.
        height: usize,
    },
}

impl Frame {
    /// Of a slide of `full` pixels with `own` microns each, for a model of `wanted` microns per pixel.
    ///
    /// # Errors
    /// [`FrameError`].
    pub fn new(full: [u32; 2], own: [f64; 2], wanted: f64) -> Result<Self, FrameError> {
        if let Some(&own) = own.iter().find(|&&own| own > wanted * COARSER) {
            return Err(FrameError::Coarser { own, wanted });
        }
        let full = full.map(f64::from);
        let size = [0, 1].map(|axis| (full[axis] * own[axis] / wanted).round().max(1.0) as usize);
        if size.iter().any(|&side| side < LEAST) {
            return Err(FrameError::Small { width: size[0], height: size[1] });
        }
        let step = [0, 1].map(|axis| full[axis] / size[axis] as f64);
        Ok(Self { size, step, mpp: [0, 1].map(|axis| step[axis] * own[axis]) })
    }
}
