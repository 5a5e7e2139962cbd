//! Evaluation of a model against labels and masks (`spec` §4).

mod results;

use std::path::PathBuf;
use std::sync::Arc;

use histomask_core::caution::{Caution, Known, cautions};
use histomask_core::config::MaskOf;
use histomask_core::metric::{ClassConfusion, EmptyRule, MaskEvaluator, MaskScores};
use histomask_core::picture_file::PictureNotes;
use histomask_core::{MethodKind, Observation, RgbView, Segmentation, Segmenter};
use image::RgbImage;

pub use results::{ImageResult, holds_complete, write_results};

use crate::data::image::{read_mask_noted, read_rgb_noted};
use crate::data::{Cautions, Sample, foreground_percent};
use crate::panics;
use crate::profile::{EmptyMasks, EvaluationConfig};

/// A model judged on a set of samples.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// One result an image, in the order of the samples.
    pub images: Vec<ImageResult>,
    /// The method.
    pub method: MethodKind,
    /// Whether masks depend on the class that is asked for, so that `masks` and `label_free` can differ.
    pub masks_by_class: bool,
    /// Classification error in percent (Eq. 13), 100 if no image could be evaluated; absent for methods that name no
    /// class.
    pub class_error: Option<f64>,
    /// Confusion of classes, rows predicted.
    pub confusion: ClassConfusion,
    /// Scores of the masks, where any sample has one; each is the mask of the image's true class (`spec` §5.0).
    pub masks: Option<MaskScores>,
    /// The same with the mask of the predicted class: what can be had without labels (`spec` D27). Equal to `masks` for
    /// methods whose mask does not depend on the class.
    pub label_free: Option<MaskScores>,
    /// Cross-entropy per pixel of the soft masks, mean over images, of methods that learn from masks.
    pub pixel_loss: Option<f64>,
    /// Mean foreground of the predicted masks, in percent of the image.
    pub mean_foreground: Option<f64>,
    /// Samples that could not be evaluated, with the reason.
    pub failed: Vec<(PathBuf, Arc<EvaluateError>)>,
    /// How many samples there were; more than `images` and `failed` together if an interrupt ended it.
    pub samples: usize,
    /// What the device said when it gave up, which ended it before its last sample.
    pub lost: Option<String>,
    /// What should be known of images and masks that were read, but perhaps not as they were meant.
    pub cautions: Vec<String>,
}

/// Runs a model over samples, one image at a time at full resolution (`spec` §4).
///
/// An image that cannot be read is set aside in [`Evaluation::failed`] and the rest goes on; an interrupt or a lost
/// device ([`Evaluation::lost`]) ends it with what there is. `progress` hears how many of how many are done.
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
    let card = segmenter.card();
    let method = card.model.method;
    let mut judge = Judge {
        config,
        by_class: method.masks_by_class() && card.model.mask_of == MaskOf::Class,
        masks: MaskEvaluator::new(config.threshold as f32, rule),
        label_free: MaskEvaluator::new(config.threshold as f32, rule),
        pixel_losses: Vec::new(),
        cautions: Cautions::default(),
    };
    let mut images = Vec::with_capacity(samples.len());
    let (mut failed, mut lost) = (Vec::new(), None);
    for (index, sample) in samples.iter().enumerate() {
        if crate::interrupt::asked() {
            break;
        }
        let judged = panics::unless_lost(|| {
            let (image, notes, observation) = run_on_file(&sample.image, |view| segmenter.observe(view))?;
            judge.cautions.doubts(&sample.image, &doubts(&image, &notes, segmenter));
            let result = judge.image(sample, &notes, &observation)?;
            if let Some(predicted) = result.predicted {
                confusion.update(predicted, sample.label)?;
            }
            Ok::<_, EvaluateError>(result)
        });
        match judged {
            Ok(Ok(result)) => images.push(result),
            Ok(Err(error)) => match error.device().and_then(panics::device_line) {
                Some(said) => lost = Some(said.to_owned()),
                None => failed.push((sample.image.clone(), Arc::new(error))),
            },
            Err(said) => lost = Some(said),
        }
        if lost.is_some() {
            break;
        }
        progress(index + 1, samples.len());
    }
    let any_mask = images.iter().any(|image: &ImageResult| image.truth_percent.is_some());
    let foreground: f64 = images.iter().map(|image| image.foreground_percent).sum();
    Evaluation {
        method,
        masks_by_class: judge.by_class,
        class_error: (method.names_class() && !samples.is_empty()).then(|| confusion.error_percent().unwrap_or(100.0)),
        mean_foreground: (!images.is_empty()).then(|| foreground / images.len() as f64),
        masks: any_mask.then(|| judge.masks.compute()),
        label_free: any_mask.then(|| if judge.by_class { judge.label_free.compute() } else { judge.masks.compute() }),
        pixel_loss: (any_mask && method.learns_from_masks())
            .then(|| judge.pixel_losses.iter().sum::<f64>() / judge.pixel_losses.len().max(1) as f64),
        images,
        confusion,
        failed,
        samples: samples.len(),
        lost,
        cautions: judge.cautions.lines(),
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

/// Decodes a file and runs the model on it; with the result comes what should be known of the image.
///
/// # Errors
///
/// [`SegmentFileError`] naming the file.
pub fn segment_file(
    segmenter: &Segmenter,
    path: &std::path::Path,
) -> Result<(RgbImage, PictureNotes, Segmentation), SegmentFileError> {
    run_on_file(path, |view| segmenter.segment(view))
}

/// Decodes a file and runs the model on it, for masks of any class.
///
/// # Errors
///
/// [`SegmentFileError`] naming the file.
pub fn observe_file(
    segmenter: &Segmenter,
    path: &std::path::Path,
) -> Result<(RgbImage, Observation), SegmentFileError> {
    let (image, _, observation) = run_on_file(path, |view| segmenter.observe(view))?;
    Ok((image, observation))
}

/// What makes the result of an image doubtful.
#[must_use]
pub fn doubts(image: &RgbImage, notes: &PictureNotes, segmenter: &Segmenter) -> Vec<Caution> {
    let view = RgbView::new(image.as_raw(), image.width() as usize, image.height() as usize);
    let known = Known { mpp: notes.mpp, unused_bits: notes.unused_bits.is_some() };
    view.map(|view| cautions(view, known, segmenter.card())).unwrap_or_default()
}

fn run_on_file<T>(
    path: &std::path::Path,
    run: impl Fn(RgbView<'_>) -> Result<T, histomask_core::Error>,
) -> Result<(RgbImage, PictureNotes, T), SegmentFileError> {
    let (image, notes) = read_rgb_noted(path)?;
    let (width, height) = image.dimensions();
    let failed = |source| SegmentFileError::Core { path: path.to_owned(), source };
    let view = RgbView::new(image.as_raw(), width as usize, height as usize).map_err(failed)?;
    let result = run(view).map_err(failed)?;
    Ok((image, notes, result))
}

/// Why an image could not be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// Reading or segmenting the image.
    #[error(transparent)]
    File(#[from] SegmentFileError),
    /// Its true mask.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// The model's mask.
    #[error(transparent)]
    Core(#[from] histomask_core::Error),
    /// The scores.
    #[error(transparent)]
    Metric(#[from] histomask_core::metric::MetricError),
}

impl EvaluateError {
    /// What the device said, if it is to blame.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Core(histomask_core::Error::Device(reason))
            | Self::File(SegmentFileError::Core { source: histomask_core::Error::Device(reason), .. }) => Some(reason),
            _ => None,
        }
    }
}

/// Scores image after image.
struct Judge<'a> {
    config: &'a EvaluationConfig,
    /// Whether masks depend on the class asked for.
    by_class: bool,
    masks: MaskEvaluator,
    label_free: MaskEvaluator,
    pixel_losses: Vec<f64>,
    cautions: Cautions,
}

impl Judge<'_> {
    fn image(
        &mut self,
        sample: &Sample,
        notes: &PictureNotes,
        observation: &Observation,
    ) -> Result<ImageResult, EvaluateError> {
        self.cautions.image(&sample.image, notes);
        let threshold = self.config.threshold;
        let mask = observation.mask(Some(sample.label))?;
        // of the predicted class, where that is another mask
        let differs = self.by_class && observation.class.is_some_and(|class| class != sample.label);
        let label_free = if differs { Some(observation.mask(None)?) } else { None };
        let label_free = label_free.as_ref().unwrap_or(&mask);

        let mut result = ImageResult::new(sample, observation, &mask, label_free, threshold);
        if let Some(path) = &sample.mask {
            let (truth, notes) = read_mask_noted(path, (observation.width as u32, observation.height as u32))?;
            self.cautions.mask(path, notes, foreground_percent(truth.as_raw()));
            let scores = self.masks.update(&mask, truth.as_raw())?;
            let free = if self.by_class { self.label_free.update(label_free, truth.as_raw())? } else { scores };
            result.add_mask_scores(&scores, &free);
            self.pixel_losses.push(pixel_loss(&mask, truth.as_raw()));
        }
        Ok(result)
    }
}

/// Cross-entropy per pixel of a soft mask against the truth, in nats; a certain mistake counts as one in a million.
fn pixel_loss(mask: &[f32], truth: &[u8]) -> f64 {
    let of_truth = |(&soft, &truth): (&f32, &u8)| f64::from(if truth > 0 { soft } else { 1.0 - soft });
    let sum: f64 = mask.iter().zip(truth).map(|pair| -of_truth(pair).max(1e-6).ln()).sum();
    sum / mask.len().max(1) as f64
}
