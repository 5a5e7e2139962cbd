//! Initial weights of a backbone: embedded, from a file, or none.

mod convert;
mod embedded;
mod get;
mod read;

use std::path::{Path, PathBuf};

use histomask_core::config::BackboneKind;
use histomask_core::weights::{StateDict, WeightsError};

pub use convert::{backbone_names, backbone_of};
pub use embedded::{default_model, embedded_backbone};
pub use get::{RESNET18_URL, get};
pub use read::{read_bytes, read_file, sha256};

/// Initial weights cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitialWeightsError {
    /// Nothing is embedded for that backbone.
    #[error(
        "no weights are embedded for {backbone}; name a file with --weights, fetch torchvision's with \
         `histomask weights get resnet18`, or train from scratch with --weights none"
    )]
    NotEmbedded {
        /// The backbone.
        backbone: &'static str,
    },
    /// The file cannot be read.
    #[error(
        "{path}: {reason}; weights are a whole .safetensors file or PyTorch .pth file of tensors: if this is one, copy or \
         download it again"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The weights are another network's.
    #[error("{from}: {source}")]
    Misfit {
        /// Where they came from.
        from: String,
        /// How they misfit.
        source: WeightsError,
    },
    /// The download failed.
    #[error("{url}: {reason}; check the connection, or fetch the file another way and name it with --weights")]
    Download {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The file came, but could not be kept.
    #[error(transparent)]
    Write(#[from] crate::atomic::WriteError),
}

/// Tensors for a backbone and a line that says where they came from.
#[derive(Debug)]
pub struct InitialWeights {
    /// The backbone's tensors under its own names; `None` to start from random ones.
    pub state: Option<StateDict>,
    /// Origin and SHA-256, for the model card.
    pub origin: String,
}

/// Resolves a profile's `weights` key: `embedded`, `none`, or the path of a file.
///
/// # Errors
///
/// [`InitialWeightsError`] if nothing is embedded for `backbone` or the file is unreadable.
pub fn initial_weights(choice: &str, backbone: BackboneKind) -> Result<InitialWeights, InitialWeightsError> {
    match choice {
        "none" => Ok(InitialWeights { state: None, origin: "random".into() }),
        "embedded" => embedded_backbone(backbone),
        path => {
            let path = Path::new(path);
            let (state, sha256) = read_file(path)?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok(InitialWeights { state: Some(backbone_names(state)), origin: format!("{name}, sha256 {sha256}") })
        }
    }
}
