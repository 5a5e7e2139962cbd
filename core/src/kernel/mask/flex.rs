//! The mask on the CPU backend: the kernels' twins.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::{Shape, TensorData};
use histomask_shaders::{
    map_backward, map_range, map_range_merge, mask_regions, mask_regions_backward, mask_size, soft_mask, sum_merge,
};

use super::MaskSpec;
use super::ops::{GradientOps, MaskOps, mask_shape, regions_shape};
use super::stages::Stages;
use crate::config::MinMax;
use crate::kernel::cpu_tensor::{dense, from_values};

impl MaskOps for Flex {
    fn soft_mask(coarse: FloatTensor<Self>, spec: MaskSpec) -> FloatTensor<Self> {
        let coarse = dense(coarse);
        let stages = Stages::new(coarse.shape().dims(), spec);
        let (range, _) = range(&stages, coarse.storage());
        let mut mask = vec![0.0; stages.batch * stages.pixels()];
        soft_mask(&stages.params(), coarse.storage(), &range, &mut mask);
        tensor(mask, mask_shape(&coarse.shape(), &spec))
    }
}

impl GradientOps for Flex {
    fn mask_regions(coarse: FloatTensor<Self>, images: FloatTensor<Self>, spec: MaskSpec) -> FloatTensor<Self> {
        let (coarse, images) = (dense(coarse), dense(images));
        let stages = Stages::new(coarse.shape().dims(), spec);
        let (range, _) = range(&stages, coarse.storage());
        let mut regions = vec![0.0; stages.batch * stages.stride()];
        mask_regions(&stages.params(), coarse.storage(), &range, images.storage(), &mut regions);
        let mut sizes = vec![0.0; stages.batch * stages.chunks];
        mask_size(&stages.params(), coarse.storage(), &range, &mut sizes);
        sum_merge(&stages.size_merge(), &sizes, &mut regions);
        tensor(regions, regions_shape(&images.shape(), &spec))
    }

    fn mask_regions_backward(
        coarse: FloatTensor<Self>,
        images: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        spec: MaskSpec,
    ) -> FloatTensor<Self> {
        let (coarse, images, gradient) = (dense(coarse), dense(images), dense(gradient));
        let stages = Stages::new(coarse.shape().dims(), spec);
        let (range, extremes) = range(&stages, coarse.storage());
        let mut by_normalised = vec![0.0; stages.batch * stages.pixels()];
        let mut partial = vec![0.0; 2 * stages.batch * stages.chunks];
        mask_regions_backward(
            &stages.params(),
            coarse.storage(),
            &range,
            images.storage(),
            gradient.storage(),
            &mut by_normalised,
            &mut partial,
        );
        let mut sums = vec![0.0; 2 * stages.batch];
        sum_merge(&stages.range_merge(), &partial, &mut sums);
        let mut by_coarse = vec![0.0; coarse.shape().num_elements()];
        map_backward(&stages.params(), &by_normalised, &range, &extremes, &sums, &mut by_coarse);
        tensor(by_coarse, coarse.shape())
    }
}

/// Minimum and inverse range of each map, `[B, 2]`, and where its extremes are, `[B, 2]`.
fn range(stages: &Stages, coarse: &[f32]) -> (Vec<f32>, Vec<u32>) {
    let (mut range, mut extremes) = stages.no_range();
    if stages.spec.min_max != MinMax::None {
        let mut partial = vec![0; 4 * stages.batch * stages.chunks];
        map_range(&stages.params(), coarse, &mut partial);
        map_range_merge(&stages.map_range_merge(), &partial, &mut range, &mut extremes);
    }
    (range, extremes)
}

fn tensor(values: Vec<f32>, shape: Shape) -> FloatTensor<Flex> {
    from_values(TensorData::new(values, shape))
}
