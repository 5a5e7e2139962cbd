//! Several drawings in one: the panels of a figure, row by row.

use maud::{Markup, html};

use super::drawing::Drawing;
use super::{Chart, ConfusionFigure, ReportError, chart, confusion};

/// Room between panels, in SVG units.
const GAP: f64 = 18.0;

/// Charts as the panels of one figure, `columns` in a row: the inside of a page, or with `alone` an SVG file.
pub fn chart_panels(charts: &[Chart], columns: usize, alone: bool) -> String {
    panels(&charts.iter().map(chart::drawing).collect::<Vec<_>>(), columns, alone).into_string()
}

/// Confusion matrices as the tiles of one figure, likewise.
///
/// # Errors
/// [`ReportError::NotSquare`].
pub fn confusion_panels(figures: &[ConfusionFigure], columns: usize, alone: bool) -> Result<String, ReportError> {
    let drawings = figures.iter().map(confusion::drawing).collect::<Result<Vec<_>, _>>()?;
    Ok(panels(&drawings, columns, alone).into_string())
}

fn panels(drawings: &[Drawing], columns: usize, alone: bool) -> Markup {
    let columns = columns.max(1).min(drawings.len().max(1));
    let cell = drawings.iter().fold([0.0f64; 2], |[w, h], d| [w.max(d.width), h.max(d.height)]);
    let rows = drawings.len().div_ceil(columns);
    let length = |cells: usize, side: f64| cells as f64 * side + cells.saturating_sub(1) as f64 * GAP;
    let at = |n: usize, side: f64| n as f64 * (side + GAP);
    let spoken: Vec<_> = drawings.iter().map(|drawing| drawing.spoken.as_str()).collect();
    let content = html! {
        @for (n, drawing) in drawings.iter().enumerate() {
            g transform={ "translate(" (at(n % columns, cell[0])) " " (at(n / columns, cell[1])) ")" } {
                (drawing.content)
            }
        }
    };
    let (width, height) = (length(columns, cell[0]), length(rows, cell[1]));
    Drawing { content, width, height, spoken: spoken.join(" ") }.element(alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_stand_in_rows() {
        let charts = vec![Chart::default(); 5];
        let svg = chart_panels(&charts, 2, true);
        assert_eq!(svg.matches("<g transform").count(), 5);
        assert!(svg.contains("translate(0 ") && svg.contains("translate(438 "), "{svg}");
        assert_eq!(svg.matches("<style>").count(), 1);
    }
}
