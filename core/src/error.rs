/// What can go wrong between a model file, an image and a mask.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The weights do not fit the model.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The file's model card is missing or unreadable.
    #[error("this file has no histomask model card ({0}); was it written by `histomask train`?")]
    Card(String),
    /// The pixels do not make an image of the given size.
    #[error("{bytes} bytes are not an RGB image of {width}×{height} (3 bytes a pixel)")]
    ImageBytes {
        /// Bytes given.
        bytes: usize,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The image is too small or too large for the model.
    #[error(
        "an image of {width}×{height} becomes {model_width}×{model_height} for this model; sides must be {min} to {max} pixels there"
    )]
    ImageSize {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// Width after the model's resize rule.
        model_width: usize,
        /// Height after the model's resize rule.
        model_height: usize,
        /// Smallest side the model takes.
        min: usize,
        /// Largest side the model takes.
        max: usize,
    },
    /// Sizes beyond what the kernels or the adapter take.
    #[error(transparent)]
    Limit(#[from] histomask_shaders::LimitError),
    /// A mask was asked for of a class the model does not have.
    #[error("class {class} was asked for, the model has the classes 0 to {}", classes.saturating_sub(1))]
    NoSuchClass {
        /// The class asked for.
        class: usize,
        /// How many the model has.
        classes: usize,
    },
    /// The device did not give the numbers back.
    #[error("could not read the result from the device: {0}")]
    Device(String),
    /// The model computed NaN or infinity.
    #[error("the model's output is not finite: its weights are damaged, or training diverged")]
    NotFinite,
}

/// Why weights do not fit a model, or are no weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// A value is NaN or infinite.
    #[error("{name} holds values that are not finite: the file is damaged, or training diverged")]
    NotFinite {
        /// The tensor's name.
        name: String,
    },
    /// Tensors the model needs are absent.
    #[error("the weights lack {count} tensors of the model ({first}): they belong to another architecture{has}")]
    Missing {
        /// How many.
        count: usize,
        /// The first by name.
        first: String,
        /// What they hold that the model does not know, in words; or nothing.
        has: String,
    },
    /// Tensors the model has no place for.
    #[error("the weights hold {count} tensors unknown to the model ({first}): they belong to another architecture")]
    Unused {
        /// How many.
        count: usize,
        /// The first by name.
        first: String,
    },
    /// A tensor has another shape.
    #[error("tensor {name:?} has shape {found:?}, the model needs {expected:?}: other classes or another architecture")]
    Shape {
        /// The tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape in the model.
        expected: Vec<usize>,
    },
    /// A tensor of a type that is no weight.
    #[error("tensor {name:?} has type {dtype}; weights are f32, f16, bf16 or f64")]
    Type {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: String,
    },
    /// The bytes are not a safetensors file.
    #[error(
        "not a complete safetensors file ({0}); a model is one that `histomask train` wrote: if this is one, copy or download \
         it again"
    )]
    Format(String),
}
