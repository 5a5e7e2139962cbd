//! Weights as named tensors, and as safetensors files with a model card.

mod safetensors;
mod state_dict;

pub use self::safetensors::{
    Precision, read_card, read_checkpoint, read_metadata, read_weights, write_checkpoint, write_weights,
};
pub use crate::error::WeightsError;
pub use state_dict::{ParamPath, StateDict, load_state_dict, state_dict};
