use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

use super::depth::receptive_field;
use super::{BatchNorm, Depth, FeatureExtractor, Features, Forward, InUse, Neck, Pair};
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
/// Blocks of all stages.
const BLOCKS: usize = 16;
/// Blocks of the first four stages.
const SHALLOW_BLOCKS: usize = 8;

/// EfficientNet-Lite0 without its classifier: 1,280 features at stride 32, TensorFlow's SAME padding. Cut after its
/// first 8 blocks (four stages) it has 80 features at stride 16.
///
/// Parameter names are those of the common PyTorch port without the leading underscores.
#[derive(Module, Debug)]
pub struct EfficientNetLite0 {
    conv_stem: Conv2d,
    bn0: BatchNorm,
    blocks: Vec<InvertedResidual>,
    conv_head: Option<Conv2d>,
    bn1: Option<BatchNorm>,
    neck: Option<Neck>,
    in_use: InUse,
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

/// Every block with its kernel, stride, expansion, input and output channels.
fn blocks() -> impl Iterator<Item = [usize; 5]> {
    STAGES.iter().flat_map(|&Stage(repeats, kernel, stride, expansion, input, output)| {
        (0..repeats).map(move |i| {
            let (input, stride) = if i == 0 { (input, stride) } else { (output, 1) };
            [kernel, stride, expansion, input, output]
        })
    })
}

impl EfficientNetLite0 {
    /// Random weights.
    #[must_use]
    pub fn new(depth: Depth, device: &Device) -> Self {
        let kept = depth.blocks_of(BLOCKS);
        let blocks: Vec<_> = blocks()
            .take(kept)
            .map(|[kernel, stride, expansion, input, output]| {
                InvertedResidual::new(input, output, kernel, stride, expansion, device)
            })
            .collect();
        let whole = !depth.cuts(BLOCKS);
        let channels = blocks.last().map_or(32, InvertedResidual::channels);
        Self {
            conv_stem: conv([3, 32], 3, 2, 1, device),
            bn0: norm(32, device),
            blocks,
            conv_head: whole.then(|| conv([320, FEATURES], 1, 1, 1, device)),
            bn1: whole.then(|| norm(FEATURES, device)),
            neck: if whole { None } else { Neck::new(channels, depth, device) },
            in_use: InUse::default(),
        }
    }

    fn forward_with(&self, passes: usize) -> Forward<'_> {
        Forward { passes, in_use: &self.in_use }
    }

    /// Whether blocks are left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.conv_head.is_none()
    }

    /// Stride of [`EfficientNetLite0::shallow`]: 16, or less where its stages are cut off.
    #[must_use]
    pub fn shallow_stride(&self) -> usize {
        let kept = self.blocks.len().min(SHALLOW_BLOCKS);
        blocks().take(kept).fold(2, |stride, [_, of_block, ..]| stride * of_block)
    }

    /// Stem and the first four stages, `[B, 3, H, W]` to `[B, 80, ceil(H / 16), ceil(W / 16)]`: after them no map has
    /// more than 3 values per pixel of the image. A position sees 88 pixels beyond its own.
    pub fn shallow(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        let forward = self.forward_with(passes);
        let x = forward.pair((&self.conv_stem, &self.bn0), images.into(), None, Relu6);
        self.blocks.iter().take(SHALLOW_BLOCKS).fold(x, |x, block| block.forward(x, forward)).into_tensor()
    }

    /// The other stages and the head, from the output of [`EfficientNetLite0::shallow`] to the features.
    pub fn deep(&self, x: Tensor<4>, passes: usize) -> Tensor<4> {
        let forward = self.forward_with(passes);
        let x = self.blocks.iter().skip(SHALLOW_BLOCKS).fold(x.into(), |x, block| block.forward(x, forward));
        let features = match (self.head(), &self.neck) {
            (Some(head), _) => forward.pair(head, x, None, Relu6),
            (None, Some(neck)) => neck.forward(x, forward),
            (None, None) => x,
        };
        features.into_tensor()
    }

    fn head(&self) -> Option<Pair<'_>> {
        self.conv_head.as_ref().zip(self.bn1.as_ref())
    }
}

impl FeatureExtractor for EfficientNetLite0 {
    fn features(&self) -> usize {
        match (&self.neck, self.blocks.last()) {
            (Some(neck), _) => neck.channels(),
            (None, Some(block)) if self.is_cut() => block.channels(),
            _ => FEATURES,
        }
    }

    fn receptive_field(&self) -> usize {
        let filters = blocks().take(self.blocks.len()).map(|[kernel, stride, ..]| (kernel, stride));
        receptive_field([(3, 2)].into_iter().chain(filters))
    }

    fn values_per_pixel(&self) -> usize {
        // the first expansion, 6 × 16 channels at half the sides
        24
    }

    fn forward(&self, images: Tensor<4>, passes: usize) -> Tensor<4> {
        self.deep(self.shallow(images, passes), passes)
    }

    fn fold(self) -> Self {
        let blocks = self.blocks.iter().flat_map(InvertedResidual::pairs);
        let rest =
            [(&self.conv_stem, &self.bn0)].into_iter().chain(self.head()).chain(self.neck.iter().map(Neck::pair));
        let in_use = InUse::of(blocks.chain(rest));
        Self { in_use, ..self }
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

    fn channels(&self) -> usize {
        self.project_conv.weight.dims()[0]
    }

    fn forward(&self, x: Features, forward: Forward<'_>) -> Features {
        let shortcut = self.shortcut.then(|| x.clone());
        let y = forward.widened(self.expand(), (&self.depthwise_conv, &self.bn1), x, Relu6);
        forward.pair((&self.project_conv, &self.bn2), y, shortcut, Identity)
    }

    fn expand(&self) -> Option<Pair<'_>> {
        self.expand_conv.as_ref().zip(self.bn0.as_ref())
    }

    fn pairs(&self) -> impl Iterator<Item = Pair<'_>> {
        let others = [(&self.depthwise_conv, &self.bn1), (&self.project_conv, &self.bn2)];
        self.expand().into_iter().chain(others)
    }
}
