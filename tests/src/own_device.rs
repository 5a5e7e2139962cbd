//! A graphics device of a test's own, with the handle that destroys it.

use burn::tensor::Device;
use burn::tensor::wgpu::{WgpuSetup, wgpu};
use wgpu::{Backend, Backends, DeviceType, Features};

/// A device that nothing else in this process uses.
#[derive(Debug)]
pub struct OwnDevice {
    /// For tensors.
    pub device: Device,
    /// What wgpu knows it by.
    pub handle: wgpu::Device,
}

impl OwnDevice {
    /// Opens the software Vulkan adapter (lavapipe, SwiftShader) with its own limits, or with those that WebGPU
    /// guarantees everywhere; `None` where there is no such adapter, after saying so.
    ///
    /// # Panics
    ///
    /// If the adapter cannot be opened.
    #[must_use]
    pub fn open(least_limits: bool) -> Option<Self> {
        let backends = Backends::VULKAN;
        let descriptor =
            wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
        let instance = wgpu::Instance::new(descriptor);
        let adapters = ready(instance.enumerate_adapters(backends));
        let software = |adapter: &wgpu::Adapter| adapter.get_info().device_type == DeviceType::Cpu;
        let Some(adapter) = adapters.into_iter().find(software) else {
            println!("skipped: no software Vulkan adapter (Debian: mesa-vulkan-drivers)");
            return None;
        };
        let left_out = Features::MAPPABLE_PRIMARY_BUFFERS.union(Features::all_experimental_mask());
        let request = wgpu::DeviceDescriptor {
            required_features: adapter.features().difference(left_out),
            required_limits: if least_limits { wgpu::Limits::default() } else { adapter.limits() },
            ..wgpu::DeviceDescriptor::default()
        };
        let (handle, queue) = ready(adapter.request_device(&request)).unwrap_or_else(|error| panic!("{error}"));
        let setup = WgpuSetup { instance, adapter, device: handle.clone(), queue, backend: Backend::Vulkan };
        let device = Device::wgpu_options().setup(setup).init().unwrap_or_else(|error| panic!("{error}"));
        Some(Self { device, handle })
    }
}

/// wgpu's native futures are ready at once.
fn ready<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}
