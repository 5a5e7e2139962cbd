//! Launching WGSL kernels on cubecl's buffers.

use burn::tensor::{DType, Shape};
use burn_cubecl::template::{KernelSource, SourceKernel, SourceTemplate};
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::prelude::{CubeCount, CubeDim, KernelId};
use cubecl::server::{Handle, KernelArguments};
use histomask_shaders::{Kernel, Limits};

use super::limits::of_client;

/// Queues kernels on one device.
pub(crate) struct Launcher {
    client: Client,
    limits: Limits,
}

impl Launcher {
    /// On the device of `beside`.
    pub(crate) fn new(beside: &CubeTensor) -> Self {
        Self { client: beside.client.clone(), limits: of_client(&beside.client) }
    }

    /// An uninitialised buffer of 32-bit values.
    pub(crate) fn empty(&self, values: usize) -> Handle {
        self.client.empty(4 * values)
    }

    /// A buffer with these bytes.
    pub(crate) fn upload(&self, bytes: Vec<u8>) -> Handle {
        self.client.create_from_slice(&bytes)
    }

    /// Queues a kernel over that many invocations; `buffers` are all but the last of its bindings, which is `params`.
    pub(crate) fn run(&self, kernel: &'static Kernel, buffers: &[&Handle], params: &[u8], invocations: [usize; 3]) {
        let groups = std::array::from_fn(|axis| invocations[axis].div_ceil(kernel.workgroup[axis] as usize));
        self.groups(kernel, buffers, params, groups);
    }

    /// Queues a kernel over that many invocations in one row, which it numbers by `group.y * groups.x + group.x`: more
    /// workgroups than the adapter takes in one direction are spread over two.
    pub(crate) fn linear(&self, kernel: &'static Kernel, buffers: &[&Handle], params: &[u8], invocations: usize) {
        let groups = invocations.div_ceil(kernel.workgroup[0] as usize);
        let rows = groups.div_ceil(self.limits.workgroups_per_dimension as usize);
        self.groups(kernel, buffers, params, [groups.div_ceil(rows.max(1)), rows, 1]);
    }

    /// Queues a kernel over that many workgroups.
    pub(crate) fn groups(&self, kernel: &'static Kernel, buffers: &[&Handle], params: &[u8], groups: [usize; 3]) {
        debug_assert_eq!(buffers.len() + 1, kernel.bindings.len(), "{}", kernel.name);
        let [x, y, z] = kernel.workgroup;
        let params = self.client.create_from_slice(params);
        let arguments = buffers
            .iter()
            .chain([&&params])
            .fold(KernelArguments::new(), |arguments, buffer| arguments.with_buffer((*buffer).clone().binding()));
        let [groups_x, groups_y, groups_z] = groups.map(|count| count as u32);
        self.client.launch(
            Box::new(SourceKernel::new(Wgsl(kernel), CubeDim::new_3d(x, y, z))),
            CubeCount::Static(groups_x, groups_y, groups_z),
            arguments,
        );
    }
}

/// An uninitialised tensor of 32-bit values on the device of `beside`.
pub(crate) fn output(beside: &CubeTensor, shape: Shape, dtype: DType) -> CubeTensor {
    let handle = beside.client.empty(4 * shape.num_elements());
    CubeTensor::new_contiguous(beside.client.clone(), beside.device.clone(), shape, handle, dtype)
}

#[derive(Clone, Copy, Debug)]
struct Wgsl(&'static Kernel);

impl KernelSource for Wgsl {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(self.0.source)
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info(self.0.name)
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}
