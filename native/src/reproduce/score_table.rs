//! A table of methods with classification error and F1 beside the paper's: Tables 1, 2 and 4.

use histomask_core::metric::MaskScores;
use serde_json::json;

use super::drawn::{Drawn, Record};
use super::material::Source;
use super::paper;
use super::plan::Arm;
use super::scores::Scores;
use super::statistics::{Spread, cell, record};
use super::study::Study;
use crate::report::Table;

const HEADER: [&str; 10] =
    ["Method", "Cl. error %", "paper", "F1+ %", "paper", "F1- %", "paper", "F1+ label-free", "F1- label-free", "Runs"];

/// Scores of every arm, each with the paper's row.
pub(crate) fn draw(
    study: &Study,
    source: Source,
    caption: &str,
    rows: &[(Arm, Option<paper::Scores>)],
) -> anyhow::Result<Drawn> {
    let mut drawn = Drawn::default();
    let mut table = Table { caption: caption.into(), header: HEADER.map(String::from).to_vec(), ..Table::default() };
    for (arm, paper) in rows {
        let scores = study.arm_scores(source, arm)?;
        let [class_error, f1_plus, f1_minus, free_plus, free_minus] = spreads(&scores);
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        table.rows.push(vec![
            arm.label.clone(),
            cell(class_error),
            number(paper.and_then(|paper| paper.class_error)),
            cell(f1_plus),
            number(paper.map(|paper| paper.f1_plus)),
            cell(f1_minus),
            number(paper.map(|paper| paper.f1_minus)),
            cell(free_plus),
            cell(free_minus),
            scores.len().to_string(),
        ]);
        let mut line = Record::new();
        line.insert("method".into(), json!(arm.label));
        record(&mut line, "class_error", class_error, paper.and_then(|paper| paper.class_error));
        record(&mut line, "f1_plus", f1_plus, paper.map(|paper| paper.f1_plus));
        record(&mut line, "f1_minus", f1_minus, paper.map(|paper| paper.f1_minus));
        for (name, spread) in [("f1_plus_label_free", free_plus), ("f1_minus_label_free", free_minus)] {
            line.insert(name.into(), json!(spread.map(|spread| spread.mean)));
            line.insert(format!("{name}_sd"), json!(spread.and_then(|spread| spread.deviation)));
        }
        line.insert("runs".into(), json!(scores.len()));
        drawn.records.push(line);
    }
    drawn.tables.push(table);
    drawn.notes.push(
        "± is the standard deviation over seeds and folds. Masks are those of the true class, as the paper's baselines \
         use it; label-free columns have the masks of the predicted class."
            .into(),
    );
    Ok(drawn)
}

/// Error, F1+, F1-, and the last two without labels.
fn spreads(scores: &[Scores]) -> [Option<Spread>; 5] {
    let over =
        |value: &dyn Fn(&Scores) -> Option<f64>| Spread::of(&scores.iter().filter_map(value).collect::<Vec<_>>());
    let of = |masks: &Option<MaskScores>, score: fn(&MaskScores) -> Option<f64>| masks.as_ref().and_then(score);
    [
        over(&|scores| scores.class_error_percent),
        over(&|scores| of(&scores.masks, |masks| masks.f1_plus)),
        over(&|scores| of(&scores.masks, |masks| masks.f1_minus)),
        over(&|scores| of(&scores.masks_label_free, |masks| masks.f1_plus)),
        over(&|scores| of(&scores.masks_label_free, |masks| masks.f1_minus)),
    ]
}
