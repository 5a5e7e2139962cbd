//! Pixels in, pixels out, against the kernels' twins.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use histomask_core::config::MaskConfig;
use histomask_core::kernel::{MaskSpec, OverlaySpec, model_input, overlay, pixels, soft_mask};
use histomask_core::shaders::colormap::{Colormap, packed};

use crate::Tab;
use crate::compare::{Comparison, Failure};
use crate::mask::{on, uniform};

/// Single pixels, primes, a power of two, a GlaS image.
const SIZES: [[usize; 2]; 5] = [[1, 1], [7, 5], [31, 17], [48, 64], [522, 775]];

/// The levels are whole numbers on every device; then follows one subtraction and one division.
const INPUT: f64 = 1e-6;

pub(crate) async fn inputs(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    // itself, smaller, larger, both
    for (from, to) in SIZES.into_iter().zip([[1, 1], [3, 4], [37, 41], [48, 64], [332, 516]]) {
        let name = format!("{from:?} → {to:?}");
        let input = |device| -> Result<_, Failure> {
            let image = picture(from, device)?;
            model_input(image, to, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]).map_err(failure)
        };
        comparison.close("input", &name, input(&tab.gpu)?, input(&tab.cpu)?, INPUT).await?;
    }
    Ok(())
}

/// Where a blend falls on half a level, the two may round apart.
const LEVEL: f64 = 1.0 / 255.0;
const SHARE: f64 = 1e-3;

pub(crate) async fn overlays(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    for (index, size) in SIZES.into_iter().enumerate() {
        let mask: Tensor<2> = smooth(1, size, &tab.cpu).reshape(size);
        // painted as 0
        let mask = mask.clone().mask_fill(mask.lower_elem(0.4), f32::NAN);
        let (with_truth, contour) = (index % 2 == 1, index % 3 != 0);
        let spec = OverlaySpec {
            threshold: 0.6,
            opacity: 0.7,
            contour,
            thickness: [0, 1, 3, 16, 2][index],
            row_stride: size[1].next_multiple_of(64),
        };
        let name = format!("{size:?}, {spec:?}, with truth: {with_truth}");
        let painted = |device: &Device| -> Result<_, Failure> {
            let truth = with_truth.then(|| integers(squares(size, 0), size, device));
            let colors = integers(packed(Colormap::Viridis), [256], device);
            let painted = overlay(picture(size, device)?, on(&mask, device), truth, colors, spec).map_err(failure)?;
            // the rest of a row is nobody's
            Ok(painted.narrow(1, 0, size[1]))
        };
        let (ours, theirs) = (comparison.words(painted(&tab.gpu)?).await?, host(painted(&tab.cpu)?));
        let [ours, theirs] =
            [ours, theirs].map(|words| words.into_iter().flat_map(u32::to_le_bytes).map(f64::from).collect::<Vec<_>>());
        comparison.add("levels", &name, &ours, &theirs, LEVEL);
        let apart = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count();
        comparison.add("bytes apart", &name, &[apart as f64 / theirs.len() as f64], &[0.0], SHARE);
    }
    Ok(())
}

/// A picture of noise.
fn picture(size: [usize; 2], device: &Device) -> Result<Tensor<2, Int>, Failure> {
    // Knuth's multiplicative hash, whose high bits are the good ones
    let noise = (0..size[0] * size[1]).map(|index| (index as u32 + 1).wrapping_mul(2_654_435_761).rotate_left(16));
    pixels(noise.collect(), size, device).map_err(failure)
}

/// Masks as the model makes them, `[B, 1, H, W]`, from 0.32 to 0.99.
fn smooth(batch: usize, size: [usize; 2], cpu: &Device) -> Tensor<4> {
    cpu.seed(13);
    soft_mask(uniform([batch, 1, 4, 5], cpu), MaskSpec::new(&MaskConfig::default(), size, 0.15))
}

/// A true mask: a chessboard.
fn squares([height, width]: [usize; 2], shift: usize) -> Vec<u32> {
    let square = |index: usize| (index / width / 13 + (index % width + shift) / 13) % 2;
    (0..height * width).map(|index| square(index) as u32).collect()
}

fn integers<const D: usize>(values: Vec<u32>, shape: [usize; D], device: &Device) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::U32))
}

fn host<const D: usize>(tensor: Tensor<D, Int>) -> Vec<u32> {
    tensor.into_data().iter().collect()
}

fn failure(error: histomask_core::Error) -> Failure {
    Failure(error.to_string())
}
