//! `histomask study`: variants of a recipe over seeds and folds, from a file to one table.
//!
//! | step | file |
//! |---|---|
//! | the file: profile, seeds, folds, variants | `file.rs` |
//! | the runs on disk, and which variants share one | `plan.rs` |
//! | what a model scored | `scores.rs` |
//! | means, deviations and paired differences, as table, CSV, JSON and Markdown | `table.rs` |

mod file;
mod plan;
mod scores;
mod table;

pub(crate) use file::StudyFile;
pub(crate) use plan::{Opened, Planned, data_configs, plan, trainings};
pub(crate) use scores::Scores;
pub(crate) use table::{About, Results, Row};
