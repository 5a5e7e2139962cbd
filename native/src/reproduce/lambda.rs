//! What lambda does, which the paper does not show: masks, what they leave out of the class, and the background term's pull
//! at the mask over training, with a backbone that sees the whole image and one that does not.

use std::collections::BTreeMap;

use serde_json::json;

use super::Artefact;
use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Change, Repeats};
use super::runs::{Run, State};
use super::scores::Scores;
use super::statistics::{Spread, cell, record};
use super::study::Study;
use super::sweep::{Depth, Sweeps};
use crate::method::MethodChoice;
use crate::report::{Axis, Chart, Scale, Series, Style, Table};
use crate::train::{MaskGradientRow, read_mask_gradients};
use crate::trust::Probes;
use histomask_core::MethodKind;

/// From the paper's value to our recipe's.
const LAMBDAS: [f64; 6] = [1e-7, 1e-4, 0.01, 0.1, 0.5, 2.0];
const QUICK: [f64; 2] = [1e-7, 2.0];
/// Batches that gradients are measured on, a quarter of an epoch on GlaS.
const BATCHES: usize = 4;
/// Points on the way that masks are judged at, the end among them.
const CHECKPOINTS: usize = 5;

/// Backbone and lambda, with the arm that belongs to them.
fn points(sweeps: &Sweeps) -> Vec<(Depth, f64, Arm)> {
    let lambdas: &[f64] = if sweeps.quick { &QUICK } else { &LAMBDAS };
    let point = |backbone: Depth, &lambda| {
        let measured = [Change::MaskGradients(BATCHES), Change::Kept(CHECKPOINTS)];
        let mut changes = [&[Change::Lambda(lambda), Change::MasksAlone], &measured[..]].concat();
        if backbone == Depth::Whole {
            changes.push(Change::WholeBackbone);
        }
        let label = format!("{} backbone with lambda {lambda:?}", backbone.name());
        let arm = Arm::changed(label, MethodChoice::Of(MethodKind::MaxMin), &changes);
        (backbone, lambda, Arm { profile: Artefact::Lambda.profile(), ..arm })
    };
    sweeps.depths.iter().flat_map(|&backbone| lambdas.iter().map(move |lambda| point(backbone, lambda))).collect()
}

pub(crate) fn arms(sweeps: &Sweeps) -> Vec<Arm> {
    points(sweeps).into_iter().map(|point| point.2).collect()
}

/// What was found at one lambda with one backbone.
struct Found {
    backbone: Depth,
    lambda: f64,
    runs: usize,
    /// After the epochs that were judged, the last of them at the end.
    judged: BTreeMap<usize, Judged>,
    /// Norms over the epochs, mean over runs.
    gradients: Vec<MaskGradientRow>,
}

/// Masks and what names the class, over runs, in percent.
#[derive(Default)]
struct Judged {
    class_accuracy: Option<Spread>,
    f1_plus: Option<Spread>,
    f1_minus: Option<Spread>,
    /// The probe's accuracy on the whole image, X⁺ and X⁻, and that of guessing.
    from: [Option<Spread>; 4],
}

impl Judged {
    /// Of these runs, each as it was after one and the same epoch.
    fn of(study: &Study, runs: &[Run]) -> anyhow::Result<Self> {
        let split = study.judged(Source::Glas)?;
        let scores = runs.iter().map(|run| study.scores(run, split)).collect::<anyhow::Result<Vec<_>>>()?;
        let probes = runs.iter().map(|run| study.probes(run)).collect::<anyhow::Result<Vec<_>>>()?;
        let over = |number: fn(&Scores) -> Option<f64>| {
            Spread::of(&scores.iter().flatten().filter_map(number).collect::<Vec<_>>())
        };
        let probe = |number: fn(&Probes) -> f64| Spread::of(&probes.iter().flatten().map(number).collect::<Vec<_>>());
        Ok(Self {
            class_accuracy: over(|scores| Some(100.0 - scores.class_error_percent?)),
            f1_plus: over(|scores| scores.masks.as_ref()?.f1_plus),
            f1_minus: over(|scores| scores.masks.as_ref()?.f1_minus),
            from: [
                probe(|probes| probes.whole_percent),
                probe(|probes| probes.foreground_percent),
                probe(|probes| probes.background_percent),
                probe(|probes| probes.majority_percent),
            ],
        })
    }
}

impl Found {
    fn end(&self) -> Option<&Judged> {
        self.judged.values().next_back()
    }
}

pub(crate) fn draw(study: &Study, sweeps: &Sweeps) -> anyhow::Result<Drawn> {
    let mut all = Vec::new();
    for (backbone, lambda, arm) in points(sweeps) {
        let mut runs = study.runs(Source::Glas, &arm, Repeats::All)?;
        runs.retain(|run| run.state() == State::Ready);
        let mut by_epoch = BTreeMap::<usize, Vec<Run>>::new();
        for run in &runs {
            let end = (run.profile.train.epochs, run.clone());
            let way = run.on_the_way().filter_map(|run| Some((run.epoch?, run)));
            way.chain([end]).for_each(|(epoch, run)| by_epoch.entry(epoch).or_default().push(run));
        }
        let judged = by_epoch.into_iter().map(|(epoch, runs)| Ok((epoch, Judged::of(study, &runs)?)));
        let gradients: Vec<_> = runs.iter().map(|run| read_mask_gradients(&run.folder)).collect();
        all.push(Found {
            backbone,
            lambda,
            runs: runs.len(),
            judged: judged.collect::<anyhow::Result<_>>()?,
            gradients: mean(&gradients),
        });
    }
    let charts: Vec<_> = sweeps.depths.iter().map(|&backbone| charts(backbone, &all)).collect();
    // a row of the figure for each kind of chart, a column for each backbone
    let rows = (0..charts.iter().map(Vec::len).min().unwrap_or_default())
        .flat_map(|row| charts.iter().filter_map(move |of_backbone| of_backbone.get(row).cloned()));
    let caption = "Top: F1 of the network's masks alone at the end of training, and how often a probe that never saw the \
                   network names the class from what the mask keeps (X⁺) and leaves out (X⁻); error bars are one standard \
                   deviation, where there are several runs. Below, over the epochs: F1 of glands and of the rest, the \
                   class from X⁻, and the Euclidean norm of the background term's gradient at the soft mask over that of \
                   all other terms together, on the same training images throughout; epoch 0 is the network before its \
                   first step, and at 1 the term pulls as hard as the others.";
    Ok(Drawn {
        tables: vec![table(&all)],
        figure: Some(Figure::charts(&rows.collect::<Vec<_>>(), sweeps.depths.len(), caption)),
        records: all.iter().flat_map(records).collect(),
        notes: vec![
            "All settings are the recipe's but for lambda, the backbone, and what it does to masks outside of training \
             (colour prior, glass, small pieces), which is off."
                .into(),
        ],
    })
}

/// Row by row over the runs that have the epoch.
fn mean(runs: &[Vec<MaskGradientRow>]) -> Vec<MaskGradientRow> {
    let epochs = runs.iter().map(Vec::len).max().unwrap_or_default();
    let of_epoch = |index: usize| {
        let rows: Vec<_> = runs.iter().filter_map(|rows| rows.get(index)).collect();
        let over = |number: fn(&MaskGradientRow) -> f64| {
            rows.iter().map(|row| number(row)).sum::<f64>() / rows.len().max(1) as f64
        };
        MaskGradientRow {
            epoch: rows.first().map_or(index, |row| row.epoch),
            foreground: over(|row| row.foreground),
            background: over(|row| row.background),
            barrier: over(|row| row.barrier),
            others: over(|row| row.others),
        }
    };
    (0..epochs).map(of_epoch).collect()
}

/// The background term's pull against that of all other terms; none where those do not pull.
fn pull(row: &MaskGradientRow) -> Option<f64> {
    (row.others > 0.0).then(|| row.background / row.others)
}

fn table(all: &[Found]) -> Table {
    let header = [
        "Backbone",
        "Lambda",
        "F1+ %",
        "F1- %",
        "Cl. accuracy %",
        "From X %",
        "From X+ %",
        "From X- %",
        "Guessing %",
        "Pull, first",
        "Pull, last",
        "Runs",
    ];
    let ratio =
        |row: Option<&MaskGradientRow>| row.and_then(pull).map_or_else(|| "-".into(), |ratio| format!("{ratio:.1e}"));
    let row = |found: &Found| {
        let mut row = vec![found.backbone.name().into(), format!("{:?}", found.lambda)];
        let nothing = Judged::default();
        let end = found.end().unwrap_or(&nothing);
        row.extend([end.f1_plus, end.f1_minus, end.class_accuracy].map(cell));
        row.extend(end.from.map(cell));
        row.extend([ratio(found.gradients.first()), ratio(found.gradients.last()), found.runs.to_string()]);
        row
    };
    Table {
        caption:
            "Masks alone, the class named by the network and by a probe, and the background term's pull at the mask \
                  over that of the other terms, before the first step and after the last"
                .into(),
        header: header.map(String::from).to_vec(),
        rows: all.iter().map(row).collect(),
    }
}

/// A line an epoch; scores stand in the epochs that were judged.
fn records(found: &Found) -> Vec<Record> {
    let line = |gradients: &MaskGradientRow| {
        let mut line = Record::from_iter([
            ("backbone".to_owned(), json!(found.backbone.name())),
            ("lambda".to_owned(), json!(found.lambda)),
            ("epoch".to_owned(), json!(gradients.epoch)),
            ("gradient_foreground".to_owned(), json!(gradients.foreground)),
            ("gradient_background".to_owned(), json!(gradients.background)),
            ("gradient_barrier".to_owned(), json!(gradients.barrier)),
            ("gradient_others".to_owned(), json!(gradients.others)),
        ]);
        let nothing = Judged::default();
        let judged = found.judged.get(&gradients.epoch).unwrap_or(&nothing);
        let names = ["class_from_whole", "class_from_foreground", "class_from_background", "guessing"];
        let scores =
            [("class_accuracy", judged.class_accuracy), ("f1_plus", judged.f1_plus), ("f1_minus", judged.f1_minus)];
        for (name, spread) in scores.into_iter().chain(names.into_iter().zip(judged.from)) {
            record(&mut line, name, spread, None);
        }
        line.retain(|key, _| !key.ends_with("_paper"));
        line.insert("runs".into(), json!(found.runs));
        line
    };
    found.gradients.iter().map(line).collect()
}

/// The charts of a backbone: scores over lambda; F1+, F1-, the class from X⁻ and the pull over epochs.
fn charts(backbone: Depth, all: &[Found]) -> Vec<Chart> {
    type Number = fn(&Judged) -> Option<Spread>;
    type Points = Vec<(f64, Option<f64>)>;
    let of: Vec<_> = all.iter().filter(|found| found.backbone == backbone).collect();
    let series = |name: &str, style: Style, number: Number| {
        let at_end = |found: &&Found| found.end().and_then(number);
        Series {
            name: name.into(),
            points: of.iter().map(|found| (found.lambda, at_end(found).map(|spread| spread.mean))).collect(),
            spread: of.iter().map(|found| at_end(found).and_then(|spread| spread.deviation).unwrap_or(0.0)).collect(),
            style,
        }
    };
    let percent = || Axis { range: Some([0.0, 100.0]), ..Axis::new("Score", "%") };
    let scored = Chart {
        title: format!("{} backbone: masks and class", backbone.name()),
        x: Axis { scale: Scale::Log, ..Axis::new("λ", "weight of the background term") },
        y: percent(),
        series: vec![
            series("F1+", Style::Line, |judged| judged.f1_plus),
            series("F1−", Style::Line, |judged| judged.f1_minus),
            series("class from X⁺", Style::Line, |judged| judged.from[1]),
            series("class from X⁻", Style::Line, |judged| judged.from[2]),
            series("guessing", Style::Plain, |judged| judged.from[3]),
        ],
        ..Chart::default()
    };
    let over = |what: &str, y: Axis, line: &dyn Fn(&Found) -> Points| Chart {
        title: format!("{} backbone: {what}", backbone.name()),
        x: Axis::counting("Epoch", ""),
        y,
        series: of
            .iter()
            .map(|found| Series { name: format!("λ {:?}", found.lambda), points: line(found), ..Series::default() })
            .collect(),
        ..Chart::default()
    };
    let judged = |what: &str, number: Number| {
        let mean = |(&epoch, judged): (&usize, &Judged)| (epoch as f64, number(judged).map(|spread| spread.mean));
        over(what, percent(), &|found| found.judged.iter().map(mean).collect())
    };
    // the same axis for both backbones
    let ratios = || all.iter().flat_map(|found| &found.gradients).filter_map(pull).filter(|ratio| *ratio > 0.0);
    let bounds = [ratios().fold(1.0, f64::min), ratios().fold(1.0, f64::max)];
    let pulled = Axis { scale: Scale::Log, range: Some(bounds), ..Axis::new("Gradient at the mask", "to the others'") };
    vec![
        scored,
        judged("F1+", |judged| judged.f1_plus),
        judged("F1−", |judged| judged.f1_minus),
        judged("class from X⁻", |judged| judged.from[2]),
        over("pull of the background term", pulled, &|found| {
            found.gradients.iter().map(|row| (row.epoch as f64, pull(row))).collect()
        }),
    ]
}
