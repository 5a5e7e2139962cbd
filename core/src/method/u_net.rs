//! U-Net, supervised by masks: the upper bound (Ronneberger et al., MICCAI 2015, in the survey code's form;
//! `spec` §5.9).
//!
//! Widths 16 to 512, halved in size by strided convolutions; upwards by nearest-neighbour resampling and concatenation.
//! Cross-entropy per pixel against the true mask; the higher of the two maps decides. It names no class.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::activation::softplus;
use burn::tensor::{Device, Tensor};

use super::{Batch, Decision, Learning, Method, Objective, Reading};
use crate::backbone::{BatchNorm, Features, Forward, InUse, Pair};
use crate::kernel::Activation::Relu;
use crate::kernel::pointwise_conv;
use crate::loss::Term;

/// Channels at each scale.
const WIDTHS: [usize; 6] = [16, 32, 64, 128, 256, 512];

/// Encoder, decoder and a 1×1 convolution to two regions.
#[derive(Module, Debug)]
pub struct UNet {
    init: DoubleConv,
    down: Vec<DoubleConv>,
    up: Vec<Up>,
    classifier: Conv2d,
    in_use: InUse,
}

/// Twice: 3×3 convolution without bias, batch normalisation, ReLU.
#[derive(Module, Debug)]
struct DoubleConv {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
}

/// A step up: refine, resample to the skip's size, concatenate, refine.
#[derive(Module, Debug)]
struct Up {
    before: DoubleConv,
    after: DoubleConv,
}

fn conv(channels: [usize; 2], stride: usize, device: &Device) -> Conv2d {
    Conv2dConfig::new(channels, [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal { gain: 2f64.sqrt(), fan_out_only: false })
        .init(device)
}

impl DoubleConv {
    fn new(input: usize, output: usize, stride: usize, device: &Device) -> Self {
        let norm = || BatchNorm::new(output, 0.1, 1e-5, device);
        Self {
            conv1: conv([input, output], stride, device),
            bn1: norm(),
            conv2: conv([output, output], 1, device),
            bn2: norm(),
        }
    }

    fn forward(&self, x: Features, forward: Forward<'_>) -> Features {
        self.pairs().into_iter().fold(x, |x, pair| forward.pair(pair, x, None, Relu))
    }

    fn pairs(&self) -> [Pair<'_>; 2] {
        [(&self.conv1, &self.bn1), (&self.conv2, &self.bn2)]
    }
}

impl UNet {
    /// Values of the largest feature map per pixel of the image: the last concatenation's.
    pub(super) const VALUES_PER_PIXEL: usize = WIDTHS[0] + WIDTHS[1];

    /// Random weights.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        let steps = || WIDTHS.iter().zip(&WIDTHS[1..]);
        Self {
            init: DoubleConv::new(3, WIDTHS[0], 1, device),
            down: steps().map(|(&narrow, &wide)| DoubleConv::new(narrow, wide, 2, device)).collect(),
            up: steps()
                .rev()
                .map(|(&narrow, &wide)| Up {
                    before: DoubleConv::new(wide, wide, 1, device),
                    after: DoubleConv::new(wide + narrow, narrow, 1, device),
                })
                .collect(),
            classifier: Conv2dConfig::new([WIDTHS[0], 2], [1, 1]).init(device),
            in_use: InUse::default(),
        }
    }

    /// As [`FeatureExtractor::fold`](crate::backbone::FeatureExtractor::fold).
    #[must_use]
    pub fn fold(self) -> Self {
        let up = self.up.iter().flat_map(|up| [&up.before, &up.after]);
        let all = std::iter::once(&self.init).chain(&self.down).chain(up);
        let in_use = InUse::of(all.flat_map(DoubleConv::pairs));
        Self { in_use, ..self }
    }

    /// Scores (logits) of background and foreground for every pixel.
    ///
    /// # Shapes
    ///
    /// `[B, 3, H, W]` to `[B, 2, H, W]`, any H and W.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let forward = Forward { passes: 1, in_use: &self.in_use };
        let mut x = self.init.forward(images.into(), forward);
        let mut skips = Vec::with_capacity(self.down.len());
        for down in &self.down {
            let deeper = down.forward(x.clone(), forward);
            skips.push(std::mem::replace(&mut x, deeper));
        }
        for (up, skip) in self.up.iter().zip(skips.into_iter().rev()) {
            let [_, _, height, width] = skip.dims();
            let larger = up.before.forward(x, forward).nearest_double([height, width]);
            x = up.after.forward(larger.joined(skip), forward);
        }
        pointwise_conv(&self.classifier, x.into_tensor())
    }
}

impl Method for UNet {
    fn learn(&self, batch: Batch<'_>, _: Objective<'_>) -> Learning {
        let Some(masks) = batch.masks else { return Learning { terms: vec![], scores: None } };
        let scores = self.forward(batch.images);
        let lead = scores.clone().narrow(1, 1, 1) - scores.narrow(1, 0, 1);
        // cross-entropy of two classes: -ln p(mask) = softplus(lead) - mask * lead
        let loss = (softplus(lead.clone(), 1.0) - masks * lead).mean();
        Learning { terms: vec![(Term::Pixels, loss)], scores: None }
    }

    fn read(&self, image: Tensor<4>, _: f64) -> Reading {
        let maps = self.forward(image);
        Reading { scores: None, background: None, maps, decision: Decision::TwoRegions, align_corners: true }
    }
}
