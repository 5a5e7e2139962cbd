//! Errors as JavaScript sees them.

use histomask_core::outline::GeoJsonError;
use histomask_core::picture_file::PictureError;
use histomask_core::slide::SlideError;
use histomask_core::whole_slide::{ComposeError, FrameError};
use wasm_bindgen::JsValue;

/// What can go wrong in the tab.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Of model, image or numbers.
    #[error(transparent)]
    Core(#[from] histomask_core::Error),
    /// WebGPU was asked for and is not there.
    #[error("this browser offers no WebGPU adapter; choose the CPU")]
    NoWebGpu,
    /// Neither a device's name nor `auto`.
    #[error("there is no device {0:?}; there are auto, gpu and cpu")]
    NoSuchDevice(String),
    /// The GPU computes something else than the CPU.
    #[error("this GPU's results differ from the CPU's by {0:.1e}; they are not to be trusted")]
    WrongNumbers(f32),
    /// The GPU is slower than the CPU, where the faster one was asked for.
    #[error("it takes {gpu:.2} s for an image, and the CPU {cpu:.2} s")]
    SlowGpu {
        /// Seconds.
        gpu: f64,
        /// Seconds.
        cpu: f64,
    },
    /// The browser refused to paint.
    #[error("the browser could not paint: {0}")]
    Canvas(String),
    /// No model was loaded yet.
    #[error("no model is loaded")]
    NoModel,
    /// More pixels than a tab should take.
    #[error(
        "an image of {width} × {height} pixels is too large for this page, which takes 4096 × 4096; crop it, or use the command line"
    )]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// Neither of the formats.
    #[error("this is not a PNG, JPEG, BMP, TIFF or WebP image")]
    UnknownFormat,
    /// Damage.
    #[error("the image cannot be decoded ({0}); is the file complete?")]
    Damaged(String),
    /// A header that promises more than the decoder may take.
    #[error("decoding this image would take more than 512 MB of memory; if it is what it says, crop it")]
    TooMuchMemory,
    /// No image that can be read as it is meant.
    #[error("{0}")]
    Picture(PictureError),
    /// The image was let go of.
    #[error("the image was put away")]
    Resting,
    /// The file's content is another one.
    #[error("the file has changed since it was added; add it again")]
    Changed,
    /// A result could not be written.
    #[error("could not write the file: {0}")]
    Export(String),
    /// The slide, or a part of it.
    #[error("{0}")]
    Slide(#[from] SlideError),
    /// Its scale.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// Its file does not say how large a pixel is.
    #[error("this slide does not say how large a pixel is; type its µm per pixel")]
    NoSlideScale,
    /// The model's card does not say how large a pixel was.
    #[error("this model does not say at which µm per pixel it was trained; it can't be used on slides")]
    NoModelScale,
    /// What was drawn or given.
    #[error("{0}")]
    Region(#[from] GeoJsonError),
    /// Results of parts.
    #[error("the slide's mask: {0}")]
    Compose(String),
}

impl Failure {
    /// What the page distinguishes.
    fn name(&self) -> &'static str {
        use histomask_core::Error;
        match self {
            Self::SlowGpu { .. } => "SlowError",
            Self::WrongNumbers(_) | Self::Core(Error::Device(_)) | Self::Canvas(_) => "DeviceError",
            Self::Core(Error::Limit(_)) => "LimitError",
            _ => "Error",
        }
    }
}

impl From<PictureError> for Failure {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::TooMuchMemory => Self::TooMuchMemory,
            PictureError::TooLarge { width, height } => Self::TooLarge { width, height },
            PictureError::UnknownFormat { .. } => Self::UnknownFormat,
            PictureError::Damaged(reason) => Self::Damaged(reason),
            error => Self::Picture(error),
        }
    }
}

impl<S: std::error::Error> From<ComposeError<S>> for Failure {
    fn from(error: ComposeError<S>) -> Self {
        match error {
            ComposeError::Model(error) => Self::Core(error),
            error => Self::Compose(error.to_string()),
        }
    }
}

impl From<Failure> for JsValue {
    fn from(failure: Failure) -> Self {
        let error = js_sys::Error::new(&failure.to_string());
        error.set_name(failure.name());
        error.into()
    }
}
