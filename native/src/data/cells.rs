//! The cells of a table as people save it: UTF-8 or UTF-16, commas, semicolons or tabs, empty rows and cells, and paths
//! with the slashes and letters of another system.

use std::path::Path;

use super::DataError;
use super::labels::nfc;

/// Rows below a header.
pub(crate) struct Cells {
    /// In lower case.
    pub(crate) header: Vec<String>,
    /// With their lines in the file, counted from 1; none is empty, and none has content beyond the header.
    pub(crate) rows: Vec<(u64, csv::StringRecord)>,
}

/// Reads a table.
///
/// # Errors
/// [`DataError`] naming file and line.
pub(crate) fn read(table: &Path) -> Result<Cells, DataError> {
    let row_error = |line: u64, reason: String| DataError::Row { path: table.to_owned(), line, reason };
    let csv_error = |error: csv::Error| {
        let line = error.position().map_or(0, csv::Position::line);
        match error.into_kind() {
            csv::ErrorKind::Io(error) => DataError::io(table, error),
            _ => row_error(line, "not a row of cells; save the table as CSV UTF-8".to_owned()),
        }
    };
    let bytes = std::fs::read(table).map_err(|error| DataError::io(table, error))?;
    let mut text = text_of(&bytes).map_err(|reason| row_error(1, reason))?;
    let delimiter = delimiter(&mut text);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
    let header: Vec<_> = reader.headers().map_err(csv_error)?.iter().map(str::to_lowercase).collect();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(csv_error)?;
        let line = record.position().map_or(0, csv::Position::line);
        // Excel leaves empty rows, and empty cells at the ends of rows
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.iter().skip(header.len()).any(|cell| !cell.is_empty()) {
            return Err(row_error(line, uneven(record.len(), header.len())));
        }
        rows.push((line, record));
    }
    Ok(Cells { header, rows })
}

/// What is said of a row that has fewer or more cells than it needs.
pub(super) fn uneven(cells: usize, header: usize) -> String {
    format!("{cells} cells, but the header has {header}; quote cells that hold a comma")
}

/// A path of the table as it is found: without `./`, with `\\` for `/` and in either form of its letters where only
/// that names a file.
pub(crate) fn found(root: &Path, written: &str) -> String {
    let plain =
        |path: &str| path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/");
    let written = if written.starts_with('/') { written.to_owned() } else { plain(written) };
    let slashes = written.replace('\\', "/");
    let forms = [
        written.clone(),
        slashes.clone(),
        nfc(&slashes),
        unicode_normalization::UnicodeNormalization::nfd(slashes.as_str()).collect(),
    ];
    forms.into_iter().find(|form| root.join(form).is_file()).unwrap_or(written)
}

/// The text of a table: UTF-8 or UTF-16, by its byte order mark or its zero bytes.
fn text_of(bytes: &[u8]) -> Result<String, String> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>());
        text.ok()
            .filter(|_| rest.is_empty())
            .ok_or_else(|| "damaged UTF-16 text; save the table as CSV UTF-8".to_owned())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'P', b'K', 3, 4, ..] => {
            Err("it is no text but a workbook or an archive; save the table as CSV UTF-8".to_owned())
        }
        [_, 0, _, 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, _, 0, _, ..] => utf16(bytes, u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            String::from_utf8(bytes.to_vec())
                .map_err(|_| "letters that are not UTF-8 (Latin-1?); save the table as CSV UTF-8".to_owned())
        }
    }
}

/// What stands between the cells: what Excel's `sep=;` in a first line of its own says, which becomes an empty one;
/// else, by the header, a comma, or a semicolon or tab where there are more of these.
fn delimiter(text: &mut String) -> u8 {
    let line = text.lines().next().unwrap_or_default();
    if let [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] = *line.trim_end().as_bytes() {
        text.replace_range(..line.len(), "");
        return delimiter;
    }
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| header.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    #[test]
    fn cells_are_those_that_are_meant() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("list.csv");
        let utf16: Vec<u8> = "\u{feff}path,mpp\na.svs,0.5\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in [
            &b"path,mpp\r\na.svs,0.5\r\n"[..],
            b"\xef\xbb\xbfPath;MPP\na.svs;0.5\n",
            b"path\tmpp\n\na.svs\t0.5\t\t\n",
            b"sep=;\npath;mpp\n;\na.svs;0.5\n",
            &utf16,
        ] {
            std::fs::write(&table, bytes).unwrap();
            let Cells { header, rows } = read(&table).unwrap();
            assert_eq!(header, ["path", "mpp"]);
            let [(_, row)] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(row.iter().take(2).collect::<Vec<_>>(), ["a.svs", "0.5"]);
        }
        std::fs::write(&table, "path\na.svs\nb.svs,0.5\n").unwrap();
        let error = read(&table).err().unwrap().to_string();
        assert!(error.contains("list.csv, line 3: 2 cells, but the header has 1; quote cells"), "{error}");
    }
}
