use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use histomask_core::weights::{read_card, read_checkpoint};
use histomask_core::{Device, Segmenter};

use crate::device::Trial;
use crate::method::MethodChoice;
use crate::train::RunFolder;
use crate::weights::{default_model, read_bytes};

/// A model named on the command line.
#[derive(Clone)]
pub(crate) struct ModelFile {
    /// The file, unless it is the embedded one.
    pub(crate) path: Option<PathBuf>,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

impl ModelFile {
    /// A file, the best checkpoint of a run's folder, or without a name the embedded model.
    pub(crate) fn open(model: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = model else { return Ok(Self { path: None, bytes: default_model().to_vec() }) };
        let file = if path.is_dir() { RunFolder::new(path).best() } else { path.to_owned() };
        let bytes = read_bytes(&file).with_context(|| {
            format!("{}: cannot read the model; name a .safetensors file or the folder of a run", file.display())
        })?;
        Ok(Self { path: Some(file), bytes })
    }

    /// Card and weights, as the method asked for if it is another one than the model's own.
    pub(crate) fn read(&self, method: Option<MethodChoice>) -> anyhow::Result<Trial> {
        let (mut card, weights) = read_checkpoint(&self.bytes).with_context(|| self.name())?;
        if let Some(method) = method.map(MethodChoice::kind) {
            let own = card.model.method;
            if !own.can_be_used_as(method) {
                bail!(
                    "{}: a model of the method {own} cannot be used as {method}; leave --method out, or train one with \
                     `histomask train --method {method}`",
                    self.name()
                );
            }
            card.model.method = method;
        }
        Ok(Trial { card, weights })
    }

    /// The model on a device.
    pub(crate) fn segmenter(&self, model: Trial, device: &Device) -> anyhow::Result<Segmenter> {
        Segmenter::from_checkpoint(model.card, &model.weights, device).with_context(|| self.name())
    }

    /// The classes it knows.
    pub(crate) fn classes(&self) -> anyhow::Result<Vec<String>> {
        Ok(read_card(&self.bytes).with_context(|| self.name())?.classes)
    }

    /// Its path, or that it is the embedded one.
    pub(crate) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| "embedded default model".into(), |path| path.display().to_string())
    }

    /// The folder it lies in, where results about it go.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path.as_ref().and_then(|path| path.parent()).unwrap_or_else(|| Path::new(".")).to_owned()
    }
}
