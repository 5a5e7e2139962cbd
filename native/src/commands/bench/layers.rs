//! Convolutions of networks in use on the CPU, layer by layer, beside what this machine can do at most.

use std::hint::black_box;
use std::time::Instant;

use histomask_core::kernel::Activation;
use histomask_shaders::blocked::{Conv, Depthwise, Expansion, Map, Placement, Sample};

use super::median;
use super::roof::Roof;
use crate::arguments::Bench;
use crate::console::{Console, Exit};

/// Seconds of a repetition, at least: a layer alone takes fractions of a millisecond.
const REPETITION: f64 = 0.01;

/// A layer on random values.
struct Layer {
    name: String,
    /// Multiply-adds by the definition of a convolution.
    defined: usize,
    /// Those that its form takes.
    computed: usize,
    /// Of input, weights and output, each once.
    bytes: usize,
    run: Box<dyn Fn()>,
}

pub(super) fn run(args: &Bench, console: &Console) -> anyhow::Result<Exit> {
    let roof = Roof::measured(args.repeats);
    console.print(&format!(
        "{} threads: {:.1} G multiply-adds/s from registers, {:.1} GB/s of memory read and written\n\n\
         | layer | time | G multiply-adds/s: defined | computed | MB at least | GB/s | of what the machine can do |\n\
         |---|---|---|---|---|---|---|",
        roof.threads,
        roof.multiply_adds / 1e9,
        roof.bytes / 1e9,
    ))?;
    for layer in layers() {
        let seconds = timed(args.repeats, &layer.run);
        let (least, by_memory) = roof.least(layer.computed as f64, layer.bytes as f64);
        console.print(&format!(
            "| {} | {:.3} ms | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} % ({}) |",
            layer.name,
            1e3 * seconds,
            layer.defined as f64 / seconds / 1e9,
            layer.computed as f64 / seconds / 1e9,
            layer.bytes as f64 / 1e6,
            layer.bytes as f64 / seconds / 1e9,
            100.0 * least / seconds,
            if by_memory { "memory" } else { "arithmetic" },
        ))?;
        if crate::interrupt::asked() {
            return Ok(Exit::Interrupted);
        }
    }
    Ok(Exit::Fine)
}

/// Of the networks on an image of 432×641, and of 224×224 where maps are small.
fn layers() -> impl Iterator<Item = Layer> {
    let dense = [
        ([16, 96], [216, 321], 1, 1, 1),
        ([144, 24], [108, 161], 1, 1, 1),
        ([480, 80], [27, 41], 1, 1, 1),
        ([64, 64], [108, 161], 3, 1, 1),
        ([256, 256], [27, 41], 3, 1, 1),
        ([512, 512], [14, 21], 3, 1, 1),
        ([64, 64], [56, 56], 3, 1, 1),
        ([256, 256], [14, 14], 3, 1, 1),
        ([512, 512], [7, 7], 3, 1, 1),
        ([512, 512], [6, 6], 3, 1, 2),
        ([64, 128], [56, 56], 3, 2, 1),
        ([256, 512], [14, 14], 3, 2, 1),
    ];
    let depthwise = [
        (None, 480, [27, 41], 5, 1),
        (Some(16), 96, [216, 321], 3, 2),
        (Some(80), 480, [27, 41], 5, 1),
        (Some(192), 1152, [7, 7], 5, 1),
    ];
    let images = [(32, [432, 641], 3), (64, [432, 641], 7)];
    let dense = dense
        .into_iter()
        .map(|(channels, size, kernel, stride, samples)| over_all_channels(channels, size, kernel, stride, samples));
    let images = images.into_iter().map(|(outputs, size, kernel)| of_an_image(outputs, size, kernel));
    dense.chain(images).chain(
        depthwise
            .into_iter()
            .map(|(narrow, wide, size, kernel, stride)| of_each_channel(narrow, wide, size, kernel, stride)),
    )
}

fn over_all_channels(
    [inputs, outputs]: [usize; 2],
    size: [usize; 2],
    kernel: usize,
    stride: usize,
    samples: usize,
) -> Layer {
    let conv = conv([inputs, outputs], kernel, stride);
    let place = placement(size, kernel, stride);
    let maps: Vec<_> = (0..samples).map(|_| map(inputs, size)).collect();
    let [seen, made] = [size, place.size].map(|[height, width]| height * width);
    let weights = inputs * outputs * kernel * kernel;
    let of = if samples > 1 { format!("{samples} of ") } else { String::new() };
    Layer {
        name: format!("{kernel}×{kernel}, {inputs} → {outputs} on {of}{}, stride {stride}", shown(size)),
        defined: samples * made * weights,
        computed: samples * conv.multiply_adds(place.size),
        bytes: 4 * (samples * (inputs * seen + outputs * made) + weights),
        run: Box::new(move || {
            let samples: Vec<_> = maps.iter().map(|map| Sample { maps: vec![map], shortcut: None }).collect();
            black_box(conv.run(&samples, place, Activation::Relu as u32));
        }),
    }
}

/// Stride 2.
fn of_an_image(outputs: usize, size: [usize; 2], kernel: usize) -> Layer {
    let (conv, place) = (conv([3, outputs], kernel, 2), placement(size, kernel, 2));
    let planes = values(3 * size[0] * size[1]);
    let made = place.size[0] * place.size[1];
    Layer {
        name: format!("{kernel}×{kernel}, 3 → {outputs} on {}, stride 2", shown(size)),
        defined: made * 3 * outputs * kernel * kernel,
        computed: conv.multiply_adds(place.size),
        bytes: 4 * (planes.len() + outputs * made),
        run: Box::new(move || {
            black_box(conv.run_on_image(&planes, size, place, Activation::Relu as u32));
        }),
    }
}

/// Depthwise, with the 1×1 convolution in front of it where there are `narrow` channels.
fn of_each_channel(narrow: Option<usize>, wide: usize, size: [usize; 2], kernel: usize, stride: usize) -> Layer {
    let depthwise = Depthwise::new(&values(wide * kernel * kernel), &values(wide), kernel, stride);
    let (inputs, place) = (narrow.unwrap_or(wide), placement(size, kernel, stride));
    let expand = narrow.map(|narrow| conv([narrow, wide], 1, 1));
    let x = map(inputs, size);
    let [seen, made] = [size, place.size].map(|[height, width]| height * width);
    let products = narrow.unwrap_or(0) * wide * seen + wide * kernel * kernel * made;
    let widened = narrow.map(|narrow| format!("1×1, {narrow} → {wide}, with ")).unwrap_or_default();
    Layer {
        name: format!("{widened}depthwise {kernel}×{kernel}, {wide} on {}, stride {stride}", shown(size)),
        defined: products,
        computed: products,
        bytes: 4 * (inputs * seen + wide * made + wide * (kernel * kernel + narrow.unwrap_or(0))),
        run: Box::new(move || {
            let activation = Activation::Relu6 as u32;
            let expansion = expand.as_ref().map(|conv| Expansion { conv, activation });
            black_box(depthwise.run(&x, expansion, place, activation));
        }),
    }
}

fn conv([inputs, outputs]: [usize; 2], kernel: usize, stride: usize) -> Conv {
    Conv::new(&values(inputs * outputs * kernel * kernel), &values(outputs), inputs, kernel, stride)
}

fn map(channels: usize, size: [usize; 2]) -> Map {
    Map::from_planes(&values(channels * size[0] * size[1]), channels, size)
}

/// Half of the kernel on every side.
fn placement(size: [usize; 2], kernel: usize, stride: usize) -> Placement {
    let pad = kernel / 2;
    Placement { size: size.map(|side| (side + 2 * pad - kernel) / stride + 1), pad: [pad, pad] }
}

fn shown([height, width]: [usize; 2]) -> String {
    format!("{height}×{width}")
}

/// In -0.5 to 0.5.
fn values(count: usize) -> Vec<f32> {
    (0..count as u32).map(|index| (index.wrapping_mul(0x9e37_79b9) >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

/// Median seconds of a run.
fn timed(repeats: u32, run: &dyn Fn()) -> f64 {
    let start = Instant::now();
    run();
    let runs = (REPETITION / start.elapsed().as_secs_f64()).ceil().clamp(1.0, 1000.0) as u32;
    let times = (0..=repeats).map(|_| {
        let start = Instant::now();
        (0..runs).for_each(|_| run());
        start.elapsed().as_secs_f64() / f64::from(runs)
    });
    median(times.skip(1).collect())
}
