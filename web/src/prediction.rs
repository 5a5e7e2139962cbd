//! What the model says of one image, and its pictures.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use histomask_core::caution::of_content;
use histomask_core::kernel::{OverlaySpec, overlay, pixels};
use histomask_core::picture_file::PictureNotes;
use histomask_core::shaders::colormap::{Colormap, packed};
use histomask_core::shaders::{OverlayParams, edge_thickness};
use histomask_core::{ModelCard, Observation, RgbView, shaders};
use image::RgbImage;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::ImageBitmap;

use crate::canvas::{self, GpuCanvas, ROW_ALIGNMENT};
use crate::caution;
use crate::decode::decode;
use crate::error::Failure;
use crate::export;

/// Class, mask and pictures of one image.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Prediction {
    /// Absent while it rests.
    image: RefCell<Option<Rc<RgbImage>>>,
    notes: PictureNotes,
    observation: Observation,
    card: ModelCard,
    /// Where the GPU paints; absent on the CPU.
    canvas: Option<Rc<GpuCanvas>>,
    shown: RefCell<Shown>,
}

/// The mask that was asked for, made when it is needed.
#[derive(Debug, Default)]
struct Shown {
    class: Option<usize>,
    mask: OnceCell<Rc<[f32]>>,
    on_gpu: OnceCell<(Tensor<2, Int>, Tensor<2>)>,
}

/// How it is painted.
#[derive(Clone, Copy, Debug)]
struct Style {
    threshold: f32,
    opacity: f32,
    colors: Colormap,
    contour: bool,
}

impl Style {
    fn new(threshold: f32, opacity: f32, colormap: &str, contour: bool) -> Self {
        let colors = if colormap == "cividis" { Colormap::Cividis } else { Colormap::Viridis };
        Self { threshold, opacity, colors, contour }
    }
}

impl Prediction {
    pub(crate) fn new(
        image: RgbImage,
        notes: PictureNotes,
        observation: Observation,
        card: ModelCard,
        canvas: Option<Rc<GpuCanvas>>,
    ) -> Self {
        let image = RefCell::new(Some(Rc::new(image)));
        Self { image, notes, observation, card, canvas, shown: RefCell::default() }
    }

    fn image(&self) -> Result<Rc<RgbImage>, Failure> {
        self.image.borrow().clone().ok_or(Failure::Resting)
    }

    fn mask(&self) -> Result<Rc<[f32]>, Failure> {
        let shown = self.shown.borrow();
        if let Some(mask) = shown.mask.get() {
            return Ok(mask.clone());
        }
        let mask: Rc<[f32]> = self.observation.mask(shown.class)?.into();
        Ok(shown.mask.get_or_init(|| mask).clone())
    }

    /// RGBA of every pixel, red in the lowest byte.
    fn rgba(&self) -> Result<Vec<u32>, Failure> {
        let image = self.image()?;
        Ok(image.pixels().map(|pixel| u32::from_le_bytes([pixel[0], pixel[1], pixel[2], u8::MAX])).collect())
    }

    /// Image and mask on the GPU.
    fn on_gpu(&self) -> Result<(Tensor<2, Int>, Tensor<2>), Failure> {
        let shown = self.shown.borrow();
        if let Some(tensors) = shown.on_gpu.get() {
            return Ok(tensors.clone());
        }
        let mask = self.observation.mask_on_device(shown.class)?;
        let image = pixels(self.rgba()?, mask.dims(), &mask.device())?;
        Ok(shown.on_gpu.get_or_init(|| (image, mask)).clone())
    }

    fn paint_on_gpu(&self, canvas: &GpuCanvas, style: Style) -> Result<ImageBitmap, Failure> {
        let (image, mask) = self.on_gpu()?;
        let (width, height) = (self.width(), self.height());
        let spec = OverlaySpec {
            threshold: style.threshold,
            opacity: style.opacity,
            contour: style.contour,
            thickness: edge_thickness(width, height),
            row_stride: (width as usize).next_multiple_of(ROW_ALIGNMENT),
        };
        let colors = colors(style.colors, &mask.device());
        canvas.show(overlay(image, mask, None, colors, spec)?, width)
    }

    fn painted(&self, style: Style) -> Result<Vec<u8>, Failure> {
        let (width, height) = (self.width(), self.height());
        let params = OverlayParams {
            height,
            width,
            row_stride: width,
            has_truth: 0,
            contour: style.contour.into(),
            thickness: edge_thickness(width, height),
            threshold: style.threshold,
            opacity: style.opacity.clamp(0.0, 1.0),
        };
        let rgba = self.rgba()?;
        let mut painted = vec![0; rgba.len()];
        shaders::overlay(&params, &rgba, &self.mask()?, &[], &packed(style.colors), &mut painted);
        Ok(painted.into_iter().flat_map(u32::to_le_bytes).collect())
    }
}

fn colors(map: Colormap, device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(packed(map), [256]), (device, DType::U32))
}

#[wasm_bindgen]
impl Prediction {
    /// Width of the image in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn width(&self) -> u32 {
        self.observation.width as u32
    }

    /// Height of the image in pixels.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn height(&self) -> u32 {
        self.observation.height as u32
    }

    /// Index of the most probable class, of methods that name one.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn class_index(&self) -> Option<usize> {
        self.observation.class
    }

    /// Posterior of every class; empty for methods that name none.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn probabilities(&self) -> Vec<f32> {
        self.observation.probabilities.clone()
    }

    /// Entropy of the classifier on the background over its maximum, in `[0, 1]`, of models that have it.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn background_uncertainty(&self) -> Option<f32> {
        self.observation.background_uncertainty
    }

    /// Whether the mask depends on the class that is chosen.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn masks_by_class(&self) -> bool {
        self.card.model.method.masks_by_class()
    }

    /// Bytes that it takes while it rests.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn resting_bytes(&self) -> usize {
        8 * self.observation.map_values()
    }

    /// Lets go of image and mask; what the network said stays, so that [`Prediction::wake`] need not ask it again.
    pub fn rest(&self) {
        self.image.replace(None);
        let class = self.shown.borrow().class;
        self.choose(class);
    }

    /// Takes the image up again.
    ///
    /// # Errors
    ///
    /// As decoding; also if it is no longer the same size.
    pub fn wake(&self, file: &[u8]) -> Result<(), Failure> {
        let (image, _) = decode(file)?;
        if image.dimensions() != (self.width(), self.height()) {
            return Err(Failure::Changed);
        }
        self.image.replace(Some(Rc::new(image)));
        Ok(())
    }

    /// Microns per pixel, where the file says so.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn mpp(&self) -> Option<f64> {
        self.notes.mpp
    }

    /// Why the result is doubtful, by the image's pixels: sentences, each behind its few words for a table.
    ///
    /// # Errors
    ///
    /// If the image rests.
    pub fn cautions(&self) -> Result<Vec<String>, Failure> {
        let image = self.image()?;
        let view = RgbView::new(image.as_raw(), self.observation.width, self.observation.height)?;
        Ok(caution::said(of_content(view, self.notes.unused_bits.is_some())))
    }

    /// From now on the mask of this class, or without one of the predicted class.
    pub fn choose(&self, class: Option<usize>) {
        *self.shown.borrow_mut() = Shown { class, ..Shown::default() };
    }

    /// The mask painted over the image, by whichever device predicted it.
    ///
    /// # Errors
    ///
    /// If the device or the browser refuses.
    pub async fn paint(
        &self,
        threshold: f32,
        opacity: f32,
        colormap: String,
        contour: bool,
    ) -> Result<ImageBitmap, Failure> {
        let style = Style::new(threshold, opacity, &colormap, contour);
        match &self.canvas {
            Some(canvas) => self.paint_on_gpu(canvas, style),
            None => canvas::show(&self.painted(style)?, self.width(), self.height()),
        }
    }

    /// Black where the mask is below the threshold, clear where it is not.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist or the browser refuses.
    pub fn veil(&self, threshold: f32) -> Result<ImageBitmap, Failure> {
        let outside = |&value: &f32| if value >= threshold { 0 } else { u8::MAX };
        let pixels: Vec<u8> = self.mask()?.iter().flat_map(|value| [0, 0, 0, outside(value)]).collect();
        canvas::show(&pixels, self.width(), self.height())
    }

    /// The soft mask at a pixel, in `[0, 1]`; not a number outside of the image.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn value(&self, x: u32, y: u32) -> Result<f32, Failure> {
        let inside = x < self.width() && y < self.height();
        let at = y as usize * self.width() as usize + x as usize;
        Ok(self.mask()?.get(at).copied().filter(|_| inside).unwrap_or(f32::NAN))
    }

    /// The soft mask of all pixels, row by row, each in `[0, 1]`.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn soft(&self) -> Result<Vec<f32>, Failure> {
        Ok(self.mask()?.to_vec())
    }

    /// Pixels at or above the threshold.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn foreground(&self, threshold: f32) -> Result<u32, Failure> {
        Ok(self.mask()?.iter().filter(|&&value| value >= threshold).count() as u32)
    }

    /// PNG: 255 at or above the threshold, 0 below.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn mask_png(&self, threshold: f32) -> Result<Vec<u8>, Failure> {
        export::mask_png(&self.mask()?, self.width(), self.height(), threshold)
    }

    /// PNG of 16-bit grey: 65535 where the soft mask is 1.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn soft_png(&self) -> Result<Vec<u8>, Failure> {
        export::soft_png(&self.mask()?, self.width(), self.height())
    }

    /// PNG of what [`Prediction::paint`] shows, painted on the CPU, with the outside darkened by `dim`, 0 to 1.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn overlay_png(
        &self,
        threshold: f32,
        opacity: f32,
        colormap: &str,
        contour: bool,
        dim: f32,
    ) -> Result<Vec<u8>, Failure> {
        let mut painted = self.painted(Style::new(threshold, opacity, colormap, contour))?;
        if dim > 0.0 {
            for (pixel, &value) in painted.as_chunks_mut::<4>().0.iter_mut().zip(self.mask()?.iter()) {
                if value < threshold {
                    pixel.iter_mut().take(3).for_each(|level| *level = (f32::from(*level) * (1.0 - dim)).round() as u8);
                }
            }
        }
        export::overlay_png(&painted, self.width(), self.height())
    }

    /// The foreground's outlines as GeoJSON for QuPath, in pixels.
    ///
    /// # Errors
    ///
    /// If the chosen class does not exist.
    pub fn geojson(&self, threshold: f32, class_name: &str) -> Result<String, Failure> {
        let (width, height) = (self.width() as usize, self.height() as usize);
        Ok(histomask_core::outline::geojson(&self.mask()?, width, height, threshold, class_name))
    }
}
