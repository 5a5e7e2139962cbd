use histomask_core::trust::calibration::{
    ReliabilityBin, expected_calibration_error, fit_temperature, negative_log_likelihood, reliability, tempered,
};
use histomask_core::trust::folds::folds;
use serde::Serialize;

use super::Options;
use super::features::Regions;
use super::image::{ImageTrust, Seen};
use super::probes::{Probes, cross_validate};

/// The measures of a set of images.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Images measured.
    pub images: usize,
    /// Accuracies of the probe; absent if there are too few images to cross-validate.
    pub probes: Option<Probes>,
    /// Mean probability of the predicted class after each step of deletion.
    pub deletion: Vec<f64>,
    /// The same of insertion.
    pub insertion: Vec<f64>,
    /// Mean of the images' areas under the deletion curve.
    pub deletion_area: Option<f64>,
    /// Mean of the images' areas under the insertion curve.
    pub insertion_area: Option<f64>,
    /// Mean IoU over the other orientations.
    pub orientation_stability: Option<f64>,
    /// Mean IoU over other stainings.
    pub stain_stability: Option<f64>,
    /// Calibration of the class; absent for methods that name none.
    pub calibration: Option<Calibration>,
    /// Rank correlation of each measure with F1+ and F1-, where there are masks.
    pub correlations: Vec<Correlation>,
}

/// Calibration of the class before and after temperature scaling.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The temperature: above 1 where the model is surer than it should be.
    pub temperature: Option<f64>,
    /// Images it was fitted on.
    pub fitted_on: usize,
    /// Whether those are the measured images themselves, each then judged by a temperature of other folds.
    pub cross_fitted: bool,
    /// Expected calibration error in `[0, 1]` as the model is.
    pub ece_before: Option<f64>,
    /// The same after.
    pub ece_after: Option<f64>,
    /// Mean negative log-likelihood in nats as the model is.
    pub nll_before: Option<f64>,
    /// The same after.
    pub nll_after: Option<f64>,
    /// Reliability diagram as the model is.
    pub reliability_before: Vec<ReliabilityBin>,
    /// The same after.
    pub reliability_after: Vec<ReliabilityBin>,
}

/// Spearman's rank correlation of one measure with the masks' scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// The measure: a column of `trust.csv`.
    pub measure: &'static str,
    /// Images that have the measure and the score.
    pub images: usize,
    /// With F1+.
    pub f1_plus: Option<f64>,
    /// With F1-.
    pub f1_minus: Option<f64>,
}

/// Cross-validates the probes, writes their verdicts into the images, and returns the accuracies.
pub(super) fn probe_all(seen: &mut [Seen], classes: usize, most_folds: usize) -> Option<Probes> {
    let regions: Vec<&Regions> = seen.iter().map(|seen| &seen.regions).collect();
    let groups = groups(seen);
    let (probes, [whole, foreground, background]) =
        cross_validate(&regions, &labels(seen), groups.as_deref(), classes, most_folds)?;
    for (((seen, whole), foreground), background) in seen.iter_mut().zip(whole).zip(foreground).zip(background) {
        let label = seen.image.label;
        seen.image.whole_right = Some(whole.class == label);
        seen.image.foreground_right = Some(foreground.class == label);
        seen.image.background_right = Some(background.class == label);
        seen.image.foreground_margin = Some(foreground.margin);
        seen.image.background_margin = Some(background.margin);
    }
    Some(probes)
}

fn labels(seen: &[Seen]) -> Vec<usize> {
    seen.iter().map(|seen| seen.image.label).collect()
}

/// Groups, if every image has one.
fn groups(seen: &[Seen]) -> Option<Vec<String>> {
    seen.iter().map(|seen| seen.image.group.clone()).collect()
}

/// The set's measures; `elsewhere` holds posteriors and labels that the temperature is fitted on.
pub(super) fn summarise(
    seen: &mut [Seen],
    probes: Option<Probes>,
    elsewhere: Option<&(Vec<Vec<f64>>, Vec<usize>)>,
    options: Options,
) -> Summary {
    let calibration = calibrate(seen, elsewhere, options);
    let over = |of: fn(&ImageTrust) -> Option<f64>| mean(seen.iter().map(|seen| of(&seen.image)));
    Summary {
        images: seen.len(),
        probes,
        deletion: mean_curve(seen, 0),
        insertion: mean_curve(seen, 1),
        deletion_area: over(|image| image.deletion_area),
        insertion_area: over(|image| image.insertion_area),
        orientation_stability: over(|image| Some(image.orientation_stability)),
        stain_stability: over(|image| Some(image.stain_stability)),
        calibration,
        correlations: Vec::new(),
    }
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn mean_curve(seen: &[Seen], which: usize) -> Vec<f64> {
    let curves: Vec<&Vec<f64>> = seen.iter().filter_map(|seen| seen.curves.as_ref()?.get(which)).collect();
    let points = curves.iter().map(|curve| curve.len()).min().unwrap_or_default();
    (0..points).filter_map(|point| mean(curves.iter().map(|curve| curve.get(point).copied()))).collect()
}

fn calibrate(
    seen: &mut [Seen],
    elsewhere: Option<&(Vec<Vec<f64>>, Vec<usize>)>,
    options: Options,
) -> Option<Calibration> {
    let labels = labels(seen);
    let posteriors: Vec<Vec<f64>> = seen.iter().map(|seen| seen.posterior.clone()).collect();
    if posteriors.is_empty() || posteriors.iter().any(Vec::is_empty) {
        return None;
    }
    let (own, own_labels) = elsewhere.map_or((&posteriors, &labels), |(posteriors, labels)| (posteriors, labels));
    let temperature = fit_temperature(own, own_labels);
    // the temperature of each image
    let temperatures: Option<Vec<f64>> = match elsewhere {
        Some(_) => temperature.map(|temperature| vec![temperature; labels.len()]),
        None => folds(&labels, groups(seen).as_deref(), options.folds).and_then(|folds| {
            let of_fold = |fold: usize| {
                let others = || (0..labels.len()).filter(|&index| folds[index] != fold);
                let posteriors: Vec<Vec<f64>> = others().map(|index| posteriors[index].clone()).collect();
                fit_temperature(&posteriors, &others().map(|index| labels[index]).collect::<Vec<_>>())
            };
            let by_fold: Option<Vec<f64>> = (0..=folds.iter().copied().max()?).map(of_fold).collect();
            let by_fold = by_fold?;
            folds.iter().map(|&fold| by_fold.get(fold).copied()).collect()
        }),
    };
    let right: Vec<bool> = seen.iter().map(|seen| seen.image.predicted == Some(seen.image.label)).collect();
    let diagram = |posteriors: &[Vec<f64>]| {
        let confidences: Vec<f64> =
            posteriors.iter().map(|posterior| posterior.iter().copied().fold(0.0, f64::max)).collect();
        reliability(&confidences, &right, options.bins)
    };
    let after: Option<Vec<Vec<f64>>> =
        temperatures.map(|temperatures| posteriors.iter().zip(temperatures).map(|(p, t)| tempered(p, t)).collect());
    if let Some(after) = &after {
        for (seen, posterior) in seen.iter_mut().zip(after) {
            seen.image.calibrated_confidence = seen.image.predicted.and_then(|class| posterior.get(class).copied());
        }
    }
    let (before_bins, after_bins) = (diagram(&posteriors), after.as_deref().map(diagram).unwrap_or_default());
    Some(Calibration {
        temperature,
        fitted_on: own.len(),
        cross_fitted: elsewhere.is_none(),
        ece_before: expected_calibration_error(&before_bins),
        ece_after: expected_calibration_error(&after_bins),
        nll_before: negative_log_likelihood(&posteriors, &labels, 1.0),
        nll_after: after.and_then(|after| negative_log_likelihood(&after, &labels, 1.0)),
        reliability_before: before_bins,
        reliability_after: after_bins,
    })
}
