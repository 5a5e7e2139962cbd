//! Confusion matrices as SVG, laid out as the paper's Figs. 5 and 6 (`spec` §4).

use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::{ReportError, drawing::Drawing};

/// Side of a cell and height of the head, in SVG units.
const CELL: f64 = 96.0;
const TOP: f64 = 78.0;

/// Longest class name that fits a cell.
const LETTERS: usize = 13;

/// A confusion matrix: rows are predictions, columns the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfusionFigure {
    /// Heading.
    pub title: String,
    /// What is counted (pixels, patches), below the figure on a page.
    pub caption: String,
    /// K class names.
    pub classes: Vec<String>,
    /// `[K, K]` counts, `counts[predicted][true]`.
    pub counts: Vec<Vec<u64>>,
}

/// The matrix as an element of a page: counts, and shares with each column normalised to 100 %.
///
/// # Errors
/// [`ReportError::NotSquare`].
pub(super) fn draw(figure: &ConfusionFigure) -> Result<Markup, ReportError> {
    Ok(drawing(figure)?.element(false))
}

/// What is drawn, without the element around it.
pub(super) fn drawing(figure: &ConfusionFigure) -> Result<Drawing, ReportError> {
    let k = figure.classes.len();
    if k == 0 || figure.counts.len() != k || figure.counts.iter().any(|row| row.len() != k) {
        return Err(ReportError::NotSquare { title: figure.title.clone(), classes: k });
    }
    let shares = column_shares(&figure.counts);
    let longest = figure.classes.iter().map(|class| class.chars().count().min(LETTERS)).max().unwrap_or(0);
    let left = 44.0 + 7.5 * longest as f64;
    let side = CELL * k as f64;
    let (width, height) = (left + side + 12.0, TOP + side + 12.0);
    let middle = |n: usize| CELL * (n as f64 + 0.5);
    let content = html! {
            text.title x="14" y="20" { (figure.title) }
            text.soft x=(left + side / 2.0) y="46" text-anchor="middle" { "True" }
            text.soft text-anchor="middle" transform={ "translate(18 " (TOP + side / 2.0) ") rotate(-90)" } { "Predicted" }
            @for (n, class) in figure.classes.iter().enumerate() {
                text x=(left + middle(n)) y=(TOP - 10.0) text-anchor="middle" { (cut(class)) }
                text x=(left - 10.0) y=(TOP + middle(n)) dy="4.5" text-anchor="end" { (cut(class)) }
            }
            @for (row, (counts, shares)) in figure.counts.iter().zip(&shares).enumerate() {
                @for (column, (count, share)) in counts.iter().zip(shares).enumerate() {
                    @let opacity = 0.05 + 0.95 * share.unwrap_or(0.0);
                    @let on = if opacity > 0.55 { " on" } else { "" };
                    @let (x, y) = (CELL * column as f64, CELL * row as f64);
                    rect.cell x=(left + x + 1.5) y=(TOP + y + 1.5) width=(CELL - 3.0) height=(CELL - 3.0) rx="6"
                        fill-opacity={ (format!("{opacity:.3}")) } {}
                    text class={ "share" (on) } x=(left + middle(column)) y=(TOP + middle(row)) dy="1" text-anchor="middle" {
                        (percent(*share))
                    }
                    text class={ "soft" (on) } x=(left + middle(column)) y=(TOP + middle(row)) dy="20" text-anchor="middle" {
                        (grouped(*count))
                    }
                }
            }
    };
    Ok(Drawing { content, width, height, spoken: spoken(figure, &shares) })
}

/// Share of each count in its column, in `[0, 1]`; none in a column without counts.
fn column_shares(counts: &[Vec<u64>]) -> Vec<Vec<Option<f64>>> {
    let total = |column: usize| counts.iter().filter_map(|row| row.get(column)).map(|&n| n as f64).sum::<f64>();
    let totals: Vec<f64> = (0..counts.len()).map(total).collect();
    let share = |(&count, &total): (&u64, &f64)| (total > 0.0).then(|| count as f64 / total);
    counts.iter().map(|row| row.iter().zip(&totals).map(share).collect()).collect()
}

fn spoken(figure: &ConfusionFigure, shares: &[Vec<Option<f64>>]) -> String {
    let mut text = format!("Confusion matrix: {}.", figure.title);
    for (predicted, row) in figure.classes.iter().zip(shares) {
        for (truth, share) in figure.classes.iter().zip(row) {
            text += &format!(" True {truth} predicted {predicted}: {}.", percent(*share));
        }
    }
    text
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// Digits in groups of three, set apart by thin spaces.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let places = digits.len();
    let group = |(n, digit): (usize, char)| {
        ((places - n).is_multiple_of(3) && n > 0).then_some('\u{2009}').into_iter().chain([digit])
    };
    digits.chars().enumerate().flat_map(group).collect()
}

fn cut(name: &str) -> String {
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    name.chars().take(LETTERS - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    fn figure(counts: Vec<Vec<u64>>) -> ConfusionFigure {
        let classes = vec!["Gland".into(), "Tissue".into()];
        ConfusionFigure { title: "Pixels".into(), classes, counts, ..ConfusionFigure::default() }
    }

    #[test]
    fn columns_add_up_to_100_percent() {
        let svg = draw(&figure(vec![vec![7143, 2632], vec![2857, 7368]])).unwrap().into_string();
        for text in [">71.4 %<", ">26.3 %<", ">28.6 %<", ">73.7 %<", ">7\u{2009}143<"] {
            assert!(svg.contains(text), "{text} is missing");
        }
        assert!(svg.contains("True Tissue predicted Gland: 26.3 %"));
    }

    #[test]
    fn empty_columns_and_bad_shapes_are_handled() {
        assert!(draw(&figure(vec![vec![3, 0], vec![1, 0]])).unwrap().into_string().contains(">–<"));
        assert!(matches!(draw(&figure(vec![vec![1, 2]])), Err(ReportError::NotSquare { classes: 2, .. })));
        assert_eq!(grouped(1_234_567), "1\u{2009}234\u{2009}567");
    }
}
