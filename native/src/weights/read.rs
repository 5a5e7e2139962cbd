use std::io::Write as _;
use std::path::Path;

use burn::store::pytorch_reader::{DType as PytorchType, PytorchReader};
use burn::tensor::{Bytes, DType, TensorData};
use histomask_core::weights::{StateDict, read_weights};
use sha2::{Digest as _, Sha256};

use super::InitialWeightsError;

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
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("safetensors"));
    let state = if is_pytorch(&bytes) || !(named || is_safetensors(&bytes)) {
        read_pytorch(path).or_else(|error| read_without_zip64(&bytes).unwrap_or(Err(error))).map_err(unreadable)?
    } else {
        read_weights(&bytes).map_err(|error| unreadable(error.to_string()))?
    };
    Ok((state, hash))
}

/// Whether a file begins with the length of its JSON header and an opening brace.
fn is_safetensors(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// Whether a file begins as a ZIP archive, or as a pickle and not as safetensors.
fn is_pytorch(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK") || (bytes.first() == Some(&0x80) && !is_safetensors(bytes))
}

/// A PyTorch file without its ZIP64 end records, which repeat what the plain end record says of a small archive.
/// zip 9.8.1 refuses a file whose first local header is as long as they are, as with a stem of 21 characters.
fn read_without_zip64(bytes: &[u8]) -> Option<Result<StateDict, String>> {
    /// Bytes of the ZIP64 end record and its locator.
    const RECORDS: usize = 56 + 20;
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let (before, records) = bytes.get(..end)?.split_at_checked(end.checked_sub(RECORDS)?)?;
    let needed = bytes.get(end + 8..end + 20)?.chunks(2).any(|half| half == [0xff, 0xff]);
    if needed || !records.starts_with(b"PK\x06\x06") || !records.get(56..)?.starts_with(b"PK\x06\x07") {
        return None;
    }
    let read = || {
        let mut file = tempfile::Builder::new().suffix(".pth").tempfile().map_err(|error| error.to_string())?;
        let plain = [before, bytes.get(end..).unwrap_or_default()].concat();
        file.write_all(&plain).and_then(|()| file.flush()).map_err(|error| error.to_string())?;
        read_pytorch(file.path())
    };
    Some(read())
}

fn read_pytorch(path: &Path) -> Result<StateDict, String> {
    let reader = PytorchReader::new(path).map_err(|error| error.to_string())?;
    if reader.is_empty() {
        return Err("it holds no tensors".into());
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
            // counters of optimizers and the like
            _ => continue,
        };
        let data = TensorData::from_bytes(Bytes::from_bytes_vec(bytes), shape, dtype).convert::<f32>();
        state.insert(name, data);
    }
    Ok(state)
}
