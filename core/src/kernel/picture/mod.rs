//! Pixels in, pixels out, without leaving the device: the model's input from an image's bytes, and the mask painted
//! over its image.

#[cfg(feature = "cpu")]
mod flex;
mod ops;
#[cfg(feature = "wgsl")]
mod wgsl;

use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use histomask_shaders::{LimitError, MAX_SIDE, ModelInputParams, OverlayParams};

use self::ops::PictureOps;
use crate::Error;

/// Bytes RGBA of pixels as the kernels take them, 32 bits a pixel with red in the lowest, `[H, W]`.
///
/// # Errors
///
/// [`Error::Limit`] for sides of 0 or above [`MAX_SIDE`], [`Error::ImageBytes`] if the pixels are not `height * width`.
pub fn pixels(rgba: Vec<u32>, [height, width]: [usize; 2], device: &Device) -> Result<Tensor<2, Int>, Error> {
    side("image", [height, width])?;
    if rgba.len() != height * width {
        return Err(Error::ImageBytes { bytes: rgba.len(), width, height });
    }
    Ok(Tensor::from_data(TensorData::new(rgba, [height, width]), (device, DType::U32)))
}

/// From an image's pixels `[h, w]` ([`pixels`]) to the model's input `[1, 3, H, W]`: Pillow's bilinear resize, then
/// `(x / 255 - mean) / std` per channel.
///
/// # Errors
///
/// [`Error::Limit`] for a target side of 0 or above [`MAX_SIDE`].
pub fn model_input(
    pixels: Tensor<2, Int>,
    [height, width]: [usize; 2],
    mean: [f64; 3],
    std: [f64; 3],
) -> Result<Tensor<4>, Error> {
    side("model input", [height, width])?;
    let [in_height, in_width] = pixels.dims();
    let params = ModelInputParams {
        in_height: in_height as u32,
        in_width: in_width as u32,
        height: height as u32,
        width: width as u32,
        mean_r: mean[0] as f32,
        mean_g: mean[1] as f32,
        mean_b: mean[2] as f32,
        std_r: std[0] as f32,
        std_g: std[1] as f32,
        std_b: std[2] as f32,
    };
    Ok(Tensor::from_dispatch(<Dispatch as PictureOps>::model_input(pixels.into_dispatch(), params)))
}

/// How a mask is painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlaySpec {
    /// Foreground is at this value and above.
    pub threshold: f32,
    /// Opacity of the heat at full strength, in `[0, 1]`.
    pub opacity: f32,
    /// Whether the edge of the foreground is drawn.
    pub contour: bool,
    /// Width of edges in pixels, at most 16.
    pub thickness: u32,
    /// Pixels from one row of the result to the next, at least the image's width: a copy to a texture wants multiples
    /// of 64.
    pub row_stride: usize,
}

/// A soft mask `[H, W]` painted over its image `[H, W]` ([`pixels`]): `[H, row_stride]` pixels, opaque.
///
/// `colors` are 256 pixels from value 0 to 1 (`histomask_shaders::colormap`); `truth`, if given, is `[H, W]` of 32-bit
/// unsigned integers whose foreground gets an edge of its own.
///
/// # Errors
///
/// [`Error::Limit`] for a stride below the width or above [`MAX_SIDE`].
pub fn overlay(
    image: Tensor<2, Int>,
    mask: Tensor<2>,
    truth: Option<Tensor<2, Int>>,
    colors: Tensor<1, Int>,
    spec: OverlaySpec,
) -> Result<Tensor<2, Int>, Error> {
    let [height, width] = image.dims();
    if spec.row_stride < width {
        return Err(LimitError::Side { what: "row stride", width: spec.row_stride, height }.into());
    }
    side("row stride", [height, spec.row_stride])?;
    let params = OverlayParams {
        height: height as u32,
        width: width as u32,
        row_stride: spec.row_stride as u32,
        has_truth: u32::from(truth.is_some()),
        contour: u32::from(spec.contour),
        thickness: spec.thickness.min(16),
        threshold: spec.threshold,
        opacity: spec.opacity.clamp(0.0, 1.0),
    };
    let truth = truth.unwrap_or_else(|| colors.clone().narrow(0, 0, 1).reshape([1, 1]));
    Ok(Tensor::from_dispatch(<Dispatch as PictureOps>::overlay(
        image.into_dispatch(),
        mask.into_dispatch(),
        truth.into_dispatch(),
        colors.into_dispatch(),
        params,
    )))
}

fn side(what: &'static str, [height, width]: [usize; 2]) -> Result<(), LimitError> {
    if height.min(width) == 0 || height.max(width) > MAX_SIDE {
        return Err(LimitError::Side { what, width, height });
    }
    Ok(())
}
