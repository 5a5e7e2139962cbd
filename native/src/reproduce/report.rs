//! The files of an artefact, and the page that grows with each.

use std::path::{Path, PathBuf};

use image::DynamicImage;
use maud::{PreEscaped, html};
use serde_json::{Value, json};

use super::drawn::{csv, text};
use super::{Artefact, Drawn, quick};
use crate::atomic;
use crate::report::{page, table};

/// How an artefact was made: name and value.
pub(crate) type Made = Vec<(String, String)>;

/// The part of a page that an artefact's folder holds.
const SECTION: &str = "section.html";

/// Writes `<out>/<artefact>/` and puts its section into `<out>/report.html`, beside those of earlier calls. Returns
/// the page's path.
pub(crate) fn write(
    out: &Path,
    artefact: Artefact,
    drawn: &Drawn,
    made: &[(String, String)],
    context: &Value,
) -> anyhow::Result<PathBuf> {
    let folder = out.join(artefact.name());
    let file = |extension: &str| folder.join(format!("{}.{extension}", artefact.name()));
    let json = json!({
        "schema": 1,
        "artefact": artefact.name(),
        "title": artefact.title(),
        "context": context,
        "rows": drawn.records,
        "notes": drawn.notes,
    });
    atomic::write(&file("json"), &serde_json::to_vec_pretty(&json)?)?;
    atomic::write(&file("csv"), &csv(&drawn.records)?)?;
    if !drawn.tables.is_empty() {
        let tables: Vec<_> = drawn.tables.iter().map(text).collect();
        atomic::write(&file("txt"), format!("{}\n", tables.join("\n\n")).as_bytes())?;
    }
    if let Some(figure) = &drawn.figure {
        atomic::write(&file("svg"), figure.svg.as_bytes())?;
        if let Some(picture) = &figure.png {
            atomic::write(&file("png"), &quick::png(DynamicImage::ImageRgb8(picture.clone()))?)?;
        }
    }
    atomic::write(&folder.join(SECTION), section(artefact, drawn, made)?.as_bytes())?;
    let path = out.join("report.html");
    atomic::write(&path, whole(out).as_bytes())?;
    Ok(path)
}

fn section(artefact: Artefact, drawn: &Drawn, made: &[(String, String)]) -> anyhow::Result<String> {
    let tables = drawn.tables.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    let section = html! {
        section id=(artefact.name()) {
            h2 { (artefact.title()) }
            @if let Some(figure) = &drawn.figure {
                figure.card.whole { (PreEscaped(&figure.inline)) figcaption { (figure.caption) } }
            }
            @for table in &tables { (table) }
            @if !drawn.notes.is_empty() { ul.remarks { @for note in &drawn.notes { li { (note) } } } }
            details {
                summary { "How this was made" }
                dl { @for (name, value) in made { div { dt { (name) } dd { (value) } } } }
            }
        }
    };
    Ok(section.into_string())
}

/// The page with every section that is there.
fn whole(out: &Path) -> String {
    let section = |artefact: Artefact| {
        let text = std::fs::read_to_string(out.join(artefact.name()).join(SECTION)).ok()?;
        Some((artefact, text))
    };
    let sections: Vec<_> = Artefact::ALL.into_iter().filter_map(section).collect();
    let content = html! {
        nav { ul.contents { @for (artefact, _) in &sections { li { a href={ "#" (artefact.name()) } { (artefact.title()) } } } } }
        @for (_, text) in &sections { (PreEscaped(text)) }
    };
    let subtitle = "Max-min uncertainty (Belharbi et al., IEEE TMI 2022) and what it is compared with: numbers of this \
                    machine beside the paper's";
    page("Reproduction", subtitle, &content)
}
