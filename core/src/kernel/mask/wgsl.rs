//! The mask on a GPU: WGSL kernels on burn's own buffers.

use burn::tensor::DType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::server::Handle;
use histomask_shaders::{
    MAP_BACKWARD, MAP_RANGE, MAP_RANGE_MERGE, MASK_REGIONS, MASK_REGIONS_BACKWARD, MASK_SIZE, SOFT_MASK, SUM_MERGE,
};

use super::MaskSpec;
use super::ops::{GradientOps, MaskOps, mask_shape, regions_shape};
use super::stages::Stages;
use crate::config::MinMax;
use crate::kernel::launch::{Launcher, output};

impl MaskOps for CubeBackend {
    fn soft_mask(coarse: CubeTensor, spec: MaskSpec) -> CubeTensor {
        let coarse = into_contiguous(coarse);
        let run = Run::new(&coarse, spec);
        let (range, _) = run.range(&coarse.handle);
        let mask = output(&coarse, mask_shape(coarse.meta.shape(), &spec), DType::F32);
        let [height, width] = spec.size;
        run.launcher.run(
            &SOFT_MASK,
            &[&coarse.handle, &range, &mask.handle],
            &run.stages.params().bytes(),
            [width, height, run.stages.batch],
        );
        mask
    }
}

impl GradientOps for CubeBackend {
    fn mask_regions(coarse: CubeTensor, images: CubeTensor, spec: MaskSpec) -> CubeTensor {
        let (coarse, images) = (into_contiguous(coarse), into_contiguous(images));
        let run = Run::new(&coarse, spec);
        let Stages { batch, chunks, .. } = run.stages;
        let (range, _) = run.range(&coarse.handle);
        let regions = output(&images, regions_shape(images.meta.shape(), &spec), DType::F32);
        let [height, width] = spec.region;
        run.launcher.run(
            &MASK_REGIONS,
            &[&coarse.handle, &range, &images.handle, &regions.handle],
            &run.stages.params().bytes(),
            [width, height, batch],
        );
        let sizes = run.launcher.empty(batch * chunks);
        run.launcher.groups(
            &MASK_SIZE,
            &[&coarse.handle, &range, &sizes],
            &run.stages.params().bytes(),
            [chunks, batch, 1],
        );
        run.launcher.groups(&SUM_MERGE, &[&sizes, &regions.handle], &run.stages.size_merge().bytes(), [1, batch, 1]);
        regions
    }

    fn mask_regions_backward(
        coarse: CubeTensor,
        images: CubeTensor,
        gradient: CubeTensor,
        spec: MaskSpec,
    ) -> CubeTensor {
        let (coarse, images) = (into_contiguous(coarse), into_contiguous(images));
        let gradient = into_contiguous(gradient);
        let run = Run::new(&coarse, spec);
        let Stages { batch, chunks, map: [map_height, map_width], .. } = run.stages;
        let (range, extremes) = run.range(&coarse.handle);
        let by_normalised = run.launcher.empty(batch * run.stages.pixels());
        let partial = run.launcher.empty(2 * batch * chunks);
        run.launcher.groups(
            &MASK_REGIONS_BACKWARD,
            &[&coarse.handle, &range, &images.handle, &gradient.handle, &by_normalised, &partial],
            &run.stages.params().bytes(),
            [chunks, batch, 1],
        );
        let sums = run.launcher.empty(2 * batch);
        run.launcher.groups(&SUM_MERGE, &[&partial, &sums], &run.stages.range_merge().bytes(), [2, batch, 1]);
        let by_coarse = output(&coarse, coarse.meta.shape().clone(), DType::F32);
        run.launcher.groups(
            &MAP_BACKWARD,
            &[&by_normalised, &range, &extremes, &sums, &by_coarse.handle],
            &run.stages.params().bytes(),
            [map_width, map_height, batch],
        );
        by_coarse
    }
}

struct Run {
    stages: Stages,
    launcher: Launcher,
}

impl Run {
    fn new(coarse: &CubeTensor, spec: MaskSpec) -> Self {
        Self { stages: Stages::new(coarse.meta.shape().dims(), spec), launcher: Launcher::new(coarse) }
    }

    /// Minimum and inverse range of each map, `[B, 2]`, and where its extremes are, `[B, 2]`.
    fn range(&self, coarse: &Handle) -> (Handle, Handle) {
        let Stages { batch, chunks, spec, .. } = self.stages;
        if spec.min_max == MinMax::None {
            let (range, extremes) = self.stages.no_range();
            let range = range.into_iter().flat_map(f32::to_le_bytes).collect();
            return (
                self.launcher.upload(range),
                self.launcher.upload(extremes.into_iter().flat_map(u32::to_le_bytes).collect()),
            );
        }
        let partial = self.launcher.empty(4 * batch * chunks);
        self.launcher.groups(&MAP_RANGE, &[coarse, &partial], &self.stages.params().bytes(), [chunks, batch, 1]);
        let (range, extremes) = (self.launcher.empty(2 * batch), self.launcher.empty(2 * batch));
        self.launcher.groups(
            &MAP_RANGE_MERGE,
            &[&partial, &range, &extremes],
            &self.stages.map_range_merge().bytes(),
            [batch, 1, 1],
        );
        (range, extremes)
    }
}
