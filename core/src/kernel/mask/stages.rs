//! The stages of the mask with their parameters, the same for the kernels and for their twins.

use histomask_shaders::{LimitError, Limits, MAX_SIDE, MapRangeMergeParams, MaskParams, SumMergeParams};

use super::MaskSpec;
use crate::config::MinMax;

/// Pixels of a chunk: each chunk is reduced by itself, then the chunks are merged.
const CHUNK: usize = 8192;
/// Most chunks of an image; the stages that merge read them all.
const MOST_CHUNKS: usize = 256;

/// Sizes of one call. Sides fit 32 bits once [`Stages::check`] has passed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stages {
    pub(super) batch: usize,
    pub(super) map: [usize; 2],
    pub(super) chunks: usize,
    pub(super) spec: MaskSpec,
}

impl Stages {
    /// Of coarse maps `[B, 1, h, w]`.
    pub(super) fn new([batch, _, height, width]: [usize; 4], spec: MaskSpec) -> Self {
        let chunks = (spec.size[0] * spec.size[1]).div_ceil(CHUNK).clamp(1, MOST_CHUNKS);
        Self { batch, map: [height, width], chunks, spec }
    }

    /// Sides that the kernels' arithmetic takes.
    pub(super) fn check(&self) -> Result<(), LimitError> {
        let sides = [("map", self.map), ("image", self.spec.size), ("classifier input", self.spec.region)];
        for (what, [height, width]) in sides {
            if height.min(width) == 0 || height.max(width) > MAX_SIDE {
                return Err(LimitError::Side { what, width, height });
            }
        }
        let most = Limits::GUARANTEED.workgroups_per_dimension as usize;
        if self.batch == 0 || self.batch > most || self.batch * self.pixels() > u32::MAX as usize {
            return Err(LimitError::Batch { images: self.batch });
        }
        Ok(())
    }

    pub(super) fn pixels(&self) -> usize {
        self.spec.size[0] * self.spec.size[1]
    }

    /// Values of one sample in the result: two regions of three channels, and the size.
    pub(super) fn stride(&self) -> usize {
        6 * self.spec.region[0] * self.spec.region[1] + 1
    }

    fn whole_batch(&self) -> u32 {
        u32::from(self.spec.min_max == MinMax::WholeBatch)
    }

    /// Parameters of every stage that reads the map or the image.
    pub(super) fn params(&self) -> MaskParams {
        MaskParams {
            batch: self.batch as u32,
            map_height: self.map[0] as u32,
            map_width: self.map[1] as u32,
            height: self.spec.size[0] as u32,
            width: self.spec.size[1] as u32,
            align_corners: u32::from(self.spec.align_corners),
            omega: self.spec.omega as f32,
            sigma: self.spec.sigma as f32,
            region_height: self.spec.region[0] as u32,
            region_width: self.spec.region[1] as u32,
            region_stride: self.stride() as u32,
            chunks: self.chunks as u32,
        }
    }

    pub(super) fn map_range_merge(&self) -> MapRangeMergeParams {
        MapRangeMergeParams { batch: self.batch as u32, chunks: self.chunks as u32, whole_batch: self.whole_batch() }
    }

    /// Puts each sample's size behind its regions.
    pub(super) fn size_merge(&self) -> SumMergeParams {
        SumMergeParams {
            batch: self.batch as u32,
            chunks: self.chunks as u32,
            columns: 1,
            whole_batch: 0,
            stride: self.stride() as u32,
            offset: (self.stride() - 1) as u32,
        }
    }

    /// The two sums that the gradient of minimum and maximum needs.
    pub(super) fn range_merge(&self) -> SumMergeParams {
        SumMergeParams {
            batch: self.batch as u32,
            chunks: self.chunks as u32,
            columns: 2,
            whole_batch: self.whole_batch(),
            stride: 2,
            offset: 0,
        }
    }

    /// Range and extremes where the map is taken as it is: `u - 0` times 1, and no pixel is an extreme.
    pub(super) fn no_range(&self) -> (Vec<f32>, Vec<u32>) {
        ([0.0, 1.0].repeat(self.batch), vec![u32::MAX; 2 * self.batch])
    }
}
