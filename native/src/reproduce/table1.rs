//! Tables 1 and 2: all methods on one data set.

use super::drawn::Drawn;
use super::material::Source;
use super::paper;
use super::plan::Arm;
use super::score_table;
use super::study::Study;
use crate::method::MethodChoice;

/// The rows in the paper's order.
pub(crate) fn arms() -> Vec<Arm> {
    MethodChoice::rows().map(Arm::plain).collect()
}

pub(crate) fn draw(study: &Study, source: Source) -> anyhow::Result<Drawn> {
    let paper = match source {
        Source::Glas => paper::table1,
        Source::Camelyon => paper::table2,
    };
    let rows: Vec<_> = arms().into_iter().map(|arm| (arm.clone(), paper(arm.method))).collect();
    let mut drawn = score_table::draw(study, source, &format!("All methods on {}", source.name()), &rows)?;
    if source == Source::Camelyon {
        drawn.notes.push(
            "F1+ is averaged over patches with a tumour, F1- over patches with background. The paper's PN and ERASE \
             rows cannot follow this rule: they contradict its Fig. 6."
                .into(),
        );
    }
    Ok(drawn)
}
