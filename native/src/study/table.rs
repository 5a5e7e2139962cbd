//! From scores to one table: means over seeds and folds, and differences to the first variant on the same seed and fold.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::file::StudyFile;
use crate::atomic;
use crate::csv_text::write_csv;
use crate::plain_text;
use crate::report::Table;
use crate::reproduce::{Spread, cell};

/// One run; a line of `study.csv`.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Row {
    pub(crate) variant: String,
    pub(crate) seed: u64,
    pub(crate) fold: usize,
    /// Name of its folder below `runs`.
    pub(crate) run: String,
    /// Percent of the validation images.
    pub(crate) class_error: Option<f64>,
    /// Percent, over all images with a mask.
    pub(crate) f1_plus: Option<f64>,
    /// Percent, over all images with a mask.
    pub(crate) f1_minus: Option<f64>,
    /// In `[0, 1]`, over the validation images.
    pub(crate) background_uncertainty: Option<f64>,
    pub(crate) all_ones_f1_plus: Option<f64>,
    pub(crate) valid_images: usize,
    pub(crate) mask_images: u64,
    /// Whether there are scores.
    pub(crate) judged: bool,
    /// Why there are none, or what is wrong with them.
    pub(crate) failure: Option<String>,
}

/// A number of a run.
type Measure = fn(&Row) -> Option<f64>;

/// What the table compares.
const MEASURES: [(&str, Measure); 4] = [
    ("class_error", |row| row.class_error),
    ("f1_plus", |row| row.f1_plus),
    ("f1_minus", |row| row.f1_minus),
    ("background_uncertainty", |row| row.background_uncertainty),
];

/// A study's circumstances, for people and for programs.
pub(crate) struct About {
    pub(crate) data: String,
    /// Hash of the data set, one for each way it is divided.
    pub(crate) hashes: Vec<String>,
    pub(crate) device: String,
    pub(crate) threads: usize,
    /// What to keep in mind.
    pub(crate) notes: Vec<String>,
}

/// Everything a study found so far.
pub(crate) struct Results<'a> {
    pub(crate) study: &'a StudyFile,
    pub(crate) rows: Vec<Row>,
    pub(crate) about: About,
}

/// One variant over its runs.
#[derive(Debug, PartialEq)]
struct Summary {
    runs: usize,
    values: [Option<Spread>; 4],
    /// Against the first variant, over the seeds and folds that both have; none of the first itself.
    differences: Option<[Option<Spread>; 4]>,
}

fn summary(rows: &[Row], variant: &str, first: &str) -> Summary {
    let of = |name: &str| rows.iter().filter(|row| row.variant == name && row.judged).collect::<Vec<_>>();
    let (own, reference) = (of(variant), of(first));
    let spread = |values: Vec<f64>| Spread::of(&values);
    let difference = |value: Measure| {
        let paired = own.iter().filter_map(|row| {
            let other = reference.iter().find(|other| (other.seed, other.fold) == (row.seed, row.fold))?;
            Some(value(row)? - value(other)?)
        });
        spread(paired.collect())
    };
    Summary {
        runs: own.len(),
        values: MEASURES.map(|(_, value)| spread(own.iter().filter_map(|row| value(row)).collect())),
        differences: (variant != first).then(|| MEASURES.map(|(_, value)| difference(value))),
    }
}

impl Results<'_> {
    fn summaries(&self) -> Vec<(&str, Summary)> {
        let names = self.study.variants.iter().map(|variant| variant.name.as_str());
        let first = names.clone().next().unwrap_or_default();
        names.map(|name| (name, summary(&self.rows, name, first))).collect()
    }

    /// The table, a row a variant.
    pub(crate) fn table(&self) -> Table {
        let missing = self.rows.iter().filter(|row| !row.judged).count();
        let partial = if missing == 0 { String::new() } else { format!("; {missing} runs are missing") };
        let row = |(name, summary): (&str, Summary)| {
            let [error, plus, minus, uncertainty] = summary.values.map(cell);
            let [d_error, d_plus, d_minus, d_uncertainty] =
                summary.differences.map_or_else(|| [(); 4].map(|()| String::new()), |all| all.map(signed));
            let runs = summary.runs.to_string();
            vec![name.into(), runs, error, plus, minus, uncertainty, d_error, d_plus, d_minus, d_uncertainty]
        };
        Table {
            caption: format!(
                "{} variants of {}, mean ± standard deviation over seeds and folds{partial}; Δ: difference to the first \
                 variant on the same seed and fold",
                self.study.variants.len(),
                self.study.profile,
            ),
            header: [
                "Variant",
                "Runs",
                "Error %",
                "F1+ %",
                "F1- %",
                "Uncertainty",
                "Δ error",
                "Δ F1+",
                "Δ F1-",
                "Δ uncertainty",
            ]
            .map(String::from)
            .to_vec(),
            rows: self.summaries().into_iter().map(row).collect(),
        }
    }

    /// How the numbers are to be read.
    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "Error: classification error on the validation images, which are not trained on. Uncertainty: entropy of the \
             class on the background relative to its maximum (1: the background says nothing of the class), on the same \
             images. F1+ and F1-: masks of all images that have one, those trained on by their label among them."
                .to_owned(),
        ];
        if let Some(ones) = self.rows.iter().find_map(|row| row.all_ones_f1_plus) {
            notes.push(format!(
                "A mask that is foreground everywhere has F1+ {ones:.2} % and F1- 0 on the same images."
            ));
        }
        notes.extend(self.about.notes.iter().cloned());
        notes.extend(self.rows.iter().filter_map(|row| {
            let Row { variant, seed, fold, failure, .. } = row;
            failure.as_ref().map(|failure| format!("{variant}, seed {seed}, fold {fold}: {failure}"))
        }));
        notes
    }

    fn markdown(&self) -> String {
        let table = self.table();
        let line = |cells: &[String]| {
            let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|").replace(['\n', '\r'], " ")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let numbers = "|--:".repeat(table.header.len().saturating_sub(1));
        let rows: String = table.rows.iter().map(|row| line(row)).collect();
        let notes: String = self.notes().iter().map(|note| format!("- {note}\n")).collect();
        let About { data, device, threads, .. } = &self.about;
        format!(
            "# {}\n\n{}.\n\n{}|---{numbers}|\n{rows}\n{notes}\nMade by `{}` (histomask {}) on {device}, {threads} \
             threads, from {data}.\n",
            self.study.path.file_stem().unwrap_or_default().to_string_lossy(),
            table.caption,
            line(&table.header),
            plain_text::command().join(" "),
            env!("CARGO_PKG_VERSION"),
        )
    }

    fn json(&self) -> Value {
        let variant = |(index, (name, summary)): (usize, (&str, Summary))| {
            let mut record = Map::new();
            record.insert("name".into(), json!(name));
            record.insert("settings".into(), json!(self.study.variants.get(index).map(|variant| &variant.settings)));
            record.insert("runs".into(), json!(summary.runs));
            let differences = summary.differences.unwrap_or_default();
            for (((measure, _), value), difference) in MEASURES.iter().zip(summary.values).zip(differences) {
                for (kind, spread) in [("", value), ("_difference", difference)] {
                    record.insert(format!("{measure}{kind}"), json!(spread.map(|spread| spread.mean)));
                    record.insert(format!("{measure}{kind}_sd"), json!(spread.and_then(|spread| spread.deviation)));
                }
                record.insert(format!("{measure}_pairs"), json!(difference.map_or(0, |spread| spread.runs)));
            }
            Value::Object(record)
        };
        let variants: Vec<_> = self.summaries().into_iter().enumerate().map(variant).collect();
        let About { data, hashes, device, threads, .. } = &self.about;
        json!({
            "schema": 1,
            "context": {
                "histomask": env!("CARGO_PKG_VERSION"),
                "command": plain_text::command(),
                "study": plain_text::of_path(&self.study.path),
                "profile": self.study.profile,
                "seeds": self.study.seeds,
                "folds": self.study.folds,
                "data": { "path": data, "hashes": hashes },
                "device": device,
                "threads": threads,
            },
            "complete": self.rows.iter().all(|row| row.judged),
            "variants": variants,
            "runs": self.rows,
            "notes": self.notes(),
        })
    }

    /// Writes `study.csv`, `study.json` and `study.md`.
    pub(crate) fn write(&self, out: &Path) -> anyhow::Result<()> {
        atomic::write(&out.join("study.csv"), &write_csv(&self.rows)?)?;
        atomic::write(&out.join("study.json"), &serde_json::to_vec_pretty(&self.json())?)?;
        atomic::write(&out.join("study.md"), self.markdown().as_bytes())?;
        Ok(())
    }
}

/// A difference with its sign.
fn signed(spread: Option<Spread>) -> String {
    spread
        .map_or_else(|| "-".into(), |spread| if spread.mean < 0.0 { cell(Some(spread)) } else { format!("+{spread}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variant: &str, seed: u64, f1_plus: f64) -> Row {
        Row { variant: variant.into(), seed, f1_plus: Some(f1_plus), judged: true, ..Row::default() }
    }

    #[test]
    fn differences_are_between_runs_of_the_same_seed_and_fold() {
        let mut rows = vec![row("a", 0, 60.0), row("a", 1, 70.0), row("a", 2, 10.0)];
        // in another order, and without the third seed
        rows.extend([row("b", 1, 73.0), row("b", 0, 61.0)]);
        // another fold has no partner, a failed run no score
        rows.push(Row { fold: 1, ..row("b", 2, 99.0) });
        rows.push(Row { judged: false, ..row("b", 2, 0.0) });
        let of_b = summary(&rows, "b", "a");
        assert_eq!(of_b.runs, 3);
        let Some([None, Some(plus), None, None]) = of_b.differences else { panic!("{of_b:?}") };
        // 1 and 3, so that the deviation is not that of the unpaired scores
        assert_eq!((plus.mean, plus.deviation, plus.runs), (2.0, Some(2.0_f64.sqrt()), 2));
        assert_eq!(signed(Some(plus)), "+2.00 ± 1.41");
        let of_a = summary(&rows, "a", "a");
        assert_eq!((of_a.differences, of_a.values[0]), (None, None));
        assert_eq!(of_a.values[1].map(|spread| spread.runs), Some(3));
    }
}
