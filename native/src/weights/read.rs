use std::path::Path;

use burn::store::pytorch_reader::{DType as PytorchType, PytorchReader};
use burn::tensor::{Bytes, DType, TensorData};
use histomask_core::weights::{StateDict, read_weights};
use sha2::{Digest as _, Sha256};

use super::InitialWeightsError;

/// Keys under which training scripts keep the state dict in a larger checkpoint.
const NESTED_UNDER: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// No model or published backbone comes near this size; more is some other file.
pub(super) const MAX_BYTES: u64 = 512 << 20;

/// A model or weights file in memory, unless it is too large to be one.
///
/// # Errors
///
/// The system's, or that the file is too large.
pub fn read_bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let size = std::fs::metadata(path)?.len();
    if size > MAX_BYTES {
        return Err(std::io::Error::other(format!("{} MiB is too large for a model file", size >> 20)));
    }
    std::fs::read(path)
}

/// SHA-256 of bytes in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tensors of a `.safetensors` or PyTorch file as f32, and the file's SHA-256.
///
/// A pickle is parsed, never executed.
///
/// # Errors
///
/// [`InitialWeightsError::Unreadable`] naming the file.
pub fn read_file(path: &Path) -> Result<(StateDict, String), InitialWeightsError> {
    let unreadable = |reason: String| InitialWeightsError::Unreadable { path: path.to_owned(), reason };
    let bytes = read_bytes(path).map_err(|error| unreadable(error.to_string()))?;
    let hash = sha256(&bytes);
    let is_safetensors = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors"));
    let state = if is_safetensors {
        read_weights(&bytes).map_err(|error| unreadable(error.to_string()))?
    } else {
        read_pytorch(path).map_err(unreadable)?
    };
    Ok((state, hash))
}

fn read_pytorch(path: &Path) -> Result<StateDict, String> {
    let mut reader = PytorchReader::new(path).map_err(|error| error.to_string())?;
    if reader.is_empty() {
        let nested = NESTED_UNDER.iter().find_map(|key| PytorchReader::with_top_level_key(path, key).ok());
        reader = nested.filter(|nested| !nested.is_empty()).ok_or("it holds no tensors")?;
    }
    let mut state = StateDict::new();
    for (name, tensor) in reader.into_tensors() {
        if name.ends_with("num_batches_tracked") {
            continue;
        }
        let (dtype, shape) = (tensor.dtype(), tensor.shape().to_vec());
        let bytes = tensor.read().map_err(|error| format!("tensor {name:?}: {error}"))?;
        let dtype = match dtype {
            PytorchType::F64 => DType::F64,
            PytorchType::F32 => DType::F32,
            PytorchType::F16 => DType::F16,
            PytorchType::BF16 => DType::BF16,
            other => return Err(format!("tensor {name:?} has type {other:?}, which is no weight")),
        };
        let data = TensorData::from_bytes(Bytes::from_bytes_vec(bytes), shape, dtype).convert::<f32>();
        state.insert(name, data);
    }
    Ok(state)
}
