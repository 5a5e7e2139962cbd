//! The page of a training run: the epoch that was kept, and curves and numbers of all.

use histomask_core::MethodKind;
use histomask_core::config::{BackgroundTerm, LossConfig, ModelConfig};

use crate::data::Dataset;
use crate::device::Chosen;
use crate::profile::{Profile, Selection};
use crate::report::{Axis, Chart, Report, ReportError, Series, Table, render};
use crate::train::EpochRow;

/// The page of a training run.
pub(super) fn training_report(
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
            ("Method".into(), method_title(&profile.model, Some(&profile.loss))),
            ("Backbone".into(), backbone_title(&profile.model)),
            ("Initial weights".into(), profile.weights.clone()),
            ("Device".into(), format!("{} ({})", chosen.name, chosen.why)),
            ("Images".into(), format!("{} train, {} valid", dataset.train.len(), dataset.valid.len())),
        ],
        notes: vec![
            match profile.evaluation.selection {
                Selection::ClassAccuracy => {
                    "The epoch is selected by classification error alone; F1 on validation masks is shown, not used."
                }
                Selection::Last => "The last epoch is kept; F1 on validation masks is shown, not used.",
                Selection::PixelLoss => {
                    "Trained and selected by masks: an upper bound, not a weakly supervised method."
                }
            }
            .into(),
        ],
        ..Report::default()
    };
    render(&report)
}

/// The method's name in the paper's tables, and its backbone if it has one.
pub(super) fn method_title(model: &ModelConfig, loss: Option<&LossConfig>) -> String {
    match (model.method, loss.map(|loss| loss.background)) {
        (MethodKind::MaxMin, Some(BackgroundTerm::Eem)) => "Max-min, EEM".into(),
        (MethodKind::MaxMin, Some(BackgroundTerm::Sem)) => "Max-min, SEM".into(),
        (method, _) => method.title().into(),
    }
}

fn backbone_title(model: &ModelConfig) -> String {
    match model.method {
        MethodKind::UNet | MethodKind::AllOnes => "none".into(),
        _ => model.backbone.name().into(),
    }
}

fn selected(row: &EpochRow) -> String {
    let mut text = format!("Epoch {} was selected", row.epoch);
    if let Some(error) = row.valid_error {
        text += &format!(": validation error {error:.2} %");
    }
    if let Some(loss) = row.valid_pixel_loss {
        text += &format!(": validation loss {loss:.4} a pixel");
    }
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
        x: Axis::counting("Epoch", ""),
        y,
        series: present(lines),
    };
    vec![
        chart(
            "Classification loss",
            "Cross-entropy on the full image, on the foreground (max-min) and per pixel (U-Net).",
            Axis::new("Loss", "nats"),
            vec![
                series("full image", &|row| row.loss_full),
                series("foreground", &|row| row.loss_foreground),
                series("pixels", &|row| row.loss_pixels),
                series("validation pixels", &|row| row.valid_pixel_loss),
            ],
        ),
        chart(
            "Classification error",
            "Training error is on augmented crops, validation error on whole images.",
            Axis { range: Some([0.0, 100.0]), ..Axis::new("Error", "%") },
            vec![series("train", &|row| row.train_error), series("valid", &|row| row.valid_error)],
        ),
        chart(
            "Masks",
            "F1 on validation images that have a mask, and the share of the image that the mask covers.",
            Axis { range: Some([0.0, 100.0]), ..Axis::new("Score or share", "%") },
            vec![
                series("F1+", &|row| row.valid_f1_plus),
                series("F1-", &|row| row.valid_f1_minus),
                series("foreground", &|row| row.valid_foreground),
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
                    number(row.train_error),
                    number(row.valid_error),
                    number(row.valid_f1_plus),
                    number(row.valid_f1_minus),
                    number(row.valid_foreground),
                    format!("{:.1}", row.train_seconds + row.valid_seconds),
                ]
            })
            .collect(),
    }
}
