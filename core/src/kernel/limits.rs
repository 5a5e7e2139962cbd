use burn::tensor::Device;
use histomask_shaders::{LimitError, Limits};

/// The limits of the adapter behind a device; `None` for the CPU, which has memory alone.
#[must_use]
pub fn limits(device: &Device) -> Option<Limits> {
    match device.clone().inner().as_dispatch() {
        #[cfg(feature = "wgsl")]
        burn::backend::DispatchDevice::Cube(device) => Some(of_client(&device.client())),
        _ => None,
    }
}

#[cfg(feature = "wgsl")]
pub(super) fn of_client(client: &cubecl::client::Client) -> Limits {
    let properties = client.properties();
    Limits {
        binding_bytes: properties.memory.max_page_size,
        workgroups_per_dimension: properties.hardware.max_cube_count.0,
    }
}

/// Checks that one pass of a network fits an adapter's buffers: `images` of `[H, W]` through a backbone whose largest
/// feature map holds `values_per_pixel` 32-bit values per pixel of the image.
///
/// # Errors
///
/// [`LimitError::Binding`] with the adapter's limit.
pub fn check_pass(
    limits: Limits,
    values_per_pixel: usize,
    images: usize,
    [height, width]: [usize; 2],
) -> Result<(), LimitError> {
    let sizes = [4, values_per_pixel.max(3), images, height, width].map(|size| size as u64);
    let bytes = sizes.into_iter().fold(1_u64, u64::saturating_mul);
    limits.check_binding("the network's largest feature map", bytes)
}
