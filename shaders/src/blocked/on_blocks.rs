use pulp::{Simd, WithSimd};

use crate::vectorised::vectorised;

/// Work on blocks in vectors.
pub(super) trait OnBlocks {
    /// `V` vectors are a block.
    fn run<S: Simd, const V: usize>(self, simd: S);
}

/// Does the work with the widest vectors of the processor at hand.
pub(super) fn on_blocks(work: impl OnBlocks) {
    vectorised(Widest(work));
}

struct Widest<W>(W);

impl<W: OnBlocks> WithSimd for Widest<W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.0.run::<S, 1>(simd),
            8 => self.0.run::<S, 2>(simd),
            4 => self.0.run::<S, 4>(simd),
            _ => self.0.run::<S, 16>(simd),
        }
    }
}
