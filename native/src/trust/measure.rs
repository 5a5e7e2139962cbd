use std::path::PathBuf;

use histomask_core::trust::curves::area;
use histomask_core::{Device, Segmenter};
use serde::Serialize;

use super::class_curves::class_curves;
use super::features::FrozenFeatures;
use super::image::{ImageTrust, Seen};
use super::stability::{orientation_stability, stain_stability};
use super::summary::{Summary, probe_all, summarise};
use crate::data::Sample;
use crate::evaluate::{SegmentFileError, observe_file};
use crate::interrupt;

/// How it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Options {
    /// Mask values at or above it are foreground.
    pub threshold: f64,
    /// Steps of the deletion and insertion curves.
    pub curve_steps: usize,
    /// Most folds of the probes and of the temperature.
    pub folds: usize,
    /// Intervals of the reliability diagram.
    pub bins: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { threshold: 0.5, curve_steps: 10, folds: 5, bins: 10 }
    }
}

/// Which images the temperature is fitted on.
#[derive(Clone, Copy, Debug)]
pub enum TemperatureFrom<'a> {
    /// Others than those measured.
    Samples(&'a [Sample]),
    /// Those measured, each by a temperature of the other folds.
    OtherFolds,
}

/// What was found of a set of images.
#[derive(Clone, Debug, Serialize)]
pub struct Trust {
    /// How.
    pub options: Options,
    /// The set.
    pub summary: Summary,
    /// The images.
    pub images: Vec<ImageTrust>,
    /// Samples that could not be measured, with the reason.
    pub failed: Vec<(PathBuf, String)>,
}

/// Why trust in an image or a set could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Reading or segmenting.
    #[error(transparent)]
    File(#[from] SegmentFileError),
    /// The model, on a changed image.
    #[error(transparent)]
    Core(#[from] histomask_core::Error),
    /// The probe's backbone.
    #[error(transparent)]
    Weights(#[from] crate::weights::InitialWeightsError),
    /// A mask of another size than its image.
    #[error("a mask of {mask} values does not belong to an image of {width}×{height}: resample it")]
    MaskSize {
        /// Values of the mask.
        mask: usize,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
}

/// Measures a model's masks on samples; `groups` names the patient of each where known. An image that cannot be read is
/// set aside, an interrupt ends it with what there is. `progress` hears how many are done.
///
/// # Errors
///
/// [`TrustError`] if the probe's backbone cannot be had.
pub fn measure(
    segmenter: &Segmenter,
    device: &Device,
    samples: &[Sample],
    groups: Option<&[String]>,
    temperature: TemperatureFrom<'_>,
    options: Options,
    progress: &dyn Fn(usize),
) -> Result<Trust, TrustError> {
    let features = FrozenFeatures::new(&segmenter.card().input, device)?;
    let (mut seen, mut failed) = (Vec::with_capacity(samples.len()), Vec::new());
    for (index, sample) in samples.iter().enumerate() {
        if interrupt::asked() {
            break;
        }
        let group = groups.and_then(|groups| groups.get(index)).cloned();
        match look(segmenter, &features, sample, group, options) {
            Ok(image) => seen.push(image),
            Err(error) => failed.push((sample.image.clone(), error.to_string())),
        }
        progress(index + 1);
    }
    let elsewhere = match temperature {
        TemperatureFrom::Samples(samples) => Some(posteriors(segmenter, samples)),
        TemperatureFrom::OtherFolds => None,
    };
    let classes = segmenter.card().classes.len();
    let probed = probe_all(&mut seen, classes, options.folds);
    let summary = summarise(&mut seen, probed, elsewhere.as_ref(), options);
    Ok(Trust { options, summary, images: seen.into_iter().map(|seen| seen.image).collect(), failed })
}

/// Posteriors and labels of samples that can be read.
fn posteriors(segmenter: &Segmenter, samples: &[Sample]) -> (Vec<Vec<f64>>, Vec<usize>) {
    samples
        .iter()
        .take_while(|_| !interrupt::asked())
        .filter_map(|sample| {
            let (_, observation) = observe_file(segmenter, &sample.image).ok()?;
            let posterior: Vec<f64> = observation.probabilities.iter().copied().map(f64::from).collect();
            (!posterior.is_empty()).then_some((posterior, sample.label))
        })
        .unzip()
}

fn look(
    segmenter: &Segmenter,
    features: &FrozenFeatures,
    sample: &Sample,
    group: Option<String>,
    options: Options,
) -> Result<Seen, TrustError> {
    let (image, observation) = observe_file(segmenter, &sample.image)?;
    let mask = observation.mask(None)?;
    let class = observation.class;
    let threshold = options.threshold as f32;
    let posterior: Vec<f64> = observation.probabilities.iter().copied().map(f64::from).collect();
    let confidence = class.and_then(|class| posterior.get(class).copied());
    let curves = match class.zip(confidence) {
        Some((class, p)) => Some(class_curves(segmenter, &image, &mask, class, p, options.curve_steps)?),
        None => None,
    };
    let foreground = mask.iter().filter(|&&value| value >= threshold).count();
    let trust = ImageTrust {
        id: sample.id.clone(),
        path: sample.image.clone(),
        group,
        label: sample.label,
        predicted: class,
        confidence,
        calibrated_confidence: None,
        whole_right: None,
        foreground_right: None,
        background_right: None,
        foreground_margin: None,
        background_margin: None,
        deletion_area: curves.as_ref().and_then(|curves| area(&curves.deletion)),
        insertion_area: curves.as_ref().and_then(|curves| area(&curves.insertion)),
        orientation_stability: orientation_stability(segmenter, &image, &mask, class, threshold)?,
        stain_stability: stain_stability(segmenter, &image, &mask, class, threshold)?,
        foreground_percent: 100.0 * foreground as f64 / mask.len().max(1) as f64,
        background_uncertainty: observation.background_uncertainty,
    };
    let regions = features.regions(&image, &mask)?;
    Ok(Seen { image: trust, regions, posterior, curves: curves.map(|curves| [curves.deletion, curves.insertion]) })
}
