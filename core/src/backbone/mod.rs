//! Feature extractors shared by the localizer and the classifier (`spec` §1.1), of stride 32 where they are whole.

mod batch_norm;
mod conv_norm;
mod depth;
mod efficientnet_lite0;
mod features;
mod in_use;
mod resnet18;
mod tiled;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

pub use batch_norm::BatchNorm;
pub(crate) use conv_norm::{Forward, Pair};
pub use depth::{Depth, Neck};
pub use efficientnet_lite0::EfficientNetLite0;
pub(crate) use features::Features;
pub(crate) use in_use::InUse;
pub use resnet18::{ResNet18, Stem};
pub use tiled::Tiling;

use crate::config::BackboneKind;

/// What the max-min model asks of a backbone; implement it to bring your own.
pub trait FeatureExtractor: Module {
    /// Channels of the feature map.
    fn features(&self) -> usize;

    /// Values of the largest feature map per pixel of the image: what an adapter's buffers must hold.
    fn values_per_pixel(&self) -> usize;

    /// Side in pixels of the square of its input that a position of the feature map sees, padding aside.
    fn receptive_field(&self) -> usize;

    /// Features of a batch of images.
    ///
    /// While training, each of `passes` kinds of images keeps batch statistics of its own: the batch holds them
    /// interleaved, image by image (`B = n * passes`, index `image * passes + pass`; `spec` §1.2).
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` to `[B, features, h, w]`.
    fn forward(&self, images: Tensor<4>, passes: usize) -> Tensor<4>;

    /// The backbone for use alone: what follows from running statistics is computed once. On an autodiff device it
    /// computes as before.
    #[must_use]
    fn fold(self) -> Self {
        self
    }
}

/// One of the built-in backbones, chosen at run time.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one value a program, and the variants are all large")]
pub enum Backbone {
    /// ResNet18, either stem.
    ResNet18(ResNet18),
    /// EfficientNet-Lite0.
    EfficientNetLite0(EfficientNetLite0),
}

impl BackboneKind {
    /// The backbone with random weights.
    #[must_use]
    pub fn init(self, device: &Device) -> Backbone {
        self.init_to(Depth::WHOLE, device)
    }

    /// The backbone with random weights, cut to `depth`.
    #[must_use]
    pub fn init_to(self, depth: Depth, device: &Device) -> Backbone {
        match self {
            Self::EfficientnetLite0 => Backbone::EfficientNetLite0(EfficientNetLite0::new(depth, device)),
            Self::Resnet18 => Backbone::ResNet18(ResNet18::new(Stem::Single, depth, device)),
            Self::Resnet18DeepStem => Backbone::ResNet18(ResNet18::new(Stem::Deep, depth, device)),
        }
    }

    /// The name used in profiles and model cards.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EfficientnetLite0 => "efficientnet-lite0",
            Self::Resnet18 => "resnet18",
            Self::Resnet18DeepStem => "resnet18-deep-stem",
        }
    }
}

impl Backbone {
    /// Whether blocks are left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        match self {
            Self::ResNet18(net) => net.is_cut(),
            Self::EfficientNetLite0(net) => net.is_cut(),
        }
    }
}

impl FeatureExtractor for Backbone {
    fn features(&self) -> usize {
        match self {
            Self::ResNet18(net) => net.features(),
            Self::EfficientNetLite0(net) => net.features(),
        }
    }

    fn receptive_field(&self) -> usize {
        match self {
            Self::ResNet18(net) => net.receptive_field(),
            Self::EfficientNetLite0(net) => net.receptive_field(),
        }
    }

    fn values_per_pixel(&self) -> usize {
        match self {
            Self::ResNet18(net) => net.values_per_pixel(),
            Self::EfficientNetLite0(net) => net.values_per_pixel(),
        }
    }

    /// Outside of training, the first layers take images larger than a [`Tiling`]'s side in windows.
    fn forward(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        let in_training = images.device().is_autodiff();
        match self {
            Self::ResNet18(net) if in_training => net.forward(images, passes),
            Self::EfficientNetLite0(net) if in_training => net.forward(images, passes),
            Self::ResNet18(net) => {
                net.deep(Tiling::default().forward(images, net.shallow_stride(), |window| net.shallow(window, 1)), 1)
            }
            Self::EfficientNetLite0(net) => {
                net.deep(Tiling::default().forward(images, net.shallow_stride(), |window| net.shallow(window, 1)), 1)
            }
        }
    }

    fn fold(self) -> Self {
        match self {
            Self::ResNet18(net) => Self::ResNet18(net.fold()),
            Self::EfficientNetLite0(net) => Self::EfficientNetLite0(net.fold()),
        }
    }
}
