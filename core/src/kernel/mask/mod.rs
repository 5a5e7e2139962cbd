//! The mask in a pass or two: coarse map → bilinear → min-max → Eq. 12 → X⁺ and X⁻ at the classifier's size, without
//! the full-resolution tensors that `crate::mask` composes it of. The kernels are `histomask_shaders`': WGSL on a GPU,
//! their twins on the CPU. Tests compare both with the composition.

mod autodiff;
#[cfg(feature = "cpu")]
mod flex;
mod ops;
mod stages;
#[cfg(feature = "wgsl")]
mod wgsl;

use burn::backend::Dispatch;
use burn::tensor::{DType, Tensor};

use self::ops::{GradientOps, MaskOps};
use self::stages::Stages;
use crate::config::{MaskConfig, MinMax};
use crate::mask::{masked, min_max, region_sizes, soft_threshold};
use crate::resample::{bilinear, scaled};

/// From coarse map to mask: Eq. 12 and the sizes around it (`spec` §1.4–1.6).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaskSpec {
    /// Rows and columns of the image.
    pub size: [usize; 2],
    /// Rows and columns of the classifier's input.
    pub region: [usize; 2],
    /// Whether resampling aligns the corners.
    pub align_corners: bool,
    /// Scaling of the map to `[0, 1]`.
    pub min_max: MinMax,
    /// Slope of Eq. 12.
    pub omega: f64,
    /// Threshold of Eq. 12.
    pub sigma: f64,
}

impl MaskSpec {
    /// The mask of `config` for images of `size`, at the threshold `sigma` of an epoch.
    #[must_use]
    pub fn new(config: &MaskConfig, size: [usize; 2], sigma: f64) -> Self {
        Self {
            size,
            region: size.map(|side| scaled(side, config.classifier_scale)),
            align_corners: config.align_corners,
            min_max: config.min_max,
            omega: config.omega,
            sigma,
        }
    }
}

/// What the classifier is shown, and how much of the image is foreground.
#[derive(Debug)]
pub struct MaskedImages {
    /// X⁺ and X⁻ of each image, `[B, 2, 3, H', W']`.
    pub regions: Tensor<5>,
    /// Sum of the soft mask over the image, in pixels, `[B]` (Eq. 10).
    pub foreground_size: Tensor<1>,
}

/// The soft mask at the image's size: coarse maps `[B, 1, h, w]` to `[B, 1, H, W]`, values in `(0, 1)`.
///
/// A constant map becomes `sigmoid(-omega * sigma)` everywhere; NaN in a map makes its mask NaN.
pub fn soft_mask(coarse: Tensor<4>, spec: MaskSpec) -> Tensor<4> {
    if coarse.device().is_autodiff() || !fits(&coarse, &spec) {
        return soft_mask_composed(coarse, &spec);
    }
    Tensor::from_dispatch(<Dispatch as MaskOps>::soft_mask(coarse.into_dispatch(), spec))
}

/// Both masked images at the classifier's size and the size of the foreground, with gradient to the map.
///
/// # Shapes
///
/// `coarse` `[B, 1, h, w]`, `images` `[B, 3, H, W]`, normalised; images are data and get no gradient.
pub fn mask_images(coarse: Tensor<4>, images: Tensor<4>, spec: MaskSpec) -> MaskedImages {
    if !fits(&coarse, &spec) || images.dtype() != DType::F32 {
        return mask_images_composed(coarse, images, &spec);
    }
    let batch = images.dims()[0];
    let [rows, columns] = spec.region;
    let values = 6 * rows * columns;
    let flat = <Dispatch as GradientOps>::mask_regions(coarse.into_dispatch(), images.into_dispatch(), spec);
    let flat: Tensor<2> = Tensor::from_dispatch(flat);
    MaskedImages {
        regions: flat.clone().narrow(1, 0, values).reshape([batch, 2, 3, rows, columns]),
        foreground_size: flat.narrow(1, values, 1).reshape([batch]),
    }
}

/// [`mask_images`] whose mask is 0 where `tissue` is: large empty glass is background in every use of the mask.
///
/// # Shapes
///
/// As [`mask_images`]; `tissue` is `[B, 1, H, W]`, 0 or 1.
pub fn mask_images_within(coarse: Tensor<4>, images: Tensor<4>, tissue: Tensor<4>, spec: MaskSpec) -> MaskedImages {
    // few batches have glass, so it has no kernel
    images_under(soft_mask_composed(coarse, &spec) * tissue, images, &spec)
}

/// Whether the kernels take these sizes; burn's composition does the others.
fn fits(coarse: &Tensor<4>, spec: &MaskSpec) -> bool {
    coarse.dtype() == DType::F32 && Stages::new(coarse.dims(), *spec).check().is_ok()
}

/// [`soft_mask`] in burn's operations.
pub fn soft_mask_composed(coarse: Tensor<4>, spec: &MaskSpec) -> Tensor<4> {
    let map = bilinear(coarse, spec.size, spec.align_corners);
    soft_threshold(min_max(map, spec.min_max), spec.omega, spec.sigma)
}

/// [`mask_images`] in burn's operations: what it is tested and measured against.
pub fn mask_images_composed(coarse: Tensor<4>, images: Tensor<4>, spec: &MaskSpec) -> MaskedImages {
    images_under(soft_mask_composed(coarse, spec), images, spec)
}

/// What a mask `[B, 1, H, W]` makes of images.
fn images_under(mask: Tensor<4>, images: Tensor<4>, spec: &MaskSpec) -> MaskedImages {
    let foreground_size = region_sizes(mask.clone()).foreground;
    let regions = masked(images, mask, spec.region, spec.align_corners);
    MaskedImages { regions: Tensor::stack(vec![regions.foreground, regions.background], 1), foreground_size }
}
