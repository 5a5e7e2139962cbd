use pulp::WithSimd;

/// Does work with the widest vectors of the processor at hand that are worth it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn vectorised<W: WithSimd>(work: W) -> W::Output {
    // AVX2 and FMA; by name, as `Arch` has them with a feature of the crate alone that nothing else here wants
    match pulp::x86::V3::try_new() {
        Some(simd) => pulp::Simd::vectorize(simd, work),
        None => pulp::Arch::new().dispatch(work),
    }
}

/// Does work with the widest vectors of the processor at hand that are worth it.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn vectorised<W: WithSimd>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}
