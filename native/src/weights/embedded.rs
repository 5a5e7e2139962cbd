use histomask_core::config::BackboneKind;
use histomask_core::weights::read_weights;

use super::{InitialWeights, InitialWeightsError, sha256};

/// EfficientNet-Lite0 trained on ImageNet, f16 (Apache-2.0; see THIRD_PARTY.md).
const EFFICIENTNET_LITE0: &[u8] = include_bytes!("../../assets/efficientnet-lite0.safetensors");

/// The default model of `predict`: trained on GlaS, research use only (its model card says how).
const DEFAULT_MODEL: &[u8] = include_bytes!("../../assets/glas.safetensors");

/// The checkpoint that `predict` uses when none is named.
#[must_use]
pub fn default_model() -> &'static [u8] {
    DEFAULT_MODEL
}

/// ImageNet weights compiled into the program.
///
/// # Errors
///
/// [`InitialWeightsError::NotEmbedded`] for backbones without any.
pub fn embedded_backbone(backbone: BackboneKind) -> Result<InitialWeights, InitialWeightsError> {
    if backbone != BackboneKind::EfficientnetLite0 {
        return Err(InitialWeightsError::NotEmbedded { backbone: backbone.name() });
    }
    let from = "embedded EfficientNet-Lite0 (ImageNet)";
    let state =
        read_weights(EFFICIENTNET_LITE0).map_err(|source| InitialWeightsError::Misfit { from: from.into(), source })?;
    Ok(InitialWeights { state: Some(state), origin: format!("{from}, sha256 {}", sha256(EFFICIENTNET_LITE0)) })
}
