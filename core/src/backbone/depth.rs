//! A backbone cut short: a position of its map sees a part of the image, so that what speaks for a class must be found
//! where it is.
//!
//! A whole backbone names the class from stain and context of the whole crop at any position, and its maps need not
//! follow glands.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::Device;

use super::{Backbone, BatchNorm, Features, Forward, Pair};
use crate::kernel::Activation::Relu;
use crate::weights::{StateDict, WeightsError, load_state_dict, state_dict};

/// How much of a backbone is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Residual blocks from the image on; 0 keeps all, and the layers behind them.
    pub blocks: usize,
    /// Channels of the 1×1 layer above the last block of a cut backbone; 0 for none.
    pub channels: usize,
}

impl Depth {
    /// Everything.
    pub const WHOLE: Self = Self { blocks: 0, channels: 0 };

    /// How many of `all` blocks are kept.
    #[must_use]
    pub fn blocks_of(self, all: usize) -> usize {
        if self.blocks == 0 { all } else { self.blocks.min(all) }
    }

    /// Whether anything of a backbone of `all` blocks is left out.
    #[must_use]
    pub fn cuts(self, all: usize) -> bool {
        self.blocks_of(all) < all
    }
}

/// The 1×1 layer of a cut backbone: convolution, batch normalisation, ReLU.
#[derive(Module, Debug)]
pub struct Neck {
    conv: Conv2d,
    bn: BatchNorm,
}

impl Neck {
    /// The layer above a backbone cut to `depth`, whose last block has `input` channels; none where it has no channels.
    #[must_use]
    pub fn new(input: usize, depth: Depth, device: &Device) -> Option<Self> {
        (depth.channels > 0).then(|| Self {
            conv: Conv2dConfig::new([input, depth.channels], [1, 1]).with_bias(false).init(device),
            bn: BatchNorm::new(depth.channels, 0.1, 1e-5, device),
        })
    }

    /// Channels of its output.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.conv.weight.dims()[0]
    }

    /// `[B, C, h, w]` to `[B, channels, h, w]`.
    pub(super) fn forward(&self, x: Features, forward: Forward<'_>) -> Features {
        forward.pair(self.pair(), x, None, Relu)
    }

    pub(super) fn pair(&self) -> Pair<'_> {
        (&self.conv, &self.bn)
    }
}

/// Side in pixels of the square that a position of the last map sees, of layers of (kernel, stride) in order.
pub(super) fn receptive_field(layers: impl IntoIterator<Item = (usize, usize)>) -> usize {
    let step = |(field, jump), (kernel, stride)| (field + (kernel - 1) * jump, jump * stride);
    layers.into_iter().fold((1, 1), step).0
}

impl Backbone {
    /// The backbone with the weights of a whole one of its kind; what a cut one has no place for is passed over, and
    /// its 1×1 layer keeps its own.
    ///
    /// # Errors
    ///
    /// [`WeightsError`] as in [`load_state_dict`].
    pub fn with_weights_of_whole(self, whole: &StateDict) -> Result<Self, WeightsError> {
        if !self.is_cut() {
            return load_state_dict(self, whole);
        }
        let mut own = state_dict(&self);
        for (name, value) in own.iter_mut().filter(|(name, _)| !name.starts_with("neck.")) {
            match whole.get(name) {
                Some(pretrained) => *value = pretrained.clone(),
                None => return Err(WeightsError::Missing { count: 1, first: name.clone(), has: String::new() }),
            }
        }
        load_state_dict(self, &own)
    }
}
