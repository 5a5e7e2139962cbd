use super::*;
use crate::ConvParams;

/// Batch, channels of input and output, rows and columns of the input, kernel, stride, padding.
const CASES: [([usize; 5], usize, usize, [usize; 2]); 12] = [
    // Winograd's form: odd sides, blocks that are not full, more channels than a task and a group have, several strips
    ([2, 17, 33, 7, 9], 3, 1, [1, 1]),
    ([1, 70, 150, 5, 3], 3, 1, [1, 1]),
    ([5, 16, 16, 13, 13], 3, 1, [1, 1]),
    ([1, 40, 20, 61, 90], 3, 1, [0, 2]),
    // others: a colour image, few inputs, strides with and without taps for every remainder, 1×1
    ([2, 3, 20, 37, 41], 7, 2, [3, 3]),
    ([1, 5, 18, 12, 11], 3, 1, [1, 1]),
    ([2, 20, 130, 15, 18], 3, 2, [1, 1]),
    ([1, 36, 20, 80, 95], 3, 2, [0, 1]),
    ([2, 24, 40, 9, 12], 1, 2, [0, 0]),
    ([1, 18, 17, 11, 10], 3, 3, [2, 1]),
    ([2, 96, 24, 30, 31], 1, 1, [0, 0]),
    ([1, 16, 20, 2, 1], 5, 1, [2, 2]),
];

fn params(
    [batch, inputs, outputs, in_height, in_width]: [usize; 5],
    kernel: usize,
    stride: usize,
    pad: [usize; 2],
) -> ConvParams {
    let [height, width] =
        [(in_height, pad[0]), (in_width, pad[1])].map(|(side, pad)| (side + 2 * pad - kernel) / stride + 1);
    let [batch, inputs, outputs] = [batch, inputs, outputs].map(|value| value as u32);
    let [in_height, in_width, height, width] = [in_height, in_width, height, width].map(|value| value as u32);
    let [kernel, stride, pad_top, pad_left] = [kernel, stride, pad[0], pad[1]].map(|value| value as u32);
    let (has_shortcut, activation) = (0, 0);
    ConvParams {
        batch,
        inputs,
        in_height,
        in_width,
        outputs,
        height,
        width,
        kernel,
        stride,
        pad_top,
        pad_left,
        has_shortcut,
        activation,
    }
}

/// Between -1 and 1, other ones for every seed.
fn values(count: u32, mut seed: u32) -> Vec<f32> {
    let next = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(next).collect()
}

struct Case {
    params: ConvParams,
    x: Vec<f32>,
    weight: Vec<f32>,
    gradient: Vec<f32>,
}

impl Case {
    fn new(params: ConvParams) -> Self {
        let ConvParams { batch, inputs, in_height, in_width, outputs, height, width, kernel, .. } = params;
        let x = values(batch * inputs * in_height * in_width, 1);
        let weight = values(outputs * inputs * kernel * kernel, 2);
        Self { params, x, weight, gradient: values(batch * outputs * height * width, 3) }
    }

    fn ours(&self) -> [Vec<f32>; 3] {
        let Self { params, x, weight, gradient } = self;
        let mut output = vec![0.0; gradient.len()];
        convolve(params, x, weight, &mut output);
        [output, by_input(params, weight, gradient), by_weight(params, x, gradient)]
    }

    /// Product by product, as a convolution is defined.
    fn defined(&self) -> [Vec<f64>; 3] {
        let Self { params: p, x, weight, gradient } = self;
        let mut results = [gradient.len(), x.len(), weight.len()].map(|length| vec![0.0; length]);
        for line in 0..p.batch * p.outputs * p.inputs {
            let (sample, output, input) = (line / (p.outputs * p.inputs), line / p.inputs % p.outputs, line % p.inputs);
            for at in 0..p.height * p.width * p.kernel * p.kernel {
                let (pixel, tap) = (at / (p.kernel * p.kernel), at % (p.kernel * p.kernel));
                let row = (pixel / p.width * p.stride + tap / p.kernel).wrapping_sub(p.pad_top);
                let column = (pixel % p.width * p.stride + tap % p.kernel).wrapping_sub(p.pad_left);
                if row >= p.in_height || column >= p.in_width {
                    continue;
                }
                let to = ((sample * p.outputs + output) * p.height * p.width + pixel) as usize;
                let from = (((sample * p.inputs + input) * p.in_height + row) * p.in_width + column) as usize;
                let by = ((output * p.inputs + input) * p.kernel * p.kernel + tap) as usize;
                let [x, weight, gradient] = [x[from], weight[by], gradient[to]].map(f64::from);
                results[0][to] += x * weight;
                results[1][from] += gradient * weight;
                results[2][by] += gradient * x;
            }
        }
        results
    }
}

#[test]
fn convolution_and_gradients_are_what_they_are_defined_as() {
    for (shape, kernel, stride, pad) in CASES {
        let case = Case::new(params(shape, kernel, stride, pad));
        for ((ours, defined), part) in case.ours().iter().zip(&case.defined()).zip(["output", "by input", "by weight"])
        {
            let largest = defined.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
            for (ours, defined) in ours.iter().zip(defined) {
                let off = (f64::from(*ours) - defined).abs() / largest;
                assert!(off < 5e-6, "{part} of {shape:?}, kernel {kernel}, stride {stride}: {ours} for {defined}");
            }
        }
    }
}

#[cfg(feature = "threads")]
#[test]
fn threads_are_no_part_of_the_result() {
    let on = |threads, case: &Case| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap_or_else(|error| panic!("{error}")).install(|| case.ours())
    };
    for (shape, kernel, stride, pad) in CASES {
        let case = Case::new(params(shape, kernel, stride, pad));
        assert!(on(1, &case) == on(3, &case), "{shape:?}, kernel {kernel}, stride {stride}");
    }
}
