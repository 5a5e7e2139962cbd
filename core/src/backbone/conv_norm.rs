//! A convolution and the batch normalisation behind it, as every backbone has them in pairs: one after the other in
//! training, as one in a network in use.

use burn::nn::conv::Conv2d;
use burn::tensor::Tensor;

use super::{BatchNorm, Features, InUse};
use crate::kernel::{self, Activation, Form, padding};

/// A pair's own parts.
pub(crate) type Pair<'a> = (&'a Conv2d, &'a BatchNorm);

/// One forward of a network through its pairs.
#[derive(Clone, Copy)]
pub(crate) struct Forward<'a> {
    /// As in [`BatchNorm::forward`].
    pub(crate) passes: usize,
    /// The network's.
    pub(crate) in_use: &'a InUse,
}

impl Forward<'_> {
    /// Convolution, normalisation, shortcut if there is one, activation.
    ///
    /// # Shapes
    ///
    /// `x` `[B, I, h, w]`, `shortcut` and result `[B, O, H, W]`.
    pub(crate) fn pair(
        self,
        (conv, norm): Pair<'_>,
        x: Features,
        shortcut: Option<Features>,
        activation: Activation,
    ) -> Features {
        let (x, shortcut) = match self.in_use.run(conv, x, shortcut, activation) {
            Ok(y) => return y,
            Err(unfolded) => unfolded,
        };
        let y = convolved(conv, x);
        norm.forward_with(y, shortcut, self.passes, activation).into()
    }

    /// A 1×1 convolution, if there is one, and the depthwise one behind it, each with its normalisation and activation.
    pub(super) fn widened(
        self,
        expand: Option<Pair<'_>>,
        depthwise: Pair<'_>,
        x: Features,
        activation: Activation,
    ) -> Features {
        let Some(expand) = expand else { return self.pair(depthwise, x, None, activation) };
        #[cfg(feature = "cpu")]
        if let Some(y) = self.in_use.widened(expand.0, depthwise.0, &x, activation) {
            return y;
        }
        self.pair(depthwise, self.pair(expand, x, None, activation), None, activation)
    }
}

/// The convolution alone, for training.
fn convolved(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let [_, _, height, width] = x.dims();
    let (weight, stride, padding) = (&conv.weight, conv.stride[0], padding(conv, [height, width]));
    match Form::of(conv) {
        Form::Pointwise | Form::Dense => kernel::conv2d(x, weight.val(), stride, padding),
        Form::Depthwise => kernel::depthwise_conv2d(x, weight.val(), stride, padding),
        Form::Other => conv.forward(x),
    }
}
