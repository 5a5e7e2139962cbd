//! How often a probe that never saw the model names the class from the whole image, from what its mask keeps and from what it
//! leaves out.

use histomask_core::trust::folds::folds;
use histomask_core::trust::probe::{Verdict, cross_validated};
use histomask_core::{Device, Segmenter};
use serde::{Deserialize, Serialize};

use super::features::{FrozenFeatures, Regions};
use super::{TrustError, groups};
use crate::data::Sample;
use crate::evaluate::observe_file;
use crate::interrupt;

/// How often the probe names the class, in percent of the images, cross-validated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probes {
    /// Folds.
    pub folds: usize,
    /// Whether a patient's images share a fold.
    pub by_group: bool,
    /// Images.
    pub images: usize,
    /// Share of the commonest class: what guessing reaches.
    pub majority_percent: f64,
    /// From the whole image.
    pub whole_percent: f64,
    /// From what the mask keeps, `X⁺`.
    pub foreground_percent: f64,
    /// From what it leaves out, `X⁻`.
    pub background_percent: f64,
}

/// A verdict an image on the whole of it, on the foreground and on the background.
pub(super) type Verdicts = [Vec<Verdict>; 3];

/// The probes of a model's masks, each that of the class it names, without the other measures of trust: a fifth of their
/// time. `groups` of the samples share a fold. `None` if there are too few images to cross-validate, or after an interrupt.
///
/// # Errors
///
/// [`TrustError`] for the first image that cannot be read or measured, or if the probe's backbone cannot be had.
pub fn probe(
    segmenter: &Segmenter,
    device: &Device,
    samples: &[Sample],
    most_folds: usize,
    progress: &dyn Fn(usize),
) -> Result<Option<Probes>, TrustError> {
    let features = FrozenFeatures::new(&segmenter.card().input, device)?;
    let mut regions = Vec::with_capacity(samples.len());
    for (index, sample) in samples.iter().enumerate() {
        if interrupt::asked() {
            return Ok(None);
        }
        let (image, observation) = observe_file(segmenter, &sample.image)?;
        regions.push(features.regions(&image, &observation.mask(None)?)?);
        progress(index + 1);
    }
    let labels: Vec<usize> = samples.iter().map(|sample| sample.label).collect();
    let regions: Vec<&Regions> = regions.iter().collect();
    let (classes, groups) = (segmenter.card().classes.len(), groups(samples));
    Ok(cross_validate(&regions, &labels, groups.as_deref(), classes, most_folds).map(|(probes, _)| probes))
}

/// Accuracies and verdicts of probes of the three parts, in the same folds.
pub(super) fn cross_validate(
    regions: &[&Regions],
    labels: &[usize],
    groups: Option<&[String]>,
    classes: usize,
    most_folds: usize,
) -> Option<(Probes, Verdicts)> {
    let folds = folds(labels, groups, most_folds)?;
    let verdicts = |of: fn(&Regions) -> &Vec<f64>| -> Option<Vec<Verdict>> {
        let features: Vec<Vec<f64>> = regions.iter().map(|regions| of(regions).clone()).collect();
        cross_validated(&features, labels, &folds, classes)
    };
    let whole = verdicts(|regions| &regions.whole)?;
    let foreground = verdicts(|regions| &regions.foreground)?;
    let background = verdicts(|regions| &regions.background)?;
    let percent = |verdicts: &[Verdict]| {
        let right = verdicts.iter().zip(labels).filter(|(verdict, label)| verdict.class == **label).count();
        100.0 * right as f64 / labels.len().max(1) as f64
    };
    let most = (0..classes).map(|class| labels.iter().filter(|&&label| label == class).count()).max();
    let probes = Probes {
        folds: folds.iter().max().map_or(0, |most| most + 1),
        by_group: groups.is_some(),
        images: labels.len(),
        majority_percent: 100.0 * most.unwrap_or_default() as f64 / labels.len().max(1) as f64,
        whole_percent: percent(&whole),
        foreground_percent: percent(&foreground),
        background_percent: percent(&background),
    };
    Some((probes, [whole, foreground, background]))
}
