//! What an artefact is made into: tables, figures and records, the same for all.

use image::RgbImage;
use serde_json::{Map, Value};

use crate::report::{Chart, ConfusionFigure, PictureGrid, ReportError, Table, chart_panels, confusion_panels};

/// One line of the CSV file and one object of the JSON file.
pub(crate) type Record = Map<String, Value>;

/// A finished artefact.
#[derive(Default)]
pub(crate) struct Drawn {
    pub(crate) tables: Vec<Table>,
    pub(crate) figure: Option<Figure>,
    /// The numbers, all with the same keys.
    pub(crate) records: Vec<Record>,
    /// What to keep in mind.
    pub(crate) notes: Vec<String>,
}

/// A drawing with its caption.
pub(crate) struct Figure {
    /// For the page.
    pub(crate) inline: String,
    /// As a file of its own.
    pub(crate) svg: String,
    /// Its pictures, of figures that are made of pictures.
    pub(crate) png: Option<RgbImage>,
    pub(crate) caption: String,
}

impl Figure {
    /// Charts, `columns` in a row.
    pub(crate) fn charts(charts: &[Chart], columns: usize, caption: &str) -> Self {
        let draw = |alone| chart_panels(charts, columns, alone);
        Self { inline: draw(false), svg: draw(true), png: None, caption: caption.into() }
    }

    /// Confusion matrices, `columns` in a row.
    pub(crate) fn matrices(matrices: &[ConfusionFigure], columns: usize, caption: &str) -> Result<Self, ReportError> {
        let draw = |alone| confusion_panels(matrices, columns, alone);
        Ok(Self { inline: draw(false)?, svg: draw(true)?, png: None, caption: caption.into() })
    }

    /// Pictures in rows and labelled columns.
    pub(crate) fn pictures(grid: &PictureGrid, caption: &str) -> Result<Self, ReportError> {
        let (inline, svg) = (grid.svg(false)?, grid.svg(true)?);
        Ok(Self { inline, svg, png: Some(grid.picture()), caption: caption.into() })
    }
}

/// The records as CSV, with the keys of the first as header.
pub(crate) fn csv(records: &[Record]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = records.first() {
        writer.write_record(first.keys())?;
    }
    for record in records {
        writer.write_record(record.values().map(plain))?;
    }
    Ok(writer.into_inner()?)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A table for a terminal: columns aligned, numbers to the right.
pub(crate) fn text(table: &Table) -> String {
    let rows: Vec<&Vec<String>> = std::iter::once(&table.header).chain(&table.rows).collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| {
            let room = width(column).unwrap_or(0).saturating_sub(cell.chars().count());
            let space = " ".repeat(room);
            if column == 0 { format!("{cell}{space}") } else { format!("{space}{cell}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let lines: Vec<_> = rows.iter().map(|row| line(row)).collect();
    format!("{}\n{}", table.caption, lines.join("\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn columns_line_up_whatever_the_letters() {
        let strings = |cells: [&str; 2]| cells.map(String::from).to_vec();
        let rows = vec![strings(["Ours", "71.94 ± 0.31"]), strings(["U-Net", "-"])];
        let table = Table { caption: "T".into(), header: strings(["Method", "F1+"]), rows };
        assert_eq!(text(&table), "T\nMethod           F1+\nOurs    71.94 ± 0.31\nU-Net              -");
    }

    #[test]
    fn absent_values_are_empty_cells() {
        let record = |value: Value| Map::from_iter([("a".to_owned(), "x,y".into()), ("b".to_owned(), value)]);
        let bytes = csv(&[record(1.5.into()), record(Value::Null)]).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "a,b\n\"x,y\",1.5\n\"x,y\",\n");
    }
}
