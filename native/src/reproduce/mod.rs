//! `histomask reproduce`: the paper's tables and figures, one file each, from runs that all of them share.
//!
//! | step | file |
//! |---|---|
//! | what an artefact needs: methods with changes, seeds, folds, images | [`plan`], `plan.rs` and the artefact's file |
//! | from a method to the settings of a run | `recipe.rs`, `quick.rs` |
//! | runs on disk, named by a hash of settings and data | `runs.rs`, `study.rs` |
//! | how long it will take | `estimate.rs` |
//! | from scores to numbers beside the paper's | `scores.rs`, `statistics.rs`, `paper.rs` |
//! | tables and figures | `table1.rs` … `history.rs`, `lambda.rs`, `drawn.rs` |
//! | files and the page | `report.rs` |

mod artefact;
mod confusion;
mod curves;
mod drawn;
mod estimate;
mod history;
mod identity;
mod lambda;
mod masks;
mod material;
mod paper;
mod plan;
mod quick;
mod recipe;
mod report;
mod runs;
mod score_table;
mod scores;
mod sizes;
mod statistics;
mod study;
mod sweep;
mod table1;
mod table3;
mod table4;

pub(crate) use artefact::Artefact;
pub(crate) use drawn::{Drawn, text};
pub(crate) use estimate::{Asked, Estimator, in_words};
pub(crate) use identity::telling;
pub(crate) use material::{Material, MaterialError, Source, mask_state};
pub(crate) use plan::Plan;
pub(crate) use quick::data as quick_data;
pub(crate) use recipe::Recipe;
pub(crate) use report::{Made, write};
pub(crate) use runs::{Run, State, model, tidy};
pub(crate) use statistics::{Spread, cell};
pub(crate) use study::Study;
pub(crate) use sweep::{Depth, Parameter, Sweeps};

use crate::data::SplitChoice;
use plan::{Evaluated, Repeats};

/// The plan of an artefact; none where nothing is trained.
pub(crate) fn plan(artefact: Artefact, sweeps: &Sweeps) -> Option<Plan> {
    use Artefact as A;
    let source = artefact.source()?;
    let judged = |arms| Plan { source, arms, evaluated: Evaluated::Judged, repeats: Repeats::All, followed: false };
    let pictures = |arms| Plan { evaluated: Evaluated::Nothing, repeats: Repeats::First, ..judged(arms) };
    Some(match artefact {
        A::Table3 | A::Fig3 => return None,
        A::Table1 | A::Table2 => judged(table1::arms()),
        A::Table4 => judged(table4::arms()),
        A::Fig5 | A::Fig6 => judged(confusion::arms()),
        A::Fig7 | A::Fig8 => Plan {
            evaluated: Evaluated::Splits(vec![SplitChoice::Train, SplitChoice::Valid, SplitChoice::Test]),
            repeats: Repeats::First,
            ..judged(sizes::arms())
        },
        A::Fig9 => pictures(masks::ablation_arms()),
        A::Fig10 => judged(sweep::arms(sweeps)),
        A::Fig11 | A::Fig12 | A::Fig13 => pictures(masks::method_arms()),
        A::FigB1 | A::FigB2 => pictures(vec![history::arm(artefact)]),
        A::Lambda => Plan { followed: true, ..judged(lambda::arms(sweeps)) },
    })
}

/// Makes an artefact from what its runs left behind.
pub(crate) fn draw(study: &Study, artefact: Artefact, sweeps: &Sweeps) -> anyhow::Result<Drawn> {
    let source = artefact.source();
    match (artefact, source) {
        (Artefact::Table3, _) => table3::draw(study),
        (Artefact::Fig3, _) | (_, None) => Ok(curves::draw()),
        (Artefact::Table1 | Artefact::Table2, Some(source)) => table1::draw(study, source),
        (Artefact::Table4, _) => table4::draw(study),
        (Artefact::Fig5 | Artefact::Fig6, Some(source)) => confusion::draw(study, source),
        (Artefact::Fig7 | Artefact::Fig8, Some(source)) => sizes::draw(study, source),
        (Artefact::Fig9 | Artefact::Fig11 | Artefact::Fig12 | Artefact::Fig13, _) => masks::draw(study, artefact),
        (Artefact::Fig10, _) => sweep::draw(study, sweeps),
        (Artefact::FigB1 | Artefact::FigB2, _) => history::draw(study, artefact),
        (Artefact::Lambda, _) => lambda::draw(study, sweeps),
    }
}
