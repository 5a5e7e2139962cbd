//! Painted pixels as an `ImageBitmap`, which the page shows as it is.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use cubecl::wgpu::wgpu::{
    CommandEncoderDescriptor, CompositeAlphaMode, CurrentSurfaceTexture, Extent3d, Origin3d, PresentMode, Surface,
    SurfaceColorSpace, SurfaceConfiguration, SurfaceTarget, TexelCopyBufferInfo, TexelCopyBufferLayout,
    TexelCopyTextureInfo, TextureAspect, TextureFormat, TextureUsages,
};
use cubecl::wgpu::{AutoCompiler, WgpuServer, WgpuSetup};
use wasm_bindgen::{Clamped, JsCast as _, JsValue};
use web_sys::{ImageBitmap, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d};

use crate::error::Failure;

/// Pixels between rows of a buffer that is copied to a texture: WebGPU wants multiples of 256 bytes.
pub(crate) const ROW_ALIGNMENT: usize = 64;

/// A canvas on burn's own device.
#[derive(Debug)]
pub(crate) struct GpuCanvas {
    canvas: OffscreenCanvas,
    surface: Surface<'static>,
    setup: WgpuSetup,
}

impl GpuCanvas {
    pub(crate) fn new(setup: &WgpuSetup) -> Result<Self, Failure> {
        let canvas = OffscreenCanvas::new(1, 1).map_err(refused)?;
        let surface = setup
            .instance
            .create_surface(SurfaceTarget::OffscreenCanvas(canvas.clone()))
            .map_err(|error| Failure::Canvas(error.to_string()))?;
        Ok(Self { canvas, surface, setup: setup.clone() })
    }

    /// Whether what is painted can be seen: some browsers without a display leave the canvas blank and do not say so.
    pub(crate) fn works(&self, device: &Device) -> bool {
        let (side, red) = (ROW_ALIGNMENT, [255, 0, 0, 255]);
        let color = u32::from_le_bytes(red);
        let pixels = TensorData::new(vec![color; side * side], [side, side]);
        let bitmap = self.show(Tensor::from_data(pixels, (device, DType::U32)), side as u32);
        bitmap.and_then(|bitmap| pixel(&bitmap)).is_ok_and(|seen| seen == red)
    }

    /// Pixels `[H, row_stride]` of the GPU, of which `width` a row are shown. They never leave it.
    pub(crate) fn show(&self, pixels: Tensor<2, Int>, width: u32) -> Result<ImageBitmap, Failure> {
        let broken = |error: String| Failure::Canvas(error);
        let [height, row_stride] = pixels.dims().map(|side| side as u32);
        let pixels =
            into_contiguous(pixels.try_into_primitive::<CubeBackend>().map_err(|error| broken(format!("{error:?}")))?);
        // burn's queued kernels come first
        pixels.client.flush().map_err(|error| broken(error.to_string()))?;
        let buffer = pixels
            .client
            .get_resource::<WgpuServer<AutoCompiler>>(pixels.handle.clone())
            .map_err(|error| broken(error.to_string()))?;
        let buffer = buffer.resource();

        self.surface.configure(
            &self.setup.device,
            &SurfaceConfiguration {
                usage: TextureUsages::COPY_DST,
                format: TextureFormat::Rgba8Unorm,
                color_space: SurfaceColorSpace::Auto,
                width,
                height,
                present_mode: PresentMode::Fifo,
                desired_maximum_frame_latency: 2,
                alpha_mode: CompositeAlphaMode::Opaque,
                view_formats: vec![],
            },
        );
        let texture = match self.surface.get_current_texture() {
            CurrentSurfaceTexture::Success(texture) | CurrentSurfaceTexture::Suboptimal(texture) => texture,
            other => return Err(broken(format!("{other:?}"))),
        };
        let mut encoder = self.setup.device.create_command_encoder(&CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_texture(
            TexelCopyBufferInfo {
                buffer: &buffer.buffer,
                layout: TexelCopyBufferLayout {
                    offset: buffer.offset,
                    bytes_per_row: Some(4 * row_stride),
                    rows_per_image: Some(height),
                },
            },
            TexelCopyTextureInfo {
                texture: &texture.texture,
                mip_level: 0,
                origin: Origin3d::ZERO,
                aspect: TextureAspect::All,
            },
            Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.setup.queue.submit([encoder.finish()]);
        let bitmap = self.canvas.transfer_to_image_bitmap().map_err(refused);
        self.setup.queue.present(texture);
        bitmap
    }
}

/// RGBA pixels of memory, 4 bytes each.
pub(crate) fn show(pixels: &[u8], width: u32, height: u32) -> Result<ImageBitmap, Failure> {
    let (canvas, context) = plain_canvas(width, height)?;
    let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(pixels), width, height).map_err(refused)?;
    context.put_image_data(&image, 0.0, 0.0).map_err(refused)?;
    canvas.transfer_to_image_bitmap().map_err(refused)
}

/// RGBA of a bitmap's first pixel.
fn pixel(bitmap: &ImageBitmap) -> Result<[u8; 4], Failure> {
    let (_, context) = plain_canvas(1, 1)?;
    context.draw_image_with_image_bitmap(bitmap, 0.0, 0.0).map_err(refused)?;
    let seen = context.get_image_data(0.0, 0.0, 1.0, 1.0).map_err(refused)?.data().0;
    seen.first_chunk().copied().ok_or_else(|| Failure::Canvas("a pixel has four bytes".into()))
}

fn plain_canvas(width: u32, height: u32) -> Result<(OffscreenCanvas, OffscreenCanvasRenderingContext2d), Failure> {
    let canvas = OffscreenCanvas::new(width, height).map_err(refused)?;
    let context = canvas
        .get_context("2d")
        .map_err(refused)?
        .and_then(|context| context.dyn_into::<OffscreenCanvasRenderingContext2d>().ok())
        .ok_or_else(|| Failure::Canvas("there is no 2D context".into()))?;
    Ok((canvas, context))
}

fn refused(error: JsValue) -> Failure {
    let text = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    Failure::Canvas(text.unwrap_or_else(|| format!("{error:?}")))
}
