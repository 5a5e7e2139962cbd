use std::borrow::Cow;
use std::collections::HashMap;

use burn::tensor::TensorData;
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, View};

use super::StateDict;
use crate::card::{CARD_FORMAT, ModelCard};
use crate::error::{Error, WeightsError};

/// The metadata key that holds the model card (or a training state) as JSON.
const METADATA_KEY: &str = "histomask";

/// Precision of the numbers in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits: what training resumes from.
    Full,
    /// 16 bits (IEEE half): half the size, for models that are shipped.
    Half,
}

/// A checkpoint: weights and their model card.
///
/// # Errors
///
/// [`WeightsError::Format`] if the library refuses a tensor.
pub fn write_checkpoint(state: &StateDict, card: &ModelCard, precision: Precision) -> Result<Vec<u8>, WeightsError> {
    let json = serde_json::to_string(card).map_err(|error| WeightsError::Format(error.to_string()))?;
    write_weights(state, Some(json), precision)
}

/// A safetensors file of weights, with a text in its metadata if given.
///
/// # Errors
///
/// [`WeightsError::Format`] if the library refuses a tensor.
pub fn write_weights(
    state: &StateDict,
    metadata: Option<String>,
    precision: Precision,
) -> Result<Vec<u8>, WeightsError> {
    let views = state.iter().map(|(name, data)| Ok((name, Packed::new(name, data, precision)?)));
    let views = views.collect::<Result<Vec<_>, WeightsError>>()?;
    // one key: a map of several would be written in random order
    let metadata = metadata.map(|text| HashMap::from([(METADATA_KEY.to_owned(), text)]));
    safetensors::serialize(views, metadata).map_err(|error| WeightsError::Format(error.to_string()))
}

/// The text that [`write_weights`] put into a file's metadata.
///
/// # Errors
///
/// [`WeightsError::Format`] if the bytes are no safetensors file.
pub fn read_metadata(bytes: &[u8]) -> Result<Option<String>, WeightsError> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| WeightsError::Format(error.to_string()))?;
    Ok(metadata.metadata().as_ref().and_then(|fields| fields.get(METADATA_KEY).cloned()))
}

/// The model card of a checkpoint, without reading its weights.
///
/// # Errors
///
/// [`Error::Weights`] if the bytes are no safetensors file, [`Error::Card`] if they hold no card this version reads.
pub fn read_card(bytes: &[u8]) -> Result<ModelCard, Error> {
    let json = read_metadata(bytes)?.ok_or_else(|| Error::Card("it has none".into()))?;
    let card: ModelCard = serde_json::from_str(&json).map_err(|error| Error::Card(error.to_string()))?;
    if card.format > CARD_FORMAT {
        let newer = format!("format {}, this version reads up to {CARD_FORMAT}; update histomask", card.format);
        return Err(Error::Card(newer));
    }
    card.validate()?;
    Ok(card)
}

/// Card and weights of a checkpoint.
///
/// # Errors
///
/// As [`read_card`] and [`read_weights`].
pub fn read_checkpoint(bytes: &[u8]) -> Result<(ModelCard, StateDict), Error> {
    Ok((read_card(bytes)?, read_weights(bytes)?))
}

/// The weights of any safetensors file as f32; integer tensors (`num_batches_tracked`) are left out.
///
/// # Errors
///
/// [`WeightsError::Format`] if the bytes are no complete safetensors file, [`WeightsError::Type`] for a tensor that
/// cannot be a weight.
pub fn read_weights(bytes: &[u8]) -> Result<StateDict, WeightsError> {
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| WeightsError::Format(error.to_string()))?;
    let mut state = StateDict::new();
    for (name, view) in tensors.iter() {
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            Dtype::F64 => view.data().chunks_exact(8).map(|b| read_f64(b) as f32).collect(),
            Dtype::F16 => view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::BF16 => view.data().chunks_exact(2).map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::I64 | Dtype::I32 if name.ends_with("num_batches_tracked") => continue,
            other => return Err(WeightsError::Type { name: name.to_owned(), dtype: format!("{other:?}") }),
        };
        state.insert(name.to_owned(), TensorData::new(values, view.shape().to_vec()));
    }
    Ok(state)
}

fn read_f64(bytes: &[u8]) -> f64 {
    let mut buffer = [0; 8];
    buffer.copy_from_slice(bytes);
    f64::from_le_bytes(buffer)
}

/// A tensor as it will stand in the file.
struct Packed {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Packed {
    fn new(name: &str, data: &TensorData, precision: Precision) -> Result<Self, WeightsError> {
        let values = data
            .as_slice::<f32>()
            .map_err(|_| WeightsError::Type { name: name.to_owned(), dtype: format!("{:?}", data.dtype()) })?;
        let (dtype, bytes) = match precision {
            Precision::Full => (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Precision::Half => {
                (Dtype::F16, values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect())
            }
        };
        Ok(Self { dtype, shape: data.shape().to_vec(), bytes })
    }
}

impl View for Packed {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
