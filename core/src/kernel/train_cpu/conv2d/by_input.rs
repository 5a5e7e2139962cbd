//! Gradient of a convolution by its input: itself a convolution of the gradient, with the kernel turned around.

use histomask_shaders::ConvParams;

use super::packed::packed;
use super::run;

/// From `weight` `[O, I, k, k]` and the gradient `[B, O, H, W]` to `[B, I, h, w]`.
///
/// With a stride `s`, inputs of one remainder of their row and column by `s` see the same taps: each of the `s * s`
/// remainders is a convolution of stride 1 with a kernel of `ceil(k / s)`.
pub(super) fn by_input(params: &ConvParams, weight: &[f32], gradient: &[f32]) -> Vec<f32> {
    let [stride, kernel] = [params.stride as usize, params.kernel as usize];
    let (inputs, outputs) = (params.inputs as usize, params.outputs as usize);
    let [in_height, in_width] = [params.in_height as usize, params.in_width as usize];
    let mut result = vec![0.0; params.batch as usize * inputs * in_height * in_width];
    let side = kernel.div_ceil(stride);
    for (row, column) in (0..stride.min(in_height)).flat_map(|row| (0..stride.min(in_width)).map(move |c| (row, c))) {
        // x[stride * a + row] gets weight[first + stride * m] * gradient[a + shift - m] for every m
        let [(first_row, row_shift), (first_column, column_shift)] =
            [row + params.pad_top as usize, column + params.pad_left as usize].map(|at| (at % stride, at / stride));
        if first_row >= kernel || first_column >= kernel {
            continue;
        }
        let turned = packed(inputs, side * side, outputs, |input, tap, output| {
            let tap_row = first_row + stride * (side - 1 - tap / side);
            let tap_column = first_column + stride * (side - 1 - tap % side);
            let inside = tap_row < kernel && tap_column < kernel;
            if inside { weight[((output * inputs + input) * kernel + tap_row) * kernel + tap_column] } else { 0.0 }
        });
        let [height, width] = [(in_height - row).div_ceil(stride), (in_width - column).div_ceil(stride)];
        let remainder = ConvParams {
            inputs: params.outputs,
            in_height: params.height,
            in_width: params.width,
            outputs: params.inputs,
            height: height as u32,
            width: width as u32,
            kernel: side as u32,
            stride: 1,
            pad_top: (side - 1 - row_shift) as u32,
            pad_left: (side - 1 - column_shift) as u32,
            ..*params
        };
        if stride == 1 {
            run(&remainder, gradient, &turned, &mut result);
            continue;
        }
        let mut values = vec![0.0; params.batch as usize * inputs * height * width];
        run(&remainder, gradient, &turned, &mut values);
        let rows = result
            .chunks_exact_mut(in_height * in_width)
            .flat_map(|plane| plane.chunks_exact_mut(in_width).skip(row).step_by(stride));
        for (to, from) in rows.zip(values.chunks_exact(width)) {
            to.iter_mut().skip(column).step_by(stride).zip(from).for_each(|(to, from)| *to = *from);
        }
    }
    result
}
