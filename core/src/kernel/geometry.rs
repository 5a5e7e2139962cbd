//! Sizes of convolutions, and which kernel computes one: decided here and nowhere else.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use histomask_shaders::ConvParams;

/// Padding in front of and behind the rows, and of the columns.
pub(crate) type Padding = [(usize, usize); 2];

/// The kernels that a convolution may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 1×1, every pixel by itself.
    Pointwise,
    /// A kernel of 3×3 or 5×5 for each channel.
    Depthwise,
    /// A square kernel over all channels.
    Dense,
    /// None of ours: burn computes it.
    Other,
}

impl Form {
    /// By the convolution's settings.
    pub(crate) fn of(conv: &Conv2d) -> Self {
        let [outputs, inputs, kernel, across] = conv.weight.dims();
        let [stride, stride_across] = conv.stride;
        if kernel != across || stride != stride_across || conv.dilation != [1, 1] || conv.bias.is_some() {
            return Self::Other;
        }
        let padded = padding(conv, [kernel, kernel]) != [(0, 0); 2];
        match conv.groups {
            1 if kernel == 1 && stride == 1 && !padded => Self::Pointwise,
            1 => Self::Dense,
            groups if groups == outputs && inputs == 1 && [3, 5].contains(&kernel) && stride <= 2 => Self::Depthwise,
            _ => Self::Other,
        }
    }
}

/// Padding of an input; SAME is TensorFlow's: output side `ceil(input / stride)`, an odd pixel behind.
pub(crate) fn padding(conv: &Conv2d, input: [usize; 2]) -> Padding {
    let ([stride, _], [kernel, _]) = (conv.stride, conv.kernel_size);
    match conv.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => input.map(|side| {
            let total = ((side.div_ceil(stride) - 1) * stride + kernel).saturating_sub(side);
            (total / 2, total - total / 2)
        }),
    }
}

/// Rows and columns of the output.
pub(super) fn output_size(input: [usize; 2], kernel: usize, stride: usize, padding: Padding) -> [usize; 2] {
    [0, 1].map(|axis| (input[axis] + padding[axis].0 + padding[axis].1 - kernel) / stride + 1)
}

/// Parameters of a dense convolution of `[B, I, h, w]` to `outputs` channels, with nothing that follows it.
pub(super) fn conv_params(
    [batch, inputs, in_height, in_width]: [usize; 4],
    outputs: usize,
    kernel: usize,
    stride: usize,
    padding: Padding,
) -> ConvParams {
    let [height, width] = output_size([in_height, in_width], kernel, stride, padding);
    ConvParams {
        batch: batch as u32,
        inputs: inputs as u32,
        in_height: in_height as u32,
        in_width: in_width as u32,
        outputs: outputs as u32,
        height: height as u32,
        width: width as u32,
        kernel: kernel as u32,
        stride: stride as u32,
        pad_top: padding[0].0 as u32,
        pad_left: padding[1].0 as u32,
        has_shortcut: 0,
        activation: 0,
    }
}
