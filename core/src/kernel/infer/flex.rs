//! Convolutions on the CPU backend: the kernels' twins.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Shape, TensorData};
use histomask_shaders::{ConvParams, DepthwiseParams, PointwiseParams, conv, depthwise, pointwise};

use super::ops::{ConvOps, conv_shape, depthwise_shape, pointwise_shape};
use crate::kernel::cpu_tensor::{dense, from_values};

impl ConvOps for Flex {
    fn pointwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: PointwiseParams,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(dense);
        filled(pointwise_shape(&x.shape(), &params), |output| {
            pointwise(&params, x.storage(), weight.storage(), bias.storage(), &[], output);
        })
    }

    fn pointwise_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        params: PointwiseParams,
    ) -> FloatTensor<Self> {
        let [x, weight, bias, shortcut] = [x, weight, bias, shortcut].map(dense);
        filled(pointwise_shape(&x.shape(), &params), |output| {
            pointwise(&params, x.storage(), weight.storage(), bias.storage(), shortcut.storage(), output);
        })
    }

    fn conv(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: ConvParams,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(dense);
        filled(conv_shape(&params), |output| {
            conv(&params, x.storage(), weight.storage(), bias.storage(), &[], output);
        })
    }

    fn conv_add(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shortcut: FloatTensor<Self>,
        params: ConvParams,
    ) -> FloatTensor<Self> {
        let [x, weight, bias, shortcut] = [x, weight, bias, shortcut].map(dense);
        filled(conv_shape(&params), |output| {
            conv(&params, x.storage(), weight.storage(), bias.storage(), shortcut.storage(), output);
        })
    }

    fn depthwise(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        params: DepthwiseParams,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(dense);
        filled(depthwise_shape(&params), |output| {
            depthwise(&params, x.storage(), weight.storage(), bias.storage(), output);
        })
    }
}

fn filled(shape: Shape, fill: impl FnOnce(&mut [f32])) -> FloatTensor<Flex> {
    let mut values = vec![0.0; shape.num_elements()];
    fill(&mut values);
    from_values(TensorData::new(values, shape))
}
