//! Convolutions on a GPU: WGSL kernels on burn's own buffers.

use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use histomask_shaders::{
    CONV, ConvParams, DEPTHWISE, DEPTHWISE_5X5, DepthwiseParams, Kernel, POINTWISE, PointwiseParams, TILE,
};

use super::ops::{ConvOps, conv_shape, depthwise_shape, pointwise_shape};
use crate::kernel::launch::{Launcher, output};

/// Columns of the invocations that share a tile of channels, and the invocations, as the WGSL files have it.
const POINTWISE_COLUMNS: usize = 64;
const CONV_COLUMNS: usize = 32;
const LANES: usize = 8;

impl ConvOps for CubeBackend {
    fn pointwise(x: CubeTensor, weight: CubeTensor, bias: CubeTensor, params: PointwiseParams) -> CubeTensor {
        launch_pointwise(x, weight, bias, None, params)
    }

    fn pointwise_add(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        shortcut: CubeTensor,
        params: PointwiseParams,
    ) -> CubeTensor {
        launch_pointwise(x, weight, bias, Some(shortcut), params)
    }

    fn conv(x: CubeTensor, weight: CubeTensor, bias: CubeTensor, params: ConvParams) -> CubeTensor {
        launch_conv(x, weight, bias, None, params)
    }

    fn conv_add(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        shortcut: CubeTensor,
        params: ConvParams,
    ) -> CubeTensor {
        launch_conv(x, weight, bias, Some(shortcut), params)
    }

    fn depthwise(x: CubeTensor, weight: CubeTensor, bias: CubeTensor, params: DepthwiseParams) -> CubeTensor {
        let [x, weight, bias] = [x, weight, bias].map(into_contiguous);
        let filtered = output(&x, depthwise_shape(&params), DType::F32);
        let kernel = if weight.meta.shape()[2] == 3 { &DEPTHWISE } else { &DEPTHWISE_5X5 };
        let strips = params.height.div_ceil(params.rows) as usize;
        Launcher::new(&x).linear(
            kernel,
            &[&x.handle, &weight.handle, &bias.handle, &filtered.handle],
            &params.bytes(),
            params.planes as usize * strips * params.width as usize,
        );
        filtered
    }
}

fn launch_pointwise(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    shortcut: Option<CubeTensor>,
    params: PointwiseParams,
) -> CubeTensor {
    let shape = pointwise_shape(x.meta.shape(), &params);
    let columns = (params.batch * params.pixels) as usize;
    let invocations = invocations(columns, POINTWISE_COLUMNS, params.outputs);
    launch_product(&POINTWISE, [x, weight, bias], shortcut, &params.bytes(), shape, invocations)
}

fn launch_conv(
    x: CubeTensor,
    weight: CubeTensor,
    bias: CubeTensor,
    shortcut: Option<CubeTensor>,
    params: ConvParams,
) -> CubeTensor {
    let columns = (params.batch * params.height * params.width) as usize;
    let invocations = invocations(columns, CONV_COLUMNS, params.outputs);
    launch_product(&CONV, [x, weight, bias], shortcut, &params.bytes(), conv_shape(&params), invocations)
}

fn invocations(columns: usize, together: usize, outputs: u32) -> usize {
    columns.div_ceil(together) * (outputs as usize).div_ceil(TILE) * LANES
}

fn launch_product(
    kernel: &'static Kernel,
    operands: [CubeTensor; 3],
    shortcut: Option<CubeTensor>,
    params: &[u8],
    shape: Shape,
    invocations: usize,
) -> CubeTensor {
    let [x, weight, bias] = operands.map(into_contiguous);
    let product = output(&x, shape, DType::F32);
    let launcher = Launcher::new(&x);
    // a buffer is bound once at most, so that something must stand for a shortcut
    let shortcut = shortcut.map_or_else(|| launcher.empty(1), |shortcut| into_contiguous(shortcut).handle);
    let buffers = [&x.handle, &weight.handle, &bias.handle, &shortcut, &product.handle];
    launcher.linear(kernel, &buffers, params, invocations);
    product
}
