//! Feature maps on their way through a network.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;

#[cfg(feature = "cpu")]
use crate::kernel::Blocks;
use crate::resample::nearest_double;

/// A tensor, or of a folded network on the CPU blocks of channels. What one of them cannot be asked it is turned into
/// the other for.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few values at a time, and most are moved on at once")]
pub(crate) enum Features {
    /// `[B, C, H, W]`.
    Tensor(Tensor<4>),
    #[cfg(feature = "cpu")]
    Blocks(Blocks),
}

impl From<Tensor<4>> for Features {
    fn from(tensor: Tensor<4>) -> Self {
        Self::Tensor(tensor)
    }
}

impl Features {
    /// `[B, C, H, W]`.
    pub(crate) fn into_tensor(self) -> Tensor<4> {
        match self {
            Self::Tensor(tensor) => tensor,
            #[cfg(feature = "cpu")]
            Self::Blocks(blocks) => blocks.into_tensor(),
        }
    }

    /// On the CPU in blocks.
    #[cfg(feature = "cpu")]
    pub(super) fn blocks(&self) -> Option<Blocks> {
        match self {
            Self::Tensor(tensor) => Blocks::from_tensor(tensor),
            Self::Blocks(blocks) => Some(blocks.clone()),
        }
    }

    /// Batch, channels, rows and columns.
    pub(crate) fn dims(&self) -> [usize; 4] {
        match self {
            Self::Tensor(tensor) => tensor.dims(),
            #[cfg(feature = "cpu")]
            Self::Blocks(blocks) => blocks.dims(),
        }
    }

    /// The highest value of every window; `pool` is square, and its padding explicit.
    pub(crate) fn max_pool(self, pool: &MaxPool2d) -> Self {
        #[cfg(feature = "cpu")]
        if let (Self::Blocks(blocks), PaddingConfig2d::Explicit(top, left, bottom, right)) = (&self, &pool.padding) {
            let padding = [(*top, *bottom), (*left, *right)];
            return Self::Blocks(blocks.max_pool(pool.kernel_size[0], pool.stride[0], padding));
        }
        pool.forward(self.into_tensor()).into()
    }

    /// As [`nearest_double`].
    pub(crate) fn nearest_double(self, size: [usize; 2]) -> Self {
        match self {
            Self::Tensor(tensor) => nearest_double(tensor, size).into(),
            #[cfg(feature = "cpu")]
            Self::Blocks(blocks) => Self::Blocks(blocks.nearest_double(size)),
        }
    }

    /// The channels of both, one after the other.
    pub(crate) fn joined(self, other: Self) -> Self {
        #[cfg(feature = "cpu")]
        if let (Self::Blocks(first), Self::Blocks(second)) = (&self, &other)
            && let Some(joined) = first.joined(second)
        {
            return Self::Blocks(joined);
        }
        Tensor::cat(vec![self.into_tensor(), other.into_tensor()], 1).into()
    }
}
