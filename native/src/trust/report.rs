use histomask_core::trust::calibration::ReliabilityBin;

use super::{Calibration, Summary, Trust, sentence};
use crate::report::{Axis, Chart, Report, Series, Style, Table};

/// Adds the sentence, the numbers and the two charts to a page.
pub fn add_to_report(report: &mut Report, trust: &Trust) {
    let summary = &trust.summary;
    report.verdict.push(sentence(summary));
    report.tables.push(numbers(summary));
    report.tables.extend(correlations(summary));
    report.curves.extend(curves(summary));
    report.curves.extend(summary.calibration.as_ref().map(reliability_chart));
    report.notes.extend(trust.failed.iter().map(|(_, error)| format!("Trust not measured: {error}")));
}

/// The numbers in a few lines for the console, the sentence first.
#[must_use]
pub fn text(trust: &Trust) -> String {
    let summary = &trust.summary;
    let mut lines = vec![sentence(summary)];
    lines.extend(numbers(summary).rows.iter().map(|row| row.join(": ")));
    if let Some(table) = correlations(summary) {
        lines.push(format!("{}:", table.caption));
        lines.extend(table.rows.iter().map(|row| {
            let cell = |column: usize| row.get(column).map_or("", String::as_str);
            format!("  {}: F1+ {}, F1- {}, n {}", cell(0), cell(1), cell(2), cell(3))
        }));
    }
    lines.join("\n")
}

fn number(value: Option<f64>) -> String {
    value.map_or("-".into(), |value| format!("{value:.3}"))
}

fn numbers(summary: &Summary) -> Table {
    let mut rows: Vec<[String; 2]> = Vec::new();
    if let Some(probes) = summary.probes {
        let percent = |value: f64| format!("{value:.1} %");
        let by = if probes.by_group { "patient" } else { "image" };
        rows.push([
            format!("class from the whole image, independent classifier ({} folds by {by})", probes.folds),
            percent(probes.whole_percent),
        ]);
        rows.push(["class from the foreground alone".into(), percent(probes.foreground_percent)]);
        rows.push(["class from the background alone".into(), percent(probes.background_percent)]);
        rows.push(["class by guessing (majority)".into(), percent(probes.majority_percent)]);
    }
    rows.push(["stability over flips and turns, IoU".into(), number(summary.orientation_stability)]);
    rows.push(["stability over stain, IoU".into(), number(summary.stain_stability)]);
    rows.push(["deletion, area".into(), number(summary.deletion_area)]);
    rows.push(["insertion, area".into(), number(summary.insertion_area)]);
    if let Some(calibration) = &summary.calibration {
        let from = if calibration.cross_fitted { "cross-fitted" } else { "validation" };
        rows.push(["expected calibration error".into(), number(calibration.ece_before)]);
        rows.push([
            format!(
                "the same after temperature {} ({from}, {} images)",
                number(calibration.temperature),
                calibration.fitted_on
            ),
            number(calibration.ece_after),
        ]);
    }
    Table {
        caption: format!("Trust without masks, {} images", summary.images),
        header: ["Measure", "Value"].map(String::from).to_vec(),
        rows: rows.into_iter().map(Vec::from).collect(),
    }
}

fn correlations(summary: &Summary) -> Option<Table> {
    let rows: Vec<Vec<String>> = summary
        .correlations
        .iter()
        .map(|row| vec![row.measure.to_owned(), number(row.f1_plus), number(row.f1_minus), row.images.to_string()])
        .collect();
    (!rows.is_empty()).then(|| Table {
        caption: "Spearman rank correlation of each measure with the mask's scores".into(),
        header: ["Measure", "F1+", "F1-", "n"].map(String::from).to_vec(),
        rows,
    })
}

fn unit(label: &str) -> Axis {
    Axis { range: Some([0.0, 1.0]), ..Axis::new(label, "") }
}

fn curves(summary: &Summary) -> Option<Chart> {
    let series = |name: &str, values: &[f64]| {
        let last = values.len().saturating_sub(1).max(1) as f64;
        let points = values.iter().enumerate().map(|(step, &value)| (step as f64 / last, Some(value))).collect();
        Series { name: name.into(), points, ..Series::default() }
    };
    (!summary.deletion.is_empty()).then(|| Chart {
        title: "Deletion and insertion".into(),
        caption: "Mean probability of the predicted class while pixels are greyed out, or put into the blurred image, \
                  in the order of the mask. A good mask makes deletion fall and insertion rise early."
            .into(),
        x: unit("Pixels changed, share"),
        y: unit("Probability"),
        series: vec![series("deletion", &summary.deletion), series("insertion", &summary.insertion)],
    })
}

fn reliability_chart(calibration: &Calibration) -> Chart {
    let series = |name: &str, bins: &[ReliabilityBin]| {
        let points = bins.iter().filter_map(|bin| Some((bin.confidence?, Some(bin.accuracy?)))).collect();
        Series { name: name.into(), points, ..Series::default() }
    };
    let diagonal = Series {
        name: "perfect".into(),
        points: vec![(0.0, Some(0.0)), (1.0, Some(1.0))],
        style: Style::Plain,
        ..Series::default()
    };
    let drawn = [series("model", &calibration.reliability_before), series("tempered", &calibration.reliability_after)];
    Chart {
        title: "Reliability".into(),
        caption: "How often the class is right, by how sure the model is of it.".into(),
        x: unit("Confidence"),
        y: unit("Accuracy"),
        series: drawn.into_iter().filter(|series| !series.points.is_empty()).chain([diagonal]).collect(),
    }
}
