//! Figs. B.1 and B.2: accuracy on training and validation images while training.

use anyhow::Context as _;
use serde_json::json;

use super::Artefact;
use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Repeats};
use super::runs::State;
use super::study::Study;
use crate::method::MethodChoice;
use crate::report::{Axis, Chart, Series, Style};
use crate::train::{StepRow, read_history, read_steps, read_untrained};

/// Steps in the running mean, as in the released code's plots.
const WINDOW: usize = 20;

pub(crate) fn arm(artefact: Artefact) -> Arm {
    Arm::plain(if artefact == Artefact::FigB1 { MethodChoice::MaxMinEem } else { MethodChoice::MaxMinSem })
}

pub(crate) fn draw(study: &Study, artefact: Artefact) -> anyhow::Result<Drawn> {
    let arm = arm(artefact);
    let run = study.runs(Source::Glas, &arm, Repeats::First)?.into_iter().next().context("no seed or no fold")?;
    let mut drawn = Drawn::default();
    if run.state() != State::Ready {
        return Ok(drawn);
    }
    let steps = read_steps(&run.folder);
    let epochs = read_history(&run.folder).with_context(|| run.folder.epochs().display().to_string())?;
    let (steps, accuracy): (Vec<&StepRow>, Vec<f64>) =
        steps.iter().filter_map(|step| Some((step, step.accuracy()?))).unzip();
    let means = running_mean(&accuracy, WINDOW);
    let points = |values: &[f64]| (1u32..).map(f64::from).zip(values.iter().copied().map(Some)).collect::<Vec<_>>();
    let untrained = read_untrained(&run.folder);
    let valid: Vec<(usize, Option<f64>)> = (untrained.iter().map(|row| (0, row.valid_error)))
        .chain(epochs.iter().map(|row| (row.epoch, row.valid_error)))
        .map(|(epoch, error)| (epoch, error.map(|error| 100.0 - error)))
        .collect();
    let valid_points = valid.iter().map(|&(epoch, accuracy)| (epoch as f64, accuracy)).collect();
    let percent = |what: &str| Axis { range: Some([0.0, 100.0]), ..Axis::new(what, "%") };
    let charts = [
        Chart {
            title: format!("{}: training images", arm.label),
            x: Axis::counting("Step", "batches"),
            y: percent("Accuracy"),
            series: vec![
                Series { name: "batch".into(), points: points(&accuracy), style: Style::Faint, ..Series::default() },
                Series { name: format!("mean of {WINDOW} steps"), points: points(&means), ..Series::default() },
            ],
            ..Chart::default()
        },
        Chart {
            title: format!("{}: validation images", arm.label),
            x: Axis::counting("Epoch", ""),
            y: percent("Accuracy"),
            series: vec![Series { name: "whole images".into(), points: valid_points, ..Series::default() }],
            ..Chart::default()
        },
    ];
    let caption = "Training accuracy is on augmented crops, batch by batch; validation accuracy on whole images.";
    drawn.figure = Some(Figure::charts(&charts, 2, caption));
    for ((step, accuracy), mean) in steps.iter().zip(&accuracy).zip(&means) {
        drawn.records.push(Record::from_iter([
            ("images".to_owned(), json!("train")),
            ("epoch".to_owned(), json!(step.epoch)),
            ("step".to_owned(), json!(step.step)),
            ("accuracy".to_owned(), json!(accuracy)),
            ("running_mean".to_owned(), json!(mean)),
        ]));
    }
    for (epoch, accuracy) in valid {
        drawn.records.push(Record::from_iter([
            ("images".to_owned(), json!("valid")),
            ("epoch".to_owned(), json!(epoch)),
            ("step".to_owned(), json!(null)),
            ("accuracy".to_owned(), json!(accuracy)),
            ("running_mean".to_owned(), json!(null)),
        ]));
    }
    drawn.notes.push("One run: the first seed and fold. Epoch 0 is the model before its first step.".into());
    if untrained.is_none() {
        drawn
            .notes
            .push("The run is of an earlier version, which did not validate before training: no epoch 0.".into());
    }
    Ok(drawn)
}

/// Means of the last `window` values, of fewer at the start.
fn running_mean(values: &[f64], window: usize) -> Vec<f64> {
    let mean = |end: usize| {
        let part = values.get((end + 1).saturating_sub(window)..=end).unwrap_or_default();
        part.iter().sum::<f64>() / part.len().max(1) as f64
    };
    (0..values.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_mean_begins_with_what_there_is() {
        assert_eq!(running_mean(&[2.0, 4.0, 6.0, 8.0], 2), [2.0, 3.0, 5.0, 7.0]);
        assert!(running_mean(&[], 20).is_empty());
    }
}
