use std::path::{Path, PathBuf};

use super::read::MAX_BYTES;
use super::{InitialWeightsError, sha256};
use crate::atomic;

/// torchvision's ResNet18 trained on ImageNet; the eight digits are the start of its SHA-256.
pub const RESNET18_URL: &str = "https://download.pytorch.org/models/resnet18-f37072fd.pth";

/// Downloads weights to `target` and returns their SHA-256. The only thing in histomask that uses the network.
///
/// Where the file's name carries the start of its hash, as torchvision's do, it must match.
///
/// # Errors
///
/// [`InitialWeightsError::Download`] or [`InitialWeightsError::Write`]; nothing is left behind then.
pub fn get(url: &str, target: &Path) -> Result<String, InitialWeightsError> {
    let failed = |reason: String| InitialWeightsError::Download { url: url.to_owned(), reason };
    let mut response = ureq::get(url).call().map_err(|error| failed(error.to_string()))?;
    let bytes =
        response.body_mut().with_config().limit(MAX_BYTES).read_to_vec().map_err(|error| failed(error.to_string()))?;
    let hash = sha256(&bytes);
    if let Some(expected) = hash_in_name(url)
        && !hash.starts_with(&expected)
    {
        return Err(failed(format!("the file's sha256 is {hash}, its name promises {expected}…")));
    }
    atomic::write(target, &bytes)?;
    Ok(hash)
}

/// The `f37072fd` of `resnet18-f37072fd.pth`.
fn hash_in_name(url: &str) -> Option<String> {
    let stem = PathBuf::from(url).file_stem()?.to_string_lossy().into_owned();
    let tail = stem.rsplit('-').next()?;
    (tail.len() == 8 && tail.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| tail.to_ascii_lowercase())
}
