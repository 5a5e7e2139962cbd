//! The kernels on pictures, on a software Vulkan adapter (WGSL) against the CPU (the twins), and both against what
//! they replace.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use histomask_core::kernel::{OverlaySpec, model_input, overlay, pixels};
use histomask_core::preprocess::{normalise, resize};
use histomask_core::shaders::colormap::{Colormap, packed};
use histomask_core::{RgbView, resample};
use histomask_tests::{software_adapter, values};

/// Height and width before and after: one pixel, primes, enlarged, GlaS.
const RESIZED: [([usize; 2], [usize; 2]); 6] = [
    ([1, 1], [1, 1]),
    ([7, 5], [13, 11]),
    ([97, 61], [31, 17]),
    ([64, 64], [64, 64]),
    ([65, 129], [64, 100]),
    ([522, 775], [432, 641]),
];

/// Pixels without a pattern.
fn noise(count: usize, seed: u32) -> Vec<u32> {
    let mut state = seed | 1;
    let step = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    std::iter::repeat_with(step).take(count).collect()
}

#[test]
fn one_resize_for_training_and_prediction() {
    for ([height, width], to) in RESIZED {
        let rgba = noise(height * width, 17);
        let rgb: Vec<u8> = rgba.iter().flat_map(|pixel| pixel.to_le_bytes().into_iter().take(3)).collect();
        let view = RgbView::new(&rgb, width, height).unwrap_or_else(|error| panic!("{error}"));
        let (mean, std) = ([0.5, 0.4, 0.3], [0.5, 0.25, 0.2]);
        let training = normalise(&resize(view, to[1], to[0]), &mean, &std);

        let on = |device: &Device| {
            let pixels = pixels(rgba.clone(), [height, width], device).unwrap_or_else(|error| panic!("{error}"));
            values(model_input(pixels, to, mean, std).unwrap_or_else(|error| panic!("{error}")))
        };
        let twin = on(&Device::flex());
        assert_eq!(twin.len(), training.len());
        assert!(twin.iter().zip(&training).all(|(a, &b)| (a - f64::from(b)).abs() <= 1e-6), "{height}×{width}");
        if let Some(device) = software_adapter() {
            let kernel = on(&device);
            assert!(kernel.iter().zip(&twin).all(|(a, b)| (a - b).abs() <= 1e-6), "{height}×{width} → {to:?}");
        }
    }
}

#[test]
fn kernel_and_twin_paint_alike() {
    let Some(device) = software_adapter() else { return };
    for (round, [height, width]) in [[1, 1], [7, 5], [65, 33], [131, 257]].into_iter().enumerate() {
        let image = noise(height * width, 3);
        let coarse: Vec<f32> = noise(20, 21).iter().map(|&word| word as f32 / u32::MAX as f32).collect();
        let soft = resample::bilinear_slice(&coarse, [4, 5], [height, width], true);
        let truth: Vec<u32> = soft.iter().map(|&value| u32::from(value > 0.6)).collect();
        let row_stride = width.next_multiple_of(64);
        let spec = OverlaySpec { threshold: 0.5, opacity: 0.7, contour: true, thickness: 1 + round as u32, row_stride };
        let on = |device: &Device| {
            let ints = |values: &[u32], shape: [usize; 2]| {
                Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), shape), (device, DType::U32))
            };
            let mask = Tensor::<1>::from_floats(soft.as_slice(), device).reshape([height, width]);
            let colors = ints(&packed(Colormap::Cividis), [1, 256]).reshape([256]);
            let truth = (round % 2 == 0).then(|| ints(&truth, [height, width]));
            let painted = overlay(ints(&image, [height, width]), mask, truth, colors, spec);
            let painted = painted.unwrap_or_else(|error| panic!("{error}")).into_data().try_into_vec::<u32>();
            painted.unwrap_or_else(|error| panic!("{error:?}"))
        };
        let (twin, kernel) = (on(&Device::flex()), on(&device));
        let rows = |painted: &[u32]| -> Vec<u8> {
            painted
                .chunks(row_stride)
                .flat_map(|row| row[..width].iter().flat_map(|pixel| pixel.to_le_bytes()))
                .collect()
        };
        // one level where a GPU fuses a product with a sum
        let differing = rows(&twin).iter().zip(rows(&kernel)).filter(|(a, b)| a.abs_diff(*b) > 1).count();
        assert_eq!(differing, 0, "{height}×{width}");
        assert_ne!(rows(&twin), image.iter().flat_map(|pixel| pixel.to_le_bytes()).collect::<Vec<_>>());
    }
}
