//! Pictures on a GPU: WGSL kernels on burn's own buffers.

use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use histomask_shaders::{MASK_STATS, MASK_STATS_MERGE, NORMALIZE, NormalizeParams, OVERLAY, OverlayParams};

use super::ops::{PictureOps, STATS, input_shape, painted_shape, stats_params};
use crate::kernel::chunks::chunks;
use crate::kernel::launch::{Launcher, output};

impl PictureOps for CubeBackend {
    fn normalize(pixels: CubeTensor, params: NormalizeParams) -> CubeTensor {
        let pixels = into_contiguous(pixels);
        let tensor = output(&pixels, input_shape(&params), DType::F32);
        Launcher::new(&pixels).run(
            &NORMALIZE,
            &[&pixels.handle, &tensor.handle],
            &params.bytes(),
            [params.width as usize, params.height as usize, 1],
        );
        tensor
    }

    fn mask_stats(masks: CubeTensor, truth: CubeTensor, threshold: f32) -> CubeTensor {
        let (masks, truth) = (into_contiguous(masks), into_contiguous(truth));
        let [batch, _, height, width] = masks.meta.shape().dims();
        let (params, merge) = stats_params([batch, height, width], threshold);
        let launcher = Launcher::new(&masks);
        let chunks = chunks(height * width);
        let partial = launcher.empty(batch * chunks * STATS);
        let stats = output(&truth, Shape::new([batch, STATS]), truth.dtype);
        let buffers = [&masks.handle, &truth.handle, &partial];
        launcher.groups(&MASK_STATS, &buffers, &params.bytes(), [chunks, batch, 1]);
        launcher.groups(&MASK_STATS_MERGE, &[&partial, &stats.handle], &merge.bytes(), [batch, 1, 1]);
        stats
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
