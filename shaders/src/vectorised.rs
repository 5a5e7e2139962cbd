use pulp::WithSimd;

/// Does work with the widest vectors of the processor at hand: on x86 AVX-512, or AVX2 with FMA.
#[inline]
pub fn vectorised<W: WithSimd>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}
