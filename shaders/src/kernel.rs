//! What is to be known of a kernel to launch it. `build.rs` reads it from the WGSL text.

use crate::limits::{LimitError, Limits};

/// A compute stage in WGSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel {
    /// Its file's name, and its twin's.
    pub name: &'static str,
    /// WGSL text; the entry point is `main`.
    pub source: &'static str,
    /// Invocations of a workgroup.
    pub workgroup: [u32; 3],
    /// Buffers by binding number, all in group 0, all `read_write` (burn's tensors share buffers, and WebGPU forbids
    /// binding one buffer for reading and writing at once).
    pub bindings: &'static [&'static str],
}

impl Kernel {
    /// Workgroups that cover `invocations` in each direction.
    ///
    /// # Errors
    ///
    /// [`LimitError::Workgroups`] if the adapter cannot dispatch so many.
    pub fn groups(&self, invocations: [u32; 3], limits: &Limits) -> Result<[u32; 3], LimitError> {
        let groups = [0, 1, 2].map(|axis| invocations[axis].div_ceil(self.workgroup[axis]));
        match groups.into_iter().find(|&groups| groups > limits.workgroups_per_dimension) {
            Some(wanted) => {
                Err(LimitError::Workgroups { kernel: self.name, wanted, limit: limits.workgroups_per_dimension })
            }
            None => Ok(groups),
        }
    }
}
