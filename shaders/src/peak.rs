//! The most that a processor's vectors do: what kernels are compared with.

use std::hint::black_box;

use pulp::{Simd, WithSimd};

use crate::vectorised::vectorised;

/// Does nothing but multiply and add 32-bit numbers that stay in registers, `rounds` times a few vectors, in as many
/// independent sums as hide how long one takes; says how many numbers that were.
#[must_use]
pub fn multiply_adds(rounds: usize) -> usize {
    vectorised(Peak { rounds })
}

struct Peak {
    rounds: usize,
}

impl WithSimd for Peak {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        match S::F32_LANES {
            // of 16 registers
            8 => self.run::<S, 12>(simd),
            1 => self.run::<S, 8>(simd),
            _ => self.run::<S, 20>(simd),
        }
    }
}

impl Peak {
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "as in `tile`: a plain loop over a constant, so that sums stay in registers"
    )]
    fn run<S: Simd, const SUMS: usize>(self, simd: S) -> usize {
        let (factor, added) = (black_box(simd.splat_f32s(0.5)), black_box(simd.splat_f32s(1.0)));
        let mut sums = [added; SUMS];
        for _ in 0..self.rounds {
            for index in 0..SUMS {
                sums[index] = simd.mul_add_e_f32s(sums[index], factor, added);
            }
        }
        black_box(sums);
        self.rounds * SUMS * S::F32_LANES
    }
}
