use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::conv_norm::{conv_norm, fold};
use super::{BatchNorm, FeatureExtractor};
use crate::kernel::Activation::{Identity, Relu6};

/// One row of the architecture: repeats, kernel, stride of the first block, expansion, input and output channels.
struct Stage(usize, usize, usize, usize, usize, usize);

/// EfficientNet-B0's stages (Tan & Le 2019, Table 1); Lite0 drops squeeze-and-excitation and uses ReLU6.
const STAGES: [Stage; 7] = [
    Stage(1, 3, 1, 1, 32, 16),
    Stage(2, 3, 2, 6, 16, 24),
    Stage(2, 5, 2, 6, 24, 40),
    Stage(3, 3, 2, 6, 40, 80),
    Stage(3, 5, 1, 6, 80, 112),
    Stage(4, 5, 2, 6, 112, 192),
    Stage(1, 3, 1, 6, 192, 320),
];
const FEATURES: usize = 1280;
/// Blocks of the first four stages.
const SHALLOW_BLOCKS: usize = 8;

/// EfficientNet-Lite0 without its classifier: 1,280 features at stride 32, TensorFlow's SAME padding.
///
/// Parameter names are those of the common PyTorch port without the leading underscores.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    conv_stem: Conv2d,
    bn0: BatchNorm,
    blocks: Vec<InvertedResidual>,
    conv_head: Conv2d,
    bn1: BatchNorm,
}

/// Expand, filter depthwise, project.
#[derive(Module, Debug)]
struct InvertedResidual {
    expand_conv: Option<Conv2d>,
    bn0: Option<BatchNorm>,
    depthwise_conv: Conv2d,
    bn1: BatchNorm,
    project_conv: Conv2d,
    bn2: BatchNorm,
    shortcut: bool,
}

fn conv(channels: [usize; 2], kernel: usize, stride: usize, groups: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_groups(groups)
        .with_padding(PaddingConfig2d::Same)
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: true })
        .init(device)
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNorm::new(channels, 0.01, 1e-3, device)
}

impl EfficientNetLite0 {
    /// Random weights.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        let blocks = STAGES.iter().flat_map(|&Stage(repeats, kernel, stride, expansion, input, output)| {
            (0..repeats).map(move |i| {
                let (input, stride) = if i == 0 { (input, stride) } else { (output, 1) };
                InvertedResidual::new(input, output, kernel, stride, expansion, device)
            })
        });
        Self {
            conv_stem: conv([3, 32], 3, 2, 1, device),
            bn0: norm(32, device),
            blocks: blocks.collect(),
            conv_head: conv([320, FEATURES], 1, 1, 1, device),
            bn1: norm(FEATURES, device),
        }
    }

    /// Stride of [`EfficientNetLite0::shallow`].
    pub const SHALLOW_STRIDE: usize = 16;

    /// Stem and the first four stages, `[B, 3, H, W]` to `[B, 80, ceil(H / 16), ceil(W / 16)]`: after them no map has
    /// more than 3 values per pixel of the image. A position sees 88 pixels beyond its own.
    pub fn shallow(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        let x = conv_norm(&self.conv_stem, &self.bn0, images, passes, None, Relu6);
        self.blocks.iter().take(SHALLOW_BLOCKS).fold(x, |x, block| block.forward(x, passes))
    }

    /// The other stages and the head, from the output of [`EfficientNetLite0::shallow`] to the features.
    pub fn deep(&self, x: Tensor<4>, passes: usize) -> Tensor<4> {
        let x = self.blocks.iter().skip(SHALLOW_BLOCKS).fold(x, |x, block| block.forward(x, passes));
        conv_norm(&self.conv_head, &self.bn1, x, passes, None, Relu6)
    }
}

impl FeatureExtractor for EfficientNetLite0 {
    fn features(&self) -> usize {
        FEATURES
    }

    fn values_per_pixel(&self) -> usize {
        // the first expansion, 6 × 16 channels at half the sides
        24
    }

    fn forward(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        self.deep(self.shallow(images, passes), passes)
    }

    fn fold(mut self) -> Self {
        fold(&self.conv_stem, &mut self.bn0);
        for block in &mut self.blocks {
            if let (Some(conv), Some(norm)) = (&block.expand_conv, &mut block.bn0) {
                fold(conv, norm);
            }
            fold(&block.depthwise_conv, &mut block.bn1);
            fold(&block.project_conv, &mut block.bn2);
        }
        fold(&self.conv_head, &mut self.bn1);
        self
    }
}

impl InvertedResidual {
    fn new(input: usize, output: usize, kernel: usize, stride: usize, expansion: usize, device: &Device) -> Self {
        let wide = input * expansion;
        let expands = expansion != 1;
        Self {
            expand_conv: expands.then(|| conv([input, wide], 1, 1, 1, device)),
            bn0: expands.then(|| norm(wide, device)),
            depthwise_conv: conv([wide, wide], kernel, stride, wide, device),
            bn1: norm(wide, device),
            project_conv: conv([wide, output], 1, 1, 1, device),
            bn2: norm(output, device),
            shortcut: stride == 1 && input == output,
        }
    }

    fn forward(&self, x: Tensor<4>, passes: usize) -> Tensor<4> {
        let shortcut = self.shortcut.then(|| x.clone());
        let y = match (&self.expand_conv, &self.bn0) {
            (Some(conv), Some(norm)) => conv_norm(conv, norm, x, passes, None, Relu6),
            _ => x,
        };
        let y = conv_norm(&self.depthwise_conv, &self.bn1, y, passes, None, Relu6);
        conv_norm(&self.project_conv, &self.bn2, y, passes, shortcut, Identity)
    }
}
