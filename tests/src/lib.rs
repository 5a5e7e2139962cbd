//! What the tests share: the vectors, devices, and the real binary.

use std::path::PathBuf;
use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};
use histomask::device::{DeviceChoice, Trial, adapters, choose};
use serde_json::Value;

pub mod fuzz;
pub mod program;
pub mod pyramid;
pub mod results;
pub mod small_slides;
pub mod tiny;
pub mod toy;
pub mod vulkan;

/// The test vectors: the file named by `HISTOMASK_VECTORS`, or the copy in this folder.
#[must_use]
pub fn vectors() -> Value {
    let path = std::env::var_os("HISTOMASK_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors.json")), PathBuf::from);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder of shared data (`HISTOMASK_SHARED`, else `../shared` beside the checkout), or `None` after saying so.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("HISTOMASK_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no ../shared");
    None
}

/// A software Vulkan adapter (lavapipe, SwiftShader), or `None` after saying so. A process opens it once.
#[must_use]
pub fn software_adapter() -> Option<Device> {
    static OPENED: OnceLock<Option<Device>> = OnceLock::new();
    let device = OPENED.get_or_init(|| {
        let adapters = adapters();
        let number = adapters.iter().position(|adapter| adapter.is_software() && adapter.is_vulkan())?;
        let chosen = choose(DeviceChoice::Adapter(number), Trial::embedded).unwrap_or_else(|error| panic!("{error}"));
        println!("on {}", chosen.name);
        Some(chosen.device)
    });
    if device.is_none() {
        println!("skipped: no software Vulkan adapter (Debian: mesa-vulkan-drivers)");
    }
    device.clone()
}

/// Numbers of a nested JSON array in row order; single numbers too.
#[must_use]
pub fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap_or_else(|| panic!("{other} is no number"))],
    }
}

/// The cases of a JSON array, of which there is at least one.
///
/// # Panics
///
/// If it is missing or empty: a loop over it would test nothing.
#[must_use]
pub fn cases(value: &Value) -> &[Value] {
    match value.as_array() {
        Some(cases) if !cases.is_empty() => cases,
        _ => panic!("no cases to test: {value}"),
    }
}

/// Sides of a nested JSON array.
#[must_use]
pub fn shape(value: &Value) -> Vec<usize> {
    match value {
        Value::Array(items) => std::iter::once(items.len()).chain(shape(&items[0])).collect(),
        _ => vec![],
    }
}

/// A nested JSON array as a tensor.
#[must_use]
pub fn tensor<const D: usize>(value: &Value, device: &Device) -> Tensor<D> {
    let shape = shape(value);
    assert_eq!(shape.len(), D, "a tensor of {D} dimensions");
    Tensor::from_data(TensorData::new(numbers(value), shape), device)
}

/// The values of a tensor.
#[must_use]
pub fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().convert::<f64>().try_to_vec::<f64>().unwrap_or_else(|error| panic!("{error:?}"))
}

/// Asserts that a tensor equals the expected numbers within `tolerance`, absolute and relative.
pub fn assert_close<const D: usize>(what: &str, actual: Tensor<D>, expected: &Value, tolerance: f64) {
    let actual =
        actual.into_data().convert::<f64>().try_to_vec::<f64>().unwrap_or_else(|error| panic!("{what}: {error:?}"));
    assert_numbers(what, &actual, &numbers(expected), tolerance);
}

/// Asserts that numbers equal the expected ones within `tolerance`, absolute and relative.
pub fn assert_numbers(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: number of values");
    for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let difference = (actual - expected).abs();
        assert!(
            difference <= tolerance * expected.abs().max(1.0),
            "{what}[{index}]: {actual} is not {expected} (difference {difference:.2e}, tolerance {tolerance:.0e})"
        );
    }
}
