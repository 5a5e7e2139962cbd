//! Reading back what the program wrote.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value;

/// A file's bytes.
///
/// # Panics
///
/// Naming the file, if it cannot be read.
#[must_use]
pub fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A JSON file.
///
/// # Panics
///
/// Naming the file, if it is none.
#[must_use]
pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&bytes(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A line of a CSV file by column.
pub type Row = BTreeMap<String, String>;

/// A CSV file with a header.
///
/// # Panics
///
/// Naming the file, if it is none.
#[must_use]
pub fn csv(path: &Path) -> Vec<Row> {
    let read = || csv::Reader::from_path(path)?.deserialize().collect::<Result<Vec<Row>, _>>();
    read().unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A number in a row.
///
/// # Panics
///
/// If the column is missing or holds no number.
#[must_use]
pub fn number(row: &Row, column: &str) -> f64 {
    let cell = row.get(column).unwrap_or_else(|| panic!("no column {column} in {row:?}"));
    cell.parse().unwrap_or_else(|_| panic!("{column} is {cell:?} in {row:?}"))
}

/// Name, shape and bytes of every tensor in a safetensors file.
///
/// # Panics
///
/// Naming the file, if it is none.
#[must_use]
pub fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = bytes(path);
    let file = SafeTensors::deserialize(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.iter().map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), view.data().to_vec()))).collect()
}

/// Size of a mask and its share of foreground in percent, after asserting that it knows only 0 and 255.
///
/// # Panics
///
/// Naming the file, if it is no mask.
#[must_use]
pub fn mask(path: &Path) -> ((u32, u32), f64) {
    let image = image::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into_luma8();
    assert!(image.pixels().all(|pixel| [0, 255].contains(&pixel.0[0])), "{}: neither 0 nor 255", path.display());
    let foreground = image.pixels().filter(|pixel| pixel.0[0] == 255).count();
    (image.dimensions(), 100.0 * foreground as f64 / image.pixels().len() as f64)
}
