use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::depth::receptive_field;
use super::{BatchNorm, Depth, FeatureExtractor, Features, Forward, InUse, Neck, Pair};
use crate::kernel::Activation::{Identity, Relu};

/// The layers in front of the first residual stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stem {
    /// One 7×7 convolution, 64 channels (torchvision).
    Single,
    /// Three 3×3 convolutions, 64-64-128 channels (the released code's CSAIL weights, `spec` §1.1).
    Deep,
}

/// ResNet18 without its classifier: 512 features at stride 32, torchvision's parameter names.
///
/// 11,176,512 parameters with the single stem, 11,324,992 with the deep one (`spec` §1.1).
#[derive(Module, Debug)]
pub struct ResNet18 {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Option<Conv2d>,
    bn2: Option<BatchNorm>,
    conv3: Option<Conv2d>,
    bn3: Option<BatchNorm>,
    maxpool: MaxPool2d,
    layer1: Vec<BasicBlock>,
    layer2: Vec<BasicBlock>,
    layer3: Vec<BasicBlock>,
    layer4: Vec<BasicBlock>,
    neck: Option<Neck>,
    in_use: InUse,
}

/// Residual blocks of all four layers, two each.
const BLOCKS: usize = 8;

#[derive(Module, Debug)]
struct BasicBlock {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    downsample: Option<(Conv2d, BatchNorm)>,
}

fn conv(input: usize, output: usize, kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new([input, output], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: true })
        .init(device)
}

fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNorm::new(channels, 0.1, 1e-5, device)
}

impl ResNet18 {
    /// Random weights, `normal(0, sqrt(2 / (k * k * out)))` for convolutions (`spec` §1.1).
    #[must_use]
    pub fn new(stem: Stem, depth: Depth, device: &Device) -> Self {
        let deep = stem == Stem::Deep;
        let first = if deep { 128 } else { 64 };
        let kept = depth.blocks_of(BLOCKS);
        let stage = |index: usize, input, output, stride| {
            let blocks = [(input, stride), (output, 1)].into_iter().take(kept.saturating_sub(2 * index));
            blocks.map(|(input, stride)| BasicBlock::new(input, output, stride, device)).collect()
        };
        let channels = 64 << (kept.saturating_sub(1) / 2);
        Self {
            conv1: conv(3, 64, if deep { 3 } else { 7 }, 2, device),
            bn1: norm(64, device),
            conv2: deep.then(|| conv(64, 64, 3, 1, device)),
            bn2: deep.then(|| norm(64, device)),
            conv3: deep.then(|| conv(64, 128, 3, 1, device)),
            bn3: deep.then(|| norm(128, device)),
            maxpool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            layer1: stage(0, first, 64, 1),
            layer2: stage(1, 64, 128, 2),
            layer3: stage(2, 128, 256, 2),
            layer4: stage(3, 256, 512, 2),
            neck: if depth.cuts(BLOCKS) { Neck::new(channels, depth, device) } else { None },
            in_use: InUse::default(),
        }
    }

    /// The stem's convolutions, one or three.
    fn stem(&self) -> impl Iterator<Item = Pair<'_>> {
        let deeper = [(&self.conv2, &self.bn2), (&self.conv3, &self.bn3)];
        let deeper = deeper.into_iter().filter_map(|(conv, bn)| conv.as_ref().zip(bn.as_ref()));
        std::iter::once((&self.conv1, &self.bn1)).chain(deeper)
    }

    fn forward_with(&self, passes: usize) -> Forward<'_> {
        Forward { passes, in_use: &self.in_use }
    }

    /// Stride of [`ResNet18::shallow`]: 8, or 4 where the second stage is cut off.
    #[must_use]
    pub fn shallow_stride(&self) -> usize {
        if self.layer2.is_empty() { 4 } else { 8 }
    }

    /// Stem and the first two stages, `[B, 3, H, W]` to `[B, 128, ceil(H / 8), ceil(W / 8)]`: after them no map has more
    /// than 2 values per pixel of the image. A position sees 51 pixels beyond its own.
    pub fn shallow(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        let forward = self.forward_with(passes);
        let x = self.stem().fold(images.into(), |x, pair| forward.pair(pair, x, None, Relu)).max_pool(&self.maxpool);
        self.layer1.iter().chain(&self.layer2).fold(x, |x, block| block.forward(x, forward)).into_tensor()
    }

    /// The other stages, from the output of [`ResNet18::shallow`] to the features.
    pub fn deep(&self, x: Tensor<4>, passes: usize) -> Tensor<4> {
        let forward = self.forward_with(passes);
        let x = self.layer3.iter().chain(&self.layer4).fold(x.into(), |x, block| block.forward(x, forward));
        let features = match &self.neck {
            Some(neck) => neck.forward(x, forward),
            None => x,
        };
        features.into_tensor()
    }

    /// Whether blocks are left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.blocks().count() < BLOCKS
    }

    fn blocks(&self) -> impl Iterator<Item = &BasicBlock> {
        [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten()
    }
}

impl FeatureExtractor for ResNet18 {
    fn features(&self) -> usize {
        let last = || self.blocks().last().map_or(512, |block| block.conv2.weight.dims()[0]);
        self.neck.as_ref().map_or_else(last, Neck::channels)
    }

    fn receptive_field(&self) -> usize {
        let stem: &[_] = if self.conv2.is_some() { &[(3, 2), (3, 1), (3, 1)] } else { &[(7, 2)] };
        let pool = (3, 2);
        let blocks = self.blocks().flat_map(|block| [(3, block.conv1.stride[0]), (3, 1)]);
        receptive_field(stem.iter().copied().chain([pool]).chain(blocks))
    }

    fn values_per_pixel(&self) -> usize {
        // the stem's last channels at half the sides
        self.layer1.first().map_or(16, |block| block.conv1.weight.dims()[1] / 4)
    }

    fn forward(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        self.deep(self.shallow(images, passes), passes)
    }

    fn fold(self) -> Self {
        let blocks = self.blocks().flat_map(BasicBlock::pairs);
        let in_use = InUse::of(self.stem().chain(blocks).chain(self.neck.iter().map(Neck::pair)));
        Self { in_use, ..self }
    }
}

impl BasicBlock {
    fn new(input: usize, output: usize, stride: usize, device: &Device) -> Self {
        let projected = stride != 1 || input != output;
        Self {
            conv1: conv(input, output, 3, stride, device),
            bn1: norm(output, device),
            conv2: conv(output, output, 3, 1, device),
            bn2: norm(output, device),
            downsample: projected.then(|| (conv(input, output, 1, stride, device), norm(output, device))),
        }
    }

    fn forward(&self, x: Features, forward: Forward<'_>) -> Features {
        let shortcut = match &self.downsample {
            Some((conv, bn)) => forward.pair((conv, bn), x.clone(), None, Identity),
            None => x.clone(),
        };
        let y = forward.pair((&self.conv1, &self.bn1), x, None, Relu);
        forward.pair((&self.conv2, &self.bn2), y, Some(shortcut), Relu)
    }

    fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        let downsample = self.downsample.as_ref().map(|(conv, bn)| (conv, bn));
        [(&self.conv1, &self.bn1), (&self.conv2, &self.bn2)].into_iter().chain(downsample)
    }
}
