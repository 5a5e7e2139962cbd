//! What is to be known of a kernel to launch it. `build.rs` reads it from the WGSL text.

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
