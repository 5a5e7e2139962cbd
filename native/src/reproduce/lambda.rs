//! What lambda does, which the paper does not show: masks, what they leave out of the class, and the background term's pull
//! at the mask over training, with a backbone that sees the whole image and one that does not.

use serde_json::json;

use super::Artefact;
use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Change, Repeats};
use super::scores::Scores;
use super::statistics::{Spread, cell, record};
use super::study::Study;
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
/// Names of the two backbones, the columns of the figure.
const BACKBONES: [&str; 2] = ["whole", "short"];

/// Backbone and lambda, with the arm that belongs to them.
fn points(quick: bool) -> Vec<(&'static str, f64, Arm)> {
    let lambdas: &[f64] = if quick { &QUICK } else { &LAMBDAS };
    let point = |backbone, &lambda| {
        let mut changes = vec![Change::Lambda(lambda), Change::MasksAlone, Change::MaskGradients(BATCHES)];
        if backbone == BACKBONES[0] {
            changes.push(Change::WholeBackbone);
        }
        let label = format!("{backbone} backbone with lambda {lambda:?}");
        let arm = Arm::changed(label, MethodChoice::Of(MethodKind::MaxMin), &changes);
        (backbone, lambda, Arm { profile: Artefact::Lambda.profile(), ..arm })
    };
    BACKBONES.into_iter().flat_map(|backbone| lambdas.iter().map(move |lambda| point(backbone, lambda))).collect()
}

pub(crate) fn arms(quick: bool) -> Vec<Arm> {
    points(quick).into_iter().map(|point| point.2).collect()
}

/// What was found at one lambda with one backbone.
struct Found {
    backbone: &'static str,
    lambda: f64,
    runs: usize,
    class_accuracy: Option<Spread>,
    f1_plus: Option<Spread>,
    f1_minus: Option<Spread>,
    /// The probe's accuracy on the whole image, X⁺ and X⁻, and that of guessing, in percent.
    from: [Option<Spread>; 4],
    /// Norms over the epochs, mean over runs.
    gradients: Vec<MaskGradientRow>,
}

pub(crate) fn draw(study: &Study, quick: bool) -> anyhow::Result<Drawn> {
    let mut all = Vec::new();
    for (backbone, lambda, arm) in points(quick) {
        let scores = study.arm_scores(Source::Glas, &arm)?;
        let probes = study.arm_probes(Source::Glas, &arm)?;
        let runs = study.runs(Source::Glas, &arm, Repeats::All)?;
        let of_runs: Vec<_> = runs.iter().map(|run| read_mask_gradients(&run.folder)).collect();
        let over =
            |number: fn(&Scores) -> Option<f64>| Spread::of(&scores.iter().filter_map(number).collect::<Vec<_>>());
        let probe = |number: fn(&Probes) -> f64| Spread::of(&probes.iter().map(number).collect::<Vec<_>>());
        all.push(Found {
            backbone,
            lambda,
            runs: scores.len(),
            class_accuracy: over(|scores| Some(100.0 - scores.class_error_percent?)),
            f1_plus: over(|scores| scores.masks.as_ref()?.f1_plus),
            f1_minus: over(|scores| scores.masks.as_ref()?.f1_minus),
            from: [
                probe(|probes| probes.whole_percent),
                probe(|probes| probes.foreground_percent),
                probe(|probes| probes.background_percent),
                probe(|probes| probes.majority_percent),
            ],
            gradients: mean(&of_runs),
        });
    }
    let (scored, pulled): (Vec<_>, Vec<_>) = BACKBONES.map(|backbone| charts(backbone, &all)).into_iter().unzip();
    let caption = "Above: F1 of the network's masks alone, and how often a probe that never saw the network names the class \
                   from what the mask keeps (X⁺) and leaves out (X⁻); error bars are one standard deviation, where there \
                   are several runs. Below: the Euclidean norm of the background term's gradient at the soft mask over \
                   that of all other terms together, on the same training images throughout; epoch 0 is the network \
                   before its first step, and at 1 the term pulls as hard as the others.";
    Ok(Drawn {
        tables: vec![table(&all)],
        figure: Some(Figure::charts(&[scored, pulled].concat(), 2, caption)),
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
        let mut row = vec![found.backbone.into(), format!("{:?}", found.lambda)];
        row.extend([found.f1_plus, found.f1_minus, found.class_accuracy].map(cell));
        row.extend(found.from.map(cell));
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

/// A line an epoch; scores, which are of the last one, stand in each.
fn records(found: &Found) -> Vec<Record> {
    let line = |gradients: &MaskGradientRow| {
        let mut line = Record::from_iter([
            ("backbone".to_owned(), json!(found.backbone)),
            ("lambda".to_owned(), json!(found.lambda)),
            ("epoch".to_owned(), json!(gradients.epoch)),
            ("gradient_foreground".to_owned(), json!(gradients.foreground)),
            ("gradient_background".to_owned(), json!(gradients.background)),
            ("gradient_barrier".to_owned(), json!(gradients.barrier)),
            ("gradient_others".to_owned(), json!(gradients.others)),
        ]);
        let names = ["class_from_whole", "class_from_foreground", "class_from_background", "guessing"];
        let scores =
            [("class_accuracy", found.class_accuracy), ("f1_plus", found.f1_plus), ("f1_minus", found.f1_minus)];
        for (name, spread) in scores.into_iter().chain(names.into_iter().zip(found.from)) {
            record(&mut line, name, spread, None);
        }
        line.retain(|key, _| !key.ends_with("_paper"));
        line.insert("runs".into(), json!(found.runs));
        line
    };
    found.gradients.iter().map(line).collect()
}

/// The two charts of a backbone: scores over lambda, pull over epochs.
fn charts(backbone: &str, all: &[Found]) -> (Chart, Chart) {
    let of: Vec<_> = all.iter().filter(|found| found.backbone == backbone).collect();
    let series = |name: &str, style: Style, number: fn(&Found) -> Option<Spread>| Series {
        name: name.into(),
        points: of.iter().map(|found| (found.lambda, number(found).map(|spread| spread.mean))).collect(),
        spread: of.iter().map(|found| number(found).and_then(|spread| spread.deviation).unwrap_or(0.0)).collect(),
        style,
    };
    let scored = Chart {
        title: format!("{backbone} backbone: masks and class"),
        x: Axis { scale: Scale::Log, ..Axis::new("λ", "weight of the background term") },
        y: Axis { range: Some([0.0, 100.0]), ..Axis::new("Score", "%") },
        series: vec![
            series("F1+", Style::Line, |found| found.f1_plus),
            series("F1−", Style::Line, |found| found.f1_minus),
            series("class from X⁺", Style::Line, |found| found.from[1]),
            series("class from X⁻", Style::Line, |found| found.from[2]),
            series("guessing", Style::Plain, |found| found.from[3]),
        ],
        ..Chart::default()
    };
    // the same axis for both backbones
    let ratios = || all.iter().flat_map(|found| &found.gradients).filter_map(pull).filter(|ratio| *ratio > 0.0);
    let bounds = [ratios().fold(1.0, f64::min), ratios().fold(1.0, f64::max)];
    let line = |found: &&Found| Series {
        name: format!("λ {:?}", found.lambda),
        points: found.gradients.iter().map(|row| (row.epoch as f64, pull(row))).collect(),
        ..Series::default()
    };
    let pulled = Chart {
        title: format!("{backbone} backbone: pull of the background term"),
        x: Axis::counting("Epoch", ""),
        y: Axis { scale: Scale::Log, range: Some(bounds), ..Axis::new("Gradient at the mask", "to the others'") },
        series: of.iter().map(line).collect(),
        ..Chart::default()
    };
    (scored, pulled)
}
