//! Our kernels against the same written in burn's operations, and against what the memory allows.

use std::time::Instant;

use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use histomask_core::config::{MaskConfig, MinMax};
use histomask_core::kernel::{
    MaskSpec, MaskedImages, OverlaySpec, limits, mask_images, mask_images_composed, model_input, overlay, soft_mask,
    soft_mask_composed,
};
use histomask_core::resample::bilinear;

use super::step::BATCH;
use super::{median, sync};
use crate::arguments::Bench;
use crate::console::{Console, Exit};

/// A GlaS image, height and width.
const IMAGE: [usize; 2] = [522, 775];
/// The same after the resize rule.
const INPUT: [usize; 2] = [432, 641];
/// Bytes of the tensor whose scaling measures the memory's speed, where the adapter binds as many: too many for a cache.
const STREAM: u64 = 256 << 20;

/// One row: a kernel, its composition, and the bytes that each has to move at least.
struct Row<'a> {
    name: &'static str,
    kernel: Box<dyn Fn() + 'a>,
    composed: Box<dyn Fn() + 'a>,
    /// All buffers that the stages bind, once a stage.
    kernel_bytes: usize,
    /// Inputs and outputs of every operation of the composition, were none fused.
    composed_bytes: usize,
}

pub(super) fn run(args: &Bench, device: &Device, console: &Console) -> anyhow::Result<Exit> {
    let stream = limits(device).map_or(STREAM, |limits| STREAM.min(limits.binding_bytes / 2));
    let bandwidth = bandwidth(args, stream as usize / 4, device)?;
    console.print(&format!(
        "memory: {:.1} GB/s (a tensor of {} MiB scaled, read and written)\n\n\
         | kernel | time | in burn's operations | ratio | bytes | bytes unfused | of the memory's speed |\n\
         |---|---|---|---|---|---|---|",
        bandwidth / 1e9,
        stream >> 20,
    ))?;
    let pictures = Pictures::new(args.crop as usize, device);
    for row in pictures.rows() {
        let (mut kernel, mut composed) = (Vec::new(), Vec::new());
        // alternating, so that both see the same machine
        for _ in 0..=args.repeats {
            for (work, times) in [(&row.kernel, &mut kernel), (&row.composed, &mut composed)] {
                let start = Instant::now();
                work();
                sync(device)?;
                times.push(start.elapsed().as_secs_f64());
            }
        }
        let [kernel, composed] = [kernel, composed].map(|mut times| median(times.split_off(1)));
        console.print(&format!(
            "| {} | {:.2} ms | {:.2} ms | {:.2}× | {:.1} MB | {:.1} MB | {:.0} % |",
            row.name,
            1e3 * kernel,
            1e3 * composed,
            composed / kernel,
            row.kernel_bytes as f64 / 1e6,
            row.composed_bytes as f64 / 1e6,
            100.0 * row.kernel_bytes as f64 / bandwidth / kernel,
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}

/// Reads one value back: burn puts operations off until someone wants their result.
fn done<const D: usize>(result: Tensor<D>) {
    let _ = result.reshape([-1]).narrow(0, 0, 1).into_data();
}

fn done_int<const D: usize>(result: Tensor<D, Int>) {
    let _ = result.reshape([-1]).narrow(0, 0, 1).into_data();
}

/// Bytes per second of a pass that reads and writes.
fn bandwidth(args: &Bench, stream: usize, device: &Device) -> anyhow::Result<f64> {
    let values = Tensor::<1>::ones([stream], device);
    let mut times = Vec::new();
    for _ in 0..=args.repeats {
        let start = Instant::now();
        done(values.clone() * 1.5);
        sync(device)?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(8.0 * stream as f64 / median(times.split_off(1)))
}

/// Inputs of all kernels.
struct Pictures {
    spec: MaskSpec,
    map: Tensor<4>,
    images: Tensor<4>,
    photo: Tensor<2, Int>,
    photo_planes: Tensor<4>,
    photo_mask: Tensor<2>,
    colors: Tensor<1, Int>,
    color_rows: Tensor<2>,
}

impl Pictures {
    fn new(crop: usize, device: &Device) -> Self {
        let config = MaskConfig { min_max: MinMax::PerSample, ..MaskConfig::default() };
        let side = crop.div_ceil(32);
        let uniform = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Uniform(0.0, 1.0), device);
        let words = |count: usize| -> Vec<u32> { (0..count as u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect() };
        let ints = |count: usize, shape: [usize; 2]| {
            Tensor::<2, Int>::from_data(TensorData::new(words(count), shape), (device, DType::U32))
        };
        let [height, width] = IMAGE;
        Self {
            spec: MaskSpec::new(&config, [crop, crop], 0.15),
            map: uniform([BATCH, 1, side, side]),
            images: uniform([BATCH, 3, crop, crop]),
            photo: ints(height * width, IMAGE),
            photo_planes: uniform([1, 3, height, width]),
            photo_mask: uniform([1, 1, height, width]).reshape(IMAGE),
            colors: ints(256, [1, 256]).reshape([256]),
            color_rows: uniform([1, 1, 256, 3]).reshape([256, 3]),
        }
    }

    fn rows(&self) -> Vec<Row<'_>> {
        let [map, images] = [&self.map, &self.images].map(|t| 4 * t.shape().num_elements());
        let mask = images / 3;
        let regions = 4 * 6 * BATCH * self.spec.region[0] * self.spec.region[1];
        let photo = 4 * IMAGE[0] * IMAGE[1];
        let input = 4 * 3 * INPUT[0] * INPUT[1];
        let spec = self.spec;
        vec![
            Row {
                name: "soft_mask",
                kernel: Box::new(move || done(soft_mask(self.map.clone(), spec))),
                composed: Box::new(move || done(soft_mask_composed(self.map.clone(), &spec))),
                kernel_bytes: 2 * map + mask,
                // two products; minimum, maximum; less, over; less, times; sigmoid
                composed_bytes: map + 13 * mask,
            },
            Row {
                name: "mask forward and backward",
                kernel: Box::new(move || self.train(|map, images| mask_images(map, images, spec))),
                composed: Box::new(move || self.train(|map, images| mask_images_composed(map, images, &spec))),
                // range, regions, size; range, gradient of the normalised map and of the map
                kernel_bytes: 6 * map + 2 * images + 2 * regions + 2 * mask,
                // forward: mask, sum, product, two shrinks, difference, stack; backward: each once more, twice its bytes
                composed_bytes: 3 * (map + 15 * mask + 4 * images + 4 * regions),
            },
            Row {
                name: "model_input",
                kernel: Box::new(|| model_input(self.photo.clone(), INPUT, [0.5; 3], [0.5; 3]).map_or((), done)),
                composed: Box::new(|| done((bilinear(self.photo_planes.clone(), INPUT, false) - 0.5) / 0.5)),
                kernel_bytes: photo + input,
                composed_bytes: 3 * photo + 7 * input,
            },
            Row {
                name: "overlay without contour",
                kernel: Box::new(|| self.painted().map_or((), done_int)),
                composed: Box::new(|| done(self.painted_composed())),
                kernel_bytes: 3 * photo,
                composed_bytes: 27 * photo,
            },
        ]
    }

    fn train(&self, mask: impl Fn(Tensor<4>, Tensor<4>) -> MaskedImages) {
        let autodiff = |tensor: &Tensor<4>| Tensor::from_inner(tensor.clone());
        let map = autodiff(&self.map).require_grad();
        let masked = mask(map.clone(), autodiff(&self.images));
        let gradients = (masked.regions.sum() + masked.foreground_size.sum()).backward();
        map.grad(&gradients).map_or((), done)
    }

    fn painted(&self) -> Option<Tensor<2, Int>> {
        let row_stride = IMAGE[1].next_multiple_of(64);
        let spec = OverlaySpec { threshold: 0.5, opacity: 0.6, contour: false, thickness: 2, row_stride };
        overlay(self.photo.clone(), self.photo_mask.clone(), None, self.colors.clone(), spec).ok()
    }

    /// Heat over planes of floats: look up, fade, blend.
    fn painted_composed(&self) -> Tensor<4> {
        let [height, width] = IMAGE;
        let mask = self.photo_mask.clone();
        let entries = (mask.clone() * 255.0).round().int().reshape([(height * width) as i32]);
        let heat = self.color_rows.clone().select(0, entries).reshape([1, height, width, 3]).permute([0, 3, 1, 2]);
        let alpha = ((mask * 0.85 + 0.15) * 0.6).reshape([1, 1, height, width]);
        self.photo_planes.clone() * (-alpha.clone() + 1.0) + heat * alpha
    }
}
