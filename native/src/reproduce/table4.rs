//! Table 4: what each term of the loss brings.

use super::drawn::Drawn;
use super::material::Source;
use super::paper;
use super::plan::{Arm, Change};
use super::score_table;
use super::study::Study;
use crate::method::MethodChoice;
use histomask_core::MethodKind;

/// The rows in the paper's order. The last of each background term is the full method.
pub(crate) fn arms() -> Vec<Arm> {
    let [eem, sem] = [MethodChoice::MaxMinEem, MethodChoice::MaxMinSem];
    vec![
        Arm::plain(MethodChoice::Of(MethodKind::Wildcat)),
        Arm::changed("FG", sem, &[Change::NoBackground, Change::NoBarrier]),
        Arm::changed("FG + BG (EEM)", eem, &[Change::NoBarrier]),
        Arm::changed("FG + BG (EEM) + ASC", eem, &[]),
        Arm::changed("FG + BG (SEM)", sem, &[Change::NoBarrier]),
        Arm::changed("FG + BG (SEM) + ASC", sem, &[]),
    ]
}

pub(crate) fn draw(study: &Study) -> anyhow::Result<Drawn> {
    let rows: Vec<_> = arms().into_iter().zip(paper::TABLE4.map(Some)).collect();
    let mut drawn = score_table::draw(study, Source::Glas, "Ablation on GlaS", &rows)?;
    drawn.notes.push(
        "FG: cross-entropy on the foreground. BG: uncertainty on the background. ASC: absolute size constraints, the \
         barrier. At the paper's lambda of 1e-7 the BG term is at float32's round-off: differences between FG and \
         FG + BG are run-to-run variation unless several seeds say otherwise."
            .into(),
    );
    Ok(drawn)
}
