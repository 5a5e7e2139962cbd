//! Pictures on a GPU: WGSL kernels on burn's own buffers.

use burn::tensor::DType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use histomask_shaders::{MODEL_INPUT, ModelInputParams, OVERLAY, OverlayParams};

use super::ops::{PictureOps, input_shape, painted_shape};
use crate::kernel::launch::{Launcher, output};

impl PictureOps for CubeBackend {
    fn model_input(pixels: CubeTensor, params: ModelInputParams) -> CubeTensor {
        let pixels = into_contiguous(pixels);
        let tensor = output(&pixels, input_shape(&params), DType::F32);
        Launcher::new(&pixels).run(
            &MODEL_INPUT,
            &[&pixels.handle, &tensor.handle],
            &params.bytes(),
            [params.width as usize, params.height as usize, 1],
        );
        tensor
    }

    fn overlay(
        image: CubeTensor,
        mask: CubeTensor,
        truth: CubeTensor,
        colors: CubeTensor,
        params: OverlayParams,
    ) -> CubeTensor {
        let [image, mask, truth, colors] = [image, mask, truth, colors].map(into_contiguous);
        let painted = output(&image, painted_shape(&params), image.dtype);
        Launcher::new(&image).run(
            &OVERLAY,
            &[&image.handle, &mask.handle, &truth.handle, &colors.handle, &painted.handle],
            &params.bytes(),
            [params.width as usize, params.height as usize, 1],
        );
        painted
    }
}
