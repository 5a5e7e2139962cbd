//! Which form of a kernel an adapter gets: the one place where that is decided.
//!
//! Every kernel runs on what WebGPU guarantees. Reductions have a second form with subgroup operations, a few percent
//! to half faster where merging dominates. No kernel has a 16-bit form: burn's tensors here are 32-bit, and a
//! conversion would cost the pass that it saves; [`Limits::f16`] is reported for whoever adds one.

use crate::{
    Kernel, Limits, MAP_RANGE, MAP_RANGE_SUBGROUPS, MASK_SIZE, MASK_SIZE_SUBGROUPS, MASK_STATS, MASK_STATS_SUBGROUPS,
};

/// Kernels with the form that uses subgroup operations.
const SUBGROUPS: [(&Kernel, &Kernel); 3] =
    [(&MAP_RANGE, &MAP_RANGE_SUBGROUPS), (&MASK_SIZE, &MASK_SIZE_SUBGROUPS), (&MASK_STATS, &MASK_STATS_SUBGROUPS)];

impl Kernel {
    /// The kernel's form for an adapter.
    ///
    /// In a browser always the guaranteed one: its compiler asks for `enable subgroups;`, which naga 30 does not know.
    #[must_use]
    pub fn for_adapter(&'static self, limits: &Limits) -> &'static Self {
        if !limits.subgroups || cfg!(target_family = "wasm") {
            return self;
        }
        SUBGROUPS.iter().find(|(base, _)| base.name == self.name).map_or(self, |&(_, variant)| variant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_kernel_are_launched_alike() {
        for (base, variant) in SUBGROUPS {
            assert_eq!(variant.name, format!("{}_subgroups", base.name));
            assert_eq!((variant.bindings, variant.workgroup), (base.bindings, base.workgroup), "{}", base.name);
            let limits = Limits { subgroups: true, ..Limits::GUARANTEED };
            assert_eq!(base.for_adapter(&limits).name, variant.name);
            assert_eq!(base.for_adapter(&Limits::GUARANTEED), base);
        }
        assert_eq!(crate::SOFT_MASK.for_adapter(&Limits { subgroups: true, ..Limits::GUARANTEED }), &crate::SOFT_MASK);
    }
}
