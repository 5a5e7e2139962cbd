//! Polygons from GeoJSON files, also packed ones.

use std::io::Read as _;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use histomask_core::outline::Shapes;

use super::DataError;

/// Most bytes of a text.
const MOST: u64 = 2 << 30;

/// Whether a file is taken for GeoJSON by its name.
#[must_use]
pub fn is_geojson(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    [".geojson", ".json", ".geojson.gz", ".json.gz"].iter().any(|ending| name.ends_with(ending))
}

/// Reads `.geojson`, or the same packed by gzip, told by content.
///
/// # Errors
/// [`DataError`] naming the file.
pub fn read_shapes(path: &Path) -> Result<Shapes, DataError> {
    let failed = |error| DataError::io(path, error);
    let bytes = std::fs::read(path).map_err(failed)?;
    let mut text = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        MultiGzDecoder::new(bytes.as_slice()).take(MOST).read_to_end(&mut text).map_err(failed)?;
    } else {
        text = bytes;
    }
    Shapes::from_geojson(&String::from_utf8_lossy(&text))
        .map_err(|reason| DataError::GeoJson { path: path.to_owned(), reason })
}
