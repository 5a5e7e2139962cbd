//! Polygons from GeoJSON files, also packed ones.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use histomask_core::outline::{GeoJsonError, Shapes, class_names};

use super::DataError;

/// Most bytes of a text: it and what it says stand in memory, several times as large.
const MOST: u64 = 256 << 20;

/// Whether a file is taken for GeoJSON by its name.
#[must_use]
pub fn is_geojson(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [".geojson", ".json", ".geojson.gz", ".json.gz"].iter().any(|ending| name.ends_with(ending))
}

/// Reads `.geojson`, or the same packed by gzip, told by content; of 256 MiB at most, unpacked.
///
/// # Errors
/// [`DataError`] naming the file.
pub fn read_shapes(path: &Path) -> Result<Shapes, DataError> {
    shapes_of(path, &text_up_to(path, MOST)?)
}

/// [`read_shapes`], and the names of the polygons' classes.
///
/// # Errors
/// As [`read_shapes`].
pub(super) fn read_named_shapes(path: &Path) -> Result<(Shapes, BTreeSet<String>), DataError> {
    let text = text_up_to(path, MOST)?;
    Ok((shapes_of(path, &text)?, class_names(&text)))
}

fn shapes_of(path: &Path, text: &str) -> Result<Shapes, DataError> {
    Shapes::from_geojson(text).map_err(|reason| DataError::GeoJson { path: path.to_owned(), reason })
}

fn text_up_to(path: &Path, most: u64) -> Result<String, DataError> {
    let failed = |error| DataError::io(path, error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let packed = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    let mut text = Vec::new();
    // one byte more tells whether there are more
    let mut unpacked: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    unpacked.by_ref().take(most + 1).read_to_end(&mut text).map_err(|error| match packed {
        true => {
            let reason = GeoJsonError::Json(format!("packed by gzip, which is damaged: {error}"));
            DataError::GeoJson { path: path.to_owned(), reason }
        }
        false => failed(error),
    })?;
    if text.len() as u64 > most {
        return Err(DataError::LongText { path: path.to_owned(), most });
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;
    use std::io::Write as _;

    #[test]
    fn a_packed_text_that_was_cut_is_told_as_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.geojson.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(br#"{"type":"FeatureCollection","features":[]}"#).unwrap();
        let packed = encoder.finish().unwrap();
        std::fs::write(&path, &packed[..packed.len() - 12]).unwrap();
        let text = read_shapes(&path).unwrap_err().to_string();
        assert!(text.contains("a.geojson.gz: no GeoJSON (packed by gzip, which is damaged"), "{text}");
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let text = r#"{"type":"Polygon","coordinates":[[[0,0],[4,0],[4,4],[0,0]]]}"#;
        let padded = format!("{text}{}", " ".repeat(5000));
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(padded.as_bytes()).unwrap();
        let packed = encoder.finish().unwrap();
        assert!(packed.len() < 300, "{}", packed.len());
        for (name, bytes) in [("a.geojson", padded.as_bytes()), ("a.geojson.gz", &packed)] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let length = padded.len() as u64;
            assert_eq!(text_up_to(&path, length).unwrap(), padded);
            let refused = text_up_to(&path, length - 1).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("--simplify"), "{refused}");
        }
    }
}
