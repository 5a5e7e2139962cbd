//! Reports of runs and evaluations: which numbers, curves and pictures a person gets to see.

use histomask_core::Segmenter;
use serde_json::Value;

use crate::data::image::{read_mask, read_rgb};
use crate::data::{Dataset, Sample};
use crate::device::Chosen;
use crate::evaluate::{Evaluation, ImageResult, segment_file};
use crate::profile::Profile;
use crate::report::{
    Axis, Case, Chart, ConfusionFigure, OverlayStyle, Report, ReportError, Series, Table, overlay, render,
};
use crate::train::EpochRow;

/// Best and worst cases shown of an evaluation, each.
const CASES: usize = 4;

/// The page of a training run.
pub(crate) fn training_report(
    profile: &Profile,
    dataset: &Dataset,
    chosen: &Chosen,
    history: &[EpochRow],
) -> Result<String, ReportError> {
    let report = Report {
        title: "Training run".into(),
        subtitle: format!("{} with profile {}", dataset.name(), profile.name),
        verdict: history.iter().rev().find(|row| row.best).map(selected).into_iter().collect(),
        curves: curves(history),
        tables: vec![epochs_table(history)],
        facts: vec![
            ("Backbone".into(), profile.model.backbone.name().into()),
            ("Initial weights".into(), profile.weights.clone()),
            ("Device".into(), format!("{} ({})", chosen.name, chosen.why)),
            ("Images".into(), format!("{} train, {} valid", dataset.train.len(), dataset.valid.len())),
        ],
        notes: vec![
            "The epoch is selected by classification error alone; F1 on validation masks is shown, not used.".into(),
        ],
        ..Report::default()
    };
    render(&report)
}

fn selected(row: &EpochRow) -> String {
    let mut text = format!("Epoch {} was selected: validation error {:.2} %", row.epoch, row.valid_error);
    if let (Some(plus), Some(minus)) = (row.valid_f1_plus, row.valid_f1_minus) {
        text += &format!(", F1+ {plus:.2} %, F1- {minus:.2} % on the validation images that have a mask");
    }
    text + "."
}

/// Loss, error and mask quality over the epochs.
pub(crate) fn curves(history: &[EpochRow]) -> Vec<Chart> {
    let series = |name: &str, value: &dyn Fn(&EpochRow) -> Option<f64>| Series {
        name: name.into(),
        points: history.iter().map(|row| (row.epoch as f64, value(row))).collect(),
        ..Series::default()
    };
    let present = |series: Vec<Series>| -> Vec<Series> {
        series.into_iter().filter(|series| series.points.iter().any(|point| point.1.is_some())).collect()
    };
    let chart = |title: &str, caption: &str, y: Axis, lines: Vec<Series>| Chart {
        title: title.into(),
        caption: caption.into(),
        x: Axis::new("Epoch", ""),
        y,
        series: present(lines),
    };
    vec![
        chart(
            "Classification loss",
            "Cross-entropy of the localizer on the full image and of the classifier on the foreground.",
            Axis::new("Loss", "nats"),
            vec![series("full image", &|row| row.loss_full), series("foreground", &|row| row.loss_foreground)],
        ),
        chart(
            "Classification error",
            "Training error is on augmented crops, validation error on whole images.",
            Axis { range: Some([0.0, 100.0]), ..Axis::new("Error", "%") },
            vec![series("train", &|row| Some(row.train_error)), series("valid", &|row| Some(row.valid_error))],
        ),
        chart(
            "Masks",
            "F1 on validation images that have a mask, and the share of the image that the mask covers.",
            Axis { range: Some([0.0, 100.0]), ..Axis::new("Score or share", "%") },
            vec![
                series("F1+", &|row| row.valid_f1_plus),
                series("F1-", &|row| row.valid_f1_minus),
                series("foreground", &|row| Some(row.valid_foreground)),
            ],
        ),
    ]
}

fn epochs_table(history: &[EpochRow]) -> Table {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
    Table {
        caption: "Epochs".into(),
        header: ["Epoch", "Loss", "Train error %", "Valid error %", "F1+ %", "F1- %", "Foreground %", "Seconds"]
            .map(String::from)
            .to_vec(),
        rows: history
            .iter()
            .map(|row| {
                vec![
                    row.epoch.to_string(),
                    format!("{:.4}", row.loss),
                    number(Some(row.train_error)),
                    number(Some(row.valid_error)),
                    number(row.valid_f1_plus),
                    number(row.valid_f1_minus),
                    number(Some(row.valid_foreground)),
                    format!("{:.1}", row.train_seconds + row.valid_seconds),
                ]
            })
            .collect(),
    }
}

/// The page of an evaluation.
pub(crate) fn evaluation_report(
    segmenter: &Segmenter,
    evaluation: &Evaluation,
    samples: &[Sample],
    data: &str,
    context: &Value,
) -> Result<String, ReportError> {
    let card = segmenter.card();
    let text = |key: &str| context.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let report = Report {
        title: "Evaluation".into(),
        subtitle: data.to_owned(),
        verdict: verdict(evaluation),
        tables: mask_table(evaluation).into_iter().collect(),
        confusion: confusions(evaluation, &card.classes),
        curves: threshold_curve(evaluation).into_iter().collect(),
        gallery: gallery(segmenter, evaluation, samples),
        facts: vec![
            ("Model".into(), text("model")),
            ("SHA-256 of the model".into(), text("model_sha256")),
            ("Trained on".into(), format!("{}, hash {}", card.data.name, card.data.hash)),
            ("Device".into(), text("device")),
            ("Licence of the weights".into(), card.licence.clone()),
        ],
        notes: evaluation.failed.iter().map(|(_, error)| format!("Not evaluated: {error}")).collect(),
        ..Report::default()
    };
    render(&report)
}

/// The result in sentences, next to the mask that is foreground everywhere.
pub(crate) fn verdict(evaluation: &Evaluation) -> Vec<String> {
    let mut sentences =
        vec![format!("Classification error {:.2} % on {} images.", evaluation.class_error, evaluation.images.len())];
    if let Some(masks) = &evaluation.masks
        && let (Some(plus), Some(minus), Some(ones)) = (masks.f1_plus, masks.f1_minus, masks.all_ones_f1_plus)
    {
        sentences.push(format!(
            "On the {} images with a mask: F1+ {plus:.2} % (All-ones reaches {ones:.2} %), F1- {minus:.2} % (All-ones: 0 %).",
            masks.images
        ));
    }
    sentences
}

pub(crate) fn mask_table(evaluation: &Evaluation) -> Option<Table> {
    let masks = evaluation.masks.as_ref()?;
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
    let row = |name: &str, values: [Option<f64>; 5]| {
        std::iter::once(name.to_owned()).chain(values.map(number)).collect::<Vec<_>>()
    };
    Some(Table {
        caption: format!("Masks at threshold {}, percent", masks.threshold),
        header: ["", "F1+", "F1-", "IoU+", "IoU-", "PxAP"].map(String::from).to_vec(),
        rows: vec![
            row("max-min", [masks.f1_plus, masks.f1_minus, masks.iou_plus, masks.iou_minus, masks.pxap]),
            row("All-ones", [masks.all_ones_f1_plus, Some(0.0), None, Some(0.0), None]),
        ],
    })
}

pub(crate) fn confusions(evaluation: &Evaluation, classes: &[String]) -> Vec<ConfusionFigure> {
    let mut figures = vec![ConfusionFigure {
        title: "Classes".into(),
        caption: "Images; rows predicted, columns true.".into(),
        classes: classes.to_vec(),
        counts: evaluation.confusion.matrix().to_vec(),
    }];
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
        (None, None) => f64::from(image.probability),
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
    let (_, segmentation) = segment_file(segmenter, &sample.image).ok()?;
    let image = read_rgb(&sample.image).ok()?;
    let truth = sample.mask.as_ref().and_then(|mask| read_mask(mask, image.dimensions()).ok());
    let style = OverlayStyle::default();
    let heat = overlay(&image, &segmentation.mask, truth.as_ref(), &style).ok()?;
    let class = |index: usize| segmenter.card().classes.get(index).map_or("?", String::as_str);
    let mut caption = format!(
        "True class {}, predicted {} ({:.1} %); foreground {:.0} %",
        class(result.label),
        class(result.predicted),
        100.0 * result.probability,
        result.foreground_percent
    );
    if let (Some(plus), Some(minus)) = (result.f1_plus, result.f1_minus) {
        caption += &format!("; F1+ {plus:.1} %, F1- {minus:.1} %");
    }
    Some(Case { title: result.id.clone(), caption, images: vec![("image".into(), image), ("mask".into(), heat)] })
}
