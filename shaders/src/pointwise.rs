//! Twin of `wgsl/pointwise.wgsl`.

use crate::PointwiseParams;
use crate::product::Product;

/// 1×1 convolution of `x` `[B, I, P]` with `weight` `[ceil(O / 8), I, 8]` and `bias` `[O]`, `shortcut` `[B, O, P]` added
/// if there is one, to `output` `[B, O, P]`.
pub fn pointwise(
    params: &PointwiseParams,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    shortcut: &[f32],
    output: &mut [f32],
) {
    let (inputs, pixels) = (params.inputs as usize, params.pixels as usize);
    let product = Product {
        depth: inputs,
        outputs: params.outputs as usize,
        pixels,
        weight,
        bias,
        shortcut: (params.has_shortcut != 0).then_some(shortcut),
        activation: params.activation,
    };
    product.run(output, |sample, columns, visit| {
        let planes = x[sample * inputs * pixels..][..inputs * pixels].chunks_exact(pixels);
        planes.for_each(|plane| visit(&plane[columns.clone()]));
    });
}
