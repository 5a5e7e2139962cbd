//! Fig. 10: how results depend on lambda, sigma and omega.

use clap::ValueEnum;
use serde_json::json;

use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Change};
use super::statistics::{Spread, cell, record};
use super::study::Study;
use crate::method::MethodChoice;
use crate::report::{Axis, Chart, Scale, Series, Table};

/// What is varied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Parameter {
    /// Weight of the background term
    Lambda,
    /// Threshold of the sigmoid in Eq. 12
    Sigma,
    /// Slope of the sigmoid in Eq. 12
    Omega,
}

impl Parameter {
    fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Sigma => "sigma",
            Self::Omega => "omega",
        }
    }

    /// The paper's ranges.
    fn values(self, quick: bool) -> &'static [f64] {
        match (self, quick) {
            (Self::Lambda, false) => &[1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1],
            (Self::Lambda, true) => &[1e-7, 1e-1],
            (Self::Sigma, false) => &[0.1, 0.15, 0.2, 0.3, 0.4, 0.5],
            (Self::Sigma, true) => &[0.1, 0.5],
            (Self::Omega, false) => &[1.0, 2.5, 5.0, 7.5, 10.0],
            (Self::Omega, true) => &[1.0, 5.0],
        }
    }

    fn change(self, value: f64) -> Change {
        match self {
            Self::Lambda => Change::Lambda(value),
            Self::Sigma => Change::Sigma(value),
            Self::Omega => Change::Omega(value),
        }
    }
}

/// How much of the backbone there is; a column of the figure each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Depth {
    /// All of it: every position sees the whole image
    Whole,
    /// The recipe's: a position sees 147 pixels
    Short,
}

impl Depth {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Short => "short",
        }
    }
}

/// What is varied, with what, and how densely.
#[derive(Clone, Debug)]
pub(crate) struct Sweeps {
    pub(crate) parameters: Vec<Parameter>,
    /// Backbones that lambda is followed with.
    pub(crate) depths: Vec<Depth>,
    pub(crate) quick: bool,
}

impl Sweeps {
    /// Each parameter, method and value with the arm that belongs to it: SEM in the left column, EEM in the right.
    fn points(&self) -> Vec<(Parameter, MethodChoice, f64, Arm)> {
        let mut points = Vec::new();
        for &parameter in &self.parameters {
            for method in [MethodChoice::MaxMinSem, MethodChoice::MaxMinEem] {
                for &value in parameter.values(self.quick) {
                    let label = format!("{} with {} {value:?}", super::plan::title(method), parameter.name());
                    points.push((parameter, method, value, Arm::changed(label, method, &[parameter.change(value)])));
                }
            }
        }
        points
    }
}

pub(crate) fn arms(sweeps: &Sweeps) -> Vec<Arm> {
    sweeps.points().into_iter().map(|point| point.3).collect()
}

/// A point of a panel: the value on the x axis; accuracy, F1+ and F1-.
type Point = (f64, [Option<Spread>; 3]);

pub(crate) fn draw(study: &Study, sweeps: &Sweeps) -> anyhow::Result<Drawn> {
    let mut drawn = Drawn::default();
    let (mut panels, mut rows) = (Vec::<(Parameter, MethodChoice, Vec<Point>)>::new(), Vec::new());
    for (parameter, method, value, arm) in sweeps.points() {
        let scores = study.arm_scores(Source::Glas, &arm)?;
        let over = |number: &dyn Fn(&super::scores::Scores) -> Option<f64>| {
            Spread::of(&scores.iter().filter_map(number).collect::<Vec<_>>())
        };
        let accuracy = over(&|scores| Some(100.0 - scores.class_error_percent?));
        let f1_plus = over(&|scores| scores.masks.as_ref()?.f1_plus);
        let f1_minus = over(&|scores| scores.masks.as_ref()?.f1_minus);
        let title = super::plan::title(method);
        let mut line = Record::from_iter([
            ("parameter".to_owned(), json!(parameter.name())),
            ("method".to_owned(), json!(title)),
            ("value".to_owned(), json!(value)),
        ]);
        record(&mut line, "class_accuracy", accuracy, None);
        record(&mut line, "f1_plus", f1_plus, None);
        record(&mut line, "f1_minus", f1_minus, None);
        line.retain(|key, _| !key.ends_with("_paper"));
        line.insert("runs".into(), json!(scores.len()));
        drawn.records.push(line);
        rows.push(vec![
            parameter.name().into(),
            title.into(),
            format!("{value:?}"),
            cell(accuracy),
            cell(f1_plus),
            cell(f1_minus),
            scores.len().to_string(),
        ]);
        let point = (value, [accuracy, f1_plus, f1_minus]);
        match panels.iter_mut().find(|panel| (panel.0, panel.1) == (parameter, method)) {
            Some(panel) => panel.2.push(point),
            None => panels.push((parameter, method, vec![point])),
        }
    }
    let charts: Vec<_> = panels.iter().map(|(parameter, method, points)| chart(*parameter, *method, points)).collect();
    let caption = "Mean over seeds and folds; error bars are one standard deviation, where there are several runs.";
    drawn.figure = Some(Figure::charts(&charts, 2, caption));
    drawn.tables.push(Table {
        caption: "Accuracy and F1, percent".into(),
        header: ["Parameter", "Method", "Value", "Cl. accuracy %", "F1+ %", "F1- %", "Runs"].map(String::from).to_vec(),
        rows,
    });
    drawn.notes.push(
        "All other settings are the method's own. With sigma varied, its rise over the epochs is off. Below about 1e-5 \
         lambda's term is at float32's round-off next to the others, whose gradients are 10 million times larger."
            .into(),
    );
    Ok(drawn)
}

fn chart(parameter: Parameter, method: MethodChoice, points: &[Point]) -> Chart {
    // colours by position: blue, orange, green as in the paper
    let series = |name: &str, score: usize| {
        let spread = |point: &Point| point.1.get(score).copied().flatten();
        Series {
            name: name.into(),
            points: points.iter().map(|point| (point.0, spread(point).map(|spread| spread.mean))).collect(),
            spread: points.iter().map(|point| spread(point).and_then(|s| s.deviation).unwrap_or(0.0)).collect(),
            ..Series::default()
        }
    };
    let scale = if parameter == Parameter::Lambda { Scale::Log } else { Scale::Linear };
    let (letter, meaning) = match parameter {
        Parameter::Lambda => ("λ", "weight of the background term"),
        Parameter::Sigma => ("σ", "threshold of the mask"),
        Parameter::Omega => ("ω", "slope of the mask"),
    };
    Chart {
        title: format!("{letter}, {}", super::plan::title(method)),
        x: Axis { scale, ..Axis::new(letter, meaning) },
        y: Axis { range: Some([0.0, 100.0]), ..Axis::new("Score", "%") },
        series: vec![series("F1−", 2), series("Cl. accuracy", 0), series("F1+", 1)],
        ..Chart::default()
    }
}
