//! Evaluation of a model against labels and masks (`spec` §4).

mod results;

use std::path::PathBuf;

use histomask_core::metric::{ClassConfusion, EmptyRule, MaskEvaluator, MaskScores};
use histomask_core::{RgbView, Segmentation, Segmenter};
use image::RgbImage;

pub use results::{ImageResult, write_results};

use crate::data::Sample;
use crate::data::image::{read_mask, read_rgb};
use crate::profile::{EmptyMasks, EvaluationConfig};

/// A model judged on a set of samples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// One result an image, in the order of the samples.
    pub images: Vec<ImageResult>,
    /// Classification error in percent (Eq. 13); 100 if no image could be evaluated.
    pub class_error: f64,
    /// Confusion of classes, rows predicted.
    pub confusion: ClassConfusion,
    /// Scores of the masks, where any sample has one.
    pub masks: Option<MaskScores>,
    /// Mean foreground of the predicted masks, in percent of the image.
    pub mean_foreground: f64,
    /// Samples that could not be evaluated, with the reason.
    pub failed: Vec<(PathBuf, String)>,
}

/// Runs a model over samples, one image at a time at full resolution (`spec` §4).
///
/// An image that cannot be read is set aside in [`Evaluation::failed`] and the rest goes on; an interrupt ends it with
/// what there is. `progress` hears how many of how many are done.
pub fn evaluate(
    segmenter: &Segmenter,
    samples: &[Sample],
    config: &EvaluationConfig,
    progress: &dyn Fn(usize, usize),
) -> Evaluation {
    let classes = segmenter.card().classes.len();
    let mut confusion = ClassConfusion::new(classes);
    let rule = match config.empty_masks {
        EmptyMasks::Raw => EmptyRule::Raw,
        EmptyMasks::Skip => EmptyRule::SkipEmpty,
    };
    let mut masks = MaskEvaluator::new(config.threshold as f32, rule);
    let mut images = Vec::with_capacity(samples.len());
    let mut failed = Vec::new();
    for (index, sample) in samples.iter().enumerate() {
        if crate::interrupt::asked() {
            break;
        }
        let judged = segment_file(segmenter, &sample.image)
            .map_err(|error| error.to_string())
            .and_then(|(_, segmentation)| judge(sample, &segmentation, config, &mut masks))
            .and_then(|result| {
                confusion.update(result.predicted, sample.label).map_err(|error| error.to_string())?;
                Ok(result)
            });
        match judged {
            Ok(result) => images.push(result),
            Err(error) => failed.push((sample.image.clone(), error)),
        }
        progress(index + 1, samples.len());
    }
    let any_mask = images.iter().any(|image: &ImageResult| image.truth_percent.is_some());
    let foreground: f64 = images.iter().map(|image| image.foreground_percent).sum();
    Evaluation {
        class_error: confusion.error_percent().unwrap_or(100.0),
        mean_foreground: foreground / images.len().max(1) as f64,
        masks: any_mask.then(|| masks.compute()),
        images,
        confusion,
        failed,
    }
}

/// An image that could not be read or segmented.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentFileError {
    /// Reading.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// Segmenting.
    #[error("{path}: {source}")]
    Core {
        /// The file.
        path: PathBuf,
        /// Why.
        source: histomask_core::Error,
    },
}

/// Decodes a file and runs the model on it.
///
/// # Errors
///
/// [`SegmentFileError`] naming the file.
pub fn segment_file(
    segmenter: &Segmenter,
    path: &std::path::Path,
) -> Result<(RgbImage, Segmentation), SegmentFileError> {
    let image = read_rgb(path)?;
    let (width, height) = image.dimensions();
    let failed = |source| SegmentFileError::Core { path: path.to_owned(), source };
    let view = RgbView::new(image.as_raw(), width as usize, height as usize).map_err(failed)?;
    let segmentation = segmenter.segment(view).map_err(failed)?;
    Ok((image, segmentation))
}

fn judge(
    sample: &Sample,
    segmentation: &Segmentation,
    config: &EvaluationConfig,
    masks: &mut MaskEvaluator,
) -> Result<ImageResult, String> {
    let mut result = ImageResult::new(sample, segmentation, config.threshold);
    if let Some(path) = &sample.mask {
        let size = (segmentation.width as u32, segmentation.height as u32);
        let truth = read_mask(path, size).map_err(|error| error.to_string())?;
        let scores = masks.update(&segmentation.mask, truth.as_raw()).map_err(|error| error.to_string())?;
        result.add_mask_scores(&scores);
    }
    Ok(result)
}
