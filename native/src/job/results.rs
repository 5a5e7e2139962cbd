//! The report of an evaluation: which numbers, curves and pictures a person gets to see.

use histomask_core::metric::MaskScores;
use histomask_core::{MethodKind, Segmenter};
use serde_json::Value;

use crate::data::Sample;
use crate::data::image::read_mask;
use crate::evaluate::{Evaluation, ImageResult, observe_file};
use crate::report::{
    Axis, Case, Chart, ConfusionFigure, OverlayStyle, Report, ReportError, Series, Table, overlay, render,
};
use crate::trust::{self, Trust};

/// Best and worst cases shown of an evaluation, each.
const CASES: usize = 4;

/// The page of an evaluation.
pub(super) fn evaluation_report(
    segmenter: &Segmenter,
    evaluation: &Evaluation,
    samples: &[Sample],
    data: &str,
    context: &Value,
    trust: Option<&Trust>,
) -> Result<String, ReportError> {
    let card = segmenter.card();
    let text = |key: &str| context.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut report = Report {
        title: "Evaluation".into(),
        subtitle: data.to_owned(),
        verdict: verdict(evaluation),
        tables: mask_table(evaluation).into_iter().collect(),
        confusion: confusions(evaluation, &card.classes),
        curves: threshold_curve(evaluation).into_iter().collect(),
        gallery: gallery(segmenter, evaluation, samples),
        facts: vec![
            ("Method".into(), card.model.method.title().into()),
            ("Model".into(), text("model")),
            ("SHA-256 of the model".into(), text("model_sha256")),
            ("Trained on".into(), format!("{}, hash {}", card.data.name, card.data.hash)),
            ("Device".into(), text("device")),
            ("Licence of the weights".into(), card.licence.clone()),
        ],
        notes: (evaluation.cautions.iter().cloned())
            .chain(evaluation.failed.iter().map(|(_, error)| format!("Not evaluated: {error}")))
            .collect(),
        ..Report::default()
    };
    if let Some(trust) = trust {
        trust::add_to_report(&mut report, trust);
    }
    render(&report)
}

/// The result in sentences, next to the mask that is foreground everywhere.
pub(crate) fn verdict(evaluation: &Evaluation) -> Vec<String> {
    let images = evaluation.images.len();
    let mut sentences = vec![match evaluation.class_error {
        Some(error) => format!("Classification error {error:.2} % on {images} images."),
        None => format!("{images} images; {} names no class.", evaluation.method.title()),
    }];
    if !evaluation.is_complete() {
        let seen = images + evaluation.failed.len();
        sentences.insert(
            0,
            format!("Not complete: stopped after {seen} of {} images; all numbers are of these.", evaluation.samples),
        );
    }
    if let Some(masks) = &evaluation.masks
        && let (Some(plus), Some(minus), Some(ones)) = (masks.f1_plus, masks.f1_minus, masks.all_ones_f1_plus)
    {
        sentences.push(format!(
            "On the {} images with a mask: F1+ {plus:.2} % (All-ones reaches {ones:.2} %), F1- {minus:.2} % (All-ones: 0 %).",
            masks.images
        ));
    }
    if evaluation.masks_by_class
        && let Some([Some(plus), Some(minus)]) = evaluation.label_free_difference()
    {
        sentences.push(format!(
            "These masks are told the true class. With the predicted class instead, F1+ changes by {plus:+.2} and F1- by \
             {minus:+.2} percentage points."
        ));
    }
    sentences
}

/// The numbers in a few lines.
pub(crate) fn summary(evaluation: &Evaluation, split: &str) -> String {
    let error = evaluation.class_error.map_or("-".into(), |error| format!("{error:.2} %"));
    let (images, method) = (evaluation.images.len(), evaluation.method.title());
    let mut text = format!("{split}: {images} images, {method}, classification error {error}");
    if !evaluation.is_complete() {
        text = format!("Not complete: stopped before the last of {} images.\n{text}", evaluation.samples);
    }
    if let Some(masks) = &evaluation.masks {
        let percent = |value: Option<f64>| value.map_or("undefined".into(), |value| format!("{value:.2} %"));
        let with_mask = evaluation.images.iter().filter(|image| image.truth_percent.is_some()).count();
        text += &format!(
            "\n{with_mask} of them with a mask: F1+ {}, F1- {} (All-ones: F1+ {}, F1- 0), PxAP {}",
            percent(masks.f1_plus),
            percent(masks.f1_minus),
            percent(masks.all_ones_f1_plus),
            percent(masks.pxap),
        );
    }
    if evaluation.masks_by_class
        && let (Some(free), Some([plus, minus])) = (&evaluation.label_free, evaluation.label_free_difference())
    {
        let percent = |value: Option<f64>| value.map_or("undefined".into(), |value| format!("{value:.2} %"));
        let points = |value: Option<f64>| value.map_or("undefined".into(), |value| format!("{value:+.2}"));
        text += &format!(
            "\nwith the predicted class instead of the true one: F1+ {} ({}), F1- {} ({})",
            percent(free.f1_plus),
            points(plus),
            percent(free.f1_minus),
            points(minus),
        );
    }
    text
}

pub(crate) fn mask_table(evaluation: &Evaluation) -> Option<Table> {
    let masks = evaluation.masks.as_ref()?;
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
    let row = |name: &str, values: [Option<f64>; 5]| {
        std::iter::once(name.to_owned()).chain(values.map(number)).collect::<Vec<_>>()
    };
    let scores = |masks: &MaskScores| [masks.f1_plus, masks.f1_minus, masks.iou_plus, masks.iou_minus, masks.pxap];
    let method = evaluation.method;
    let mut rows = vec![];
    if evaluation.masks_by_class {
        rows.push(row(&format!("{}, true class", method.title()), scores(masks)));
        rows.extend(evaluation.label_free.as_ref().map(|free| row("label-free (predicted class)", scores(free))));
        let [plus, minus] = evaluation.label_free_difference().unwrap_or_default();
        rows.push(row("difference, points", [plus, minus, None, None, None]));
    } else if method != MethodKind::AllOnes {
        rows.push(row(method.title(), scores(masks)));
    }
    rows.push(row("All-ones", [masks.all_ones_f1_plus, Some(0.0), None, Some(0.0), None]));
    Some(Table {
        caption: format!("Masks at threshold {}, percent", masks.threshold),
        header: ["", "F1+", "F1-", "IoU+", "IoU-", "PxAP"].map(String::from).to_vec(),
        rows,
    })
}

pub(crate) fn confusions(evaluation: &Evaluation, classes: &[String]) -> Vec<ConfusionFigure> {
    let mut figures = vec![];
    if evaluation.class_error.is_some() {
        figures.push(ConfusionFigure {
            title: "Classes".into(),
            caption: "Images; rows predicted, columns true.".into(),
            classes: classes.to_vec(),
            counts: evaluation.confusion.matrix().to_vec(),
        });
    }
    if let Some(masks) = &evaluation.masks {
        figures.push(ConfusionFigure {
            title: "Pixels".into(),
            caption: "Pixels of all images with a mask; rows predicted, columns true.".into(),
            classes: vec!["foreground".into(), "background".into()],
            counts: masks.pixels.matrix().iter().map(|row| row.to_vec()).collect(),
        });
    }
    figures
}

pub(crate) fn threshold_curve(evaluation: &Evaluation) -> Option<Chart> {
    let masks = evaluation.masks.as_ref()?;
    let series = |name: &str, plus: bool| Series {
        name: name.into(),
        points: masks
            .threshold_curve
            .iter()
            .map(|point| (f64::from(point.threshold), if plus { point.f1_plus } else { point.f1_minus }))
            .collect(),
        ..Series::default()
    };
    Some(Chart {
        title: "Threshold".into(),
        caption: "How the scores depend on the mask value that counts as foreground.".into(),
        x: Axis { range: Some([0.0, 1.0]), ..Axis::new("Threshold", "") },
        y: Axis { range: Some([0.0, 100.0]), ..Axis::new("Score", "%") },
        series: vec![series("F1+", true), series("F1-", false)],
    })
}

/// Best and worst cases by F1⁺ + F1⁻; without masks the least and the most certain.
pub(crate) fn gallery(segmenter: &Segmenter, evaluation: &Evaluation, samples: &[Sample]) -> Vec<Case> {
    let score = |image: &ImageResult| match (image.f1_plus, image.f1_minus) {
        (Some(plus), Some(minus)) => plus + minus,
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => image.probability.map_or(0.0, f64::from),
    };
    let any_mask = evaluation.masks.is_some();
    let mut order: Vec<_> =
        evaluation.images.iter().filter(|image| !any_mask || image.truth_percent.is_some()).collect();
    order.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let worst = order.split_off(order.len().saturating_sub(CASES).max(order.len().min(CASES)));
    order.truncate(CASES);
    order.into_iter().chain(worst).filter_map(|image| case(segmenter, image, samples)).collect()
}

/// Pictures of one case; a file that has vanished since is left out.
fn case(segmenter: &Segmenter, result: &ImageResult, samples: &[Sample]) -> Option<Case> {
    let sample = samples.iter().find(|sample| sample.id == result.id)?;
    let (image, observation) = observe_file(segmenter, &sample.image).ok()?;
    let mask = observation.mask(Some(sample.label)).ok()?;
    let truth = sample.mask.as_ref().and_then(|mask| read_mask(mask, image.dimensions()).ok());
    let style = OverlayStyle::default();
    let heat = overlay(&image, &mask, truth.as_ref(), &style).ok()?;
    let class = |index: usize| segmenter.card().classes.get(index).map_or("?", String::as_str);
    let mut caption = format!("True class {}", class(result.label));
    if let (Some(predicted), Some(probability)) = (result.predicted, result.probability) {
        caption += &format!(", predicted {} ({:.1} %)", class(predicted), 100.0 * probability);
    }
    caption += &format!("; foreground {:.0} %", result.foreground_percent);
    if let (Some(plus), Some(minus)) = (result.f1_plus, result.f1_minus) {
        caption += &format!("; F1+ {plus:.1} %, F1- {minus:.1} %");
    }
    Some(Case { title: result.id.clone(), caption, images: vec![("image".into(), image), ("mask".into(), heat)] })
}
