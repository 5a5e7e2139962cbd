//! One page with everything: no other file, no script, no network.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    Case, Colormap, PLOT_CSS, PREDICTED_EDGE, Report, ReportError, TRUE_EDGE, Table, chart, color, confusion, picture,
};

const PAGE_CSS: &str = include_str!("page.css");

/// Lets the page show its own styles and embedded pictures, and load nothing.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The report as one HTML file.
///
/// # Errors
/// A table with ragged rows, a confusion matrix that is not square, a picture without pixels.
pub fn render(report: &Report) -> Result<String, ReportError> {
    let tables = report.tables.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    let confusion = report.confusion.iter().map(|f| Ok((confusion::draw(f)?, f.caption.as_str(), f.classes.len() > 3)));
    let confusion = confusion.collect::<Result<Vec<_>, ReportError>>()?;
    let charts: Vec<_> = report.curves.iter().map(|c| (chart::draw(c), c.caption.as_str(), false)).collect();
    let cases = report.gallery.iter().map(case).collect::<Result<Vec<_>, _>>()?;
    let content = html! {
        (section("Verdict", !report.verdict.is_empty(), html! {
            ul.verdict { @for sentence in &report.verdict { li { (sentence) } } }
        }))
        (section("Numbers", !tables.is_empty(), html! { @for table in &tables { (table) } }))
        (section("Confusion", !confusion.is_empty(), figures("matrices", &confusion)))
        (section("Curves", !charts.is_empty(), figures("charts", &charts)))
        (section("Cases", !cases.is_empty(), html! {
            @if let Some(map) = report.colormap { (legend(map)) }
            @for case in &cases { (case) }
        }))
        (section("How this was made", !report.facts.is_empty(), html! {
            dl { @for (name, value) in &report.facts { div { dt { (name) } dd { (value) } } } }
        }))
        (section("Notes", !report.notes.is_empty(), html! {
            ul { @for note in &report.notes { li { (note) } } }
        }))
    };
    Ok(page(&report.title, &report.subtitle, &content))
}

/// A page of our style around what is in it, as one HTML file.
pub fn page(title: &str, subtitle: &str, content: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(PAGE_CSS)) (PreEscaped(PLOT_CSS)) }
            }
            body {
                header {
                    h1 { (title) }
                    @if !subtitle.is_empty() { p.subtitle { (subtitle) } }
                    p.notice role="note" {
                        strong { "Research use only." }
                        " Not a medical device: not for diagnosis or for any decision about a patient."
                    }
                }
                main { (content) }
            }
        }
    };
    page.into_string()
}

fn section(heading: &str, filled: bool, content: Markup) -> Markup {
    html! { @if filled { section { h2 { (heading) } (content) } } }
}

/// Drawings with caption, and whether they need the room of two.
fn figures(class: &str, drawings: &[(Markup, &str, bool)]) -> Markup {
    html! {
        div.{ (class) } {
            @for (drawing, caption, wide) in drawings {
                figure.card.wide[*wide] { (drawing) @if !caption.is_empty() { figcaption { (caption) } } }
            }
        }
    }
}

/// A table as an element.
///
/// # Errors
/// [`ReportError::Row`] where a row is not as long as the header.
pub fn table(table: &Table) -> Result<Markup, ReportError> {
    let expected = table.header.len();
    if let Some((row, cells)) = table.rows.iter().enumerate().find(|(_, cells)| cells.len() != expected) {
        let (row, got) = (row + 1, cells.len());
        return Err(ReportError::Row { caption: table.caption.clone(), row, got, expected });
    }
    // A column is one of numbers if every filled cell is.
    let numeric = |column: usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !is_blank(cell)).peekable();
        cells.peek().is_some() && cells.all(|cell| is_number(cell))
    };
    let classes: Vec<_> = (0..expected).map(|column| numeric(column).then_some("number")).collect();
    Ok(html! {
        figure.card.numbers {
            figcaption { (table.caption) }
            // Focusable, so that a keyboard can scroll it.
            div.scroll tabindex="0" role="region" aria-label=(table.caption) { table {
                thead { tr { @for (name, class) in table.header.iter().zip(&classes) { th scope="col" class=[*class] { (name) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (column, (cell, class)) in row.iter().zip(&classes).enumerate() {
                                @if column == 0 { th scope="row" class=[*class] { (cell) } } @else { td class=[*class] { (cell) } }
                            }
                        }
                    }
                }
            } }
        }
    })
}

fn is_blank(cell: &str) -> bool {
    matches!(cell.trim(), "" | "-" | "–" | "—")
}

/// Numbers with or without unit and spread: "84.2", "3.4 M", "71.9 ± 0.3 %".
fn is_number(cell: &str) -> bool {
    let cell = cell.trim().trim_start_matches(['−', '<', '>', '≈', '≥', '≤', '±']).trim_start();
    cell.split(['\u{a0}', '\u{2009}', ' ', '%'])
        .next()
        .is_some_and(|start| start.parse::<f64>().is_ok_and(f64::is_finite))
}

fn case(case: &Case) -> Result<Markup, ReportError> {
    let images = case.images.iter().map(|(label, image)| Ok((label, picture::embed(label, image)?)));
    let images = images.collect::<Result<Vec<_>, ReportError>>()?;
    Ok(html! {
        article.case.card {
            h3 { (case.title) }
            @if !case.caption.is_empty() { p { (case.caption) } }
            div.row {
                @for (label, image) in &images {
                    figure {
                        img src=(image.uri) width=(image.width) height=(image.height) alt={ (case.title) ": " (label) };
                        figcaption { (label) }
                    }
                }
            }
        }
    })
}

/// What the colours in the gallery mean.
fn legend(map: Colormap) -> Markup {
    let hex = |[r, g, b]: [u8; 3]| format!("#{r:02x}{g:02x}{b:02x}");
    let stops: Vec<String> = (0..=12).map(|k| hex(color(map, k as f32 / 12.0))).collect();
    html! {
        p.legend {
            span { "Soft mask 0 " span.bar style={ "background:linear-gradient(90deg," (stops.join(",")) ")" } {} " 1" }
            span { span.edge style={ "background:" (hex(PREDICTED_EDGE)) } {} " predicted edge" }
            span { span.edge style={ "background:" (hex(TRUE_EDGE)) } {} " true edge" }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;
    use crate::report::{Axis, Chart, ConfusionFigure, Series};
    use image::RgbImage;

    fn sample() -> Report {
        let strings = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
        Report {
            title: "Run <7> & more".into(),
            verdict: vec!["F1+ 84.2 vs 61.0 for All-ones.".into()],
            tables: vec![Table {
                caption: "Test split".into(),
                header: strings(&["Method", "F1+ (%)"]),
                rows: vec![strings(&["SEM", "84.2 ± 0.4"]), strings(&["All-ones", "–"])],
            }],
            confusion: vec![ConfusionFigure {
                classes: strings(&["a", "b"]),
                counts: vec![vec![1, 0], vec![0, 1]],
                ..ConfusionFigure::default()
            }],
            curves: vec![Chart {
                x: Axis::new("Epoch", ""),
                series: vec![Series {
                    name: "loss".into(),
                    points: vec![(0.0, Some(1.0)), (1.0, Some(0.5))],
                    ..Series::default()
                }],
                ..Chart::default()
            }],
            gallery: vec![Case {
                title: "p1".into(),
                images: vec![("Input".into(), RgbImage::new(4, 4))],
                ..Case::default()
            }],
            colormap: Some(Colormap::Viridis),
            ..Report::default()
        }
    }

    #[test]
    fn the_page_refers_to_nothing_outside_itself() {
        let page = render(&sample()).unwrap();
        for outside in ["http://", "https://", "<script", "<link", "@import", "url("] {
            assert!(!page.contains(outside), "{outside} in the page");
        }
        assert_eq!(page.matches("src=").count(), page.matches("src=\"data:image/").count());
    }

    #[test]
    fn text_is_escaped_pictures_have_alt_text_and_the_notice_stands() {
        let page = render(&sample()).unwrap();
        assert!(page.contains("<h1>Run &lt;7&gt; &amp; more</h1>"));
        assert!(page.contains("alt=\"p1: Input\""));
        assert!(page.contains("Research use only."));
        assert!(page.contains("<td class=\"number\">84.2 ± 0.4</td>"));
        assert!(!page.contains("How this was made"), "empty parts are left out");
    }

    #[test]
    fn ragged_rows_are_named() {
        let mut report = sample();
        report.tables[0].rows[1].pop();
        let error = render(&report).unwrap_err().to_string();
        assert!(error.contains("Test split") && error.contains("row 2"), "{error}");
    }
}
