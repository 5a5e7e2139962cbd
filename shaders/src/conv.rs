//! Twin of `wgsl/conv.wgsl`.

use std::ops::Range;

use crate::ConvParams;
use crate::product::Product;

/// Convolution of `x` `[B, I, h, w]` with `weight` `[ceil(O / 8), k * k, I, 8]` and `bias` `[O]`, `shortcut`
/// `[B, O, H, W]` added if there is one, to `output` `[B, O, H, W]`.
pub fn conv(params: &ConvParams, x: &[f32], weight: &[f32], bias: &[f32], shortcut: &[f32], output: &mut [f32]) {
    let (inputs, kernel) = (params.inputs as usize, params.kernel as usize);
    let plane = (params.in_height * params.in_width) as usize;
    let product = Product {
        depth: kernel * kernel * inputs,
        outputs: params.outputs as usize,
        pixels: (params.height * params.width) as usize,
        weight,
        bias,
        shortcut: (params.has_shortcut != 0).then_some(shortcut),
        activation: params.activation,
    };
    product.run(output, |sample, columns, visit| {
        let planes = &x[sample * inputs * plane..][..inputs * plane];
        let mut row = vec![0.0; columns.len()];
        for tap in (0..kernel).flat_map(|row| (0..kernel).map(move |column| [row, column])) {
            let pieces = pieces(params, &columns, tap);
            row.fill(0.0);
            for plane in planes.chunks_exact(plane) {
                for (piece, from) in &pieces {
                    copy(&plane[*from..], params.stride as usize, &mut row[piece.clone()]);
                }
                visit(&row);
            }
        }
    });
}

/// What the outputs `columns` see through a tap inside the input: pieces of them, and where each begins in a plane.
fn pieces(params: &ConvParams, columns: &Range<usize>, tap: [usize; 2]) -> Vec<(Range<usize>, usize)> {
    let (stride, width) = (params.stride as usize, params.width as usize);
    let [in_height, in_width] = [params.in_height as usize, params.in_width as usize];
    let (pad_top, pad_left) = (params.pad_top as usize, params.pad_left as usize);
    // outputs of a row whose tap is inside the input
    let low = pad_left.saturating_sub(tap[1]).div_ceil(stride);
    let high = (in_width + pad_left).saturating_sub(tap[1]).div_ceil(stride).min(width);
    let mut pieces = Vec::new();
    for row in columns.start / width..columns.end.div_ceil(width) {
        let first = (row * width + low).max(columns.start);
        let end = (row * width + high).min(columns.end);
        let in_row = (row * stride + tap[0]).wrapping_sub(pad_top);
        if in_row < in_height && first < end {
            let from = in_row * in_width + (first - row * width) * stride + tap[1] - pad_left;
            pieces.push((first - columns.start..end - columns.start, from));
        }
    }
    pieces
}

/// Every `stride`th value.
fn copy(from: &[f32], stride: usize, to: &mut [f32]) {
    match stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &from)| *to = from),
    }
}
