//! A device and a model on it.

use std::cell::RefCell;
use std::rc::Rc;

use burn::tensor::{Device, TensorData};
use histomask_core::caution::of_scale;
use histomask_core::self_check::{TOLERANCE, difference};
use histomask_core::weights::{StateDict, read_checkpoint};
use histomask_core::{RgbView, Segmenter};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::canvas::GpuCanvas;
use crate::caution;
use crate::console;
use crate::decode::decode;
use crate::device::{self, Opened};
use crate::error::Failure;
use crate::prediction::Prediction;

/// Device, model, and what paints.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Engine {
    opened: Opened,
    canvas: Option<Rc<GpuCanvas>>,
    model: RefCell<Option<Rc<Model>>>,
    /// Whether the GPU must be faster than the CPU to be used.
    measures: bool,
}

#[derive(Debug)]
struct Model {
    segmenter: Segmenter,
    /// For the comparison with the CPU; gone after it.
    weights: RefCell<Option<StateDict>>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens a device: `gpu`, `cpu`, or with `auto` the GPU if there is one that is no software; `measured` is `auto`
    /// where the GPU was found to be faster before. `on_lost` is called with a reason when the GPU is lost.
    ///
    /// # Errors
    ///
    /// With `gpu` if there is none.
    pub async fn open(choice: String, on_lost: js_sys::Function) -> Result<Engine, Failure> {
        console::open();
        let mut opened = device::open(&choice).await?;
        let canvas = opened.gpu.as_ref().and_then(|setup| {
            device::watch(setup, on_lost);
            GpuCanvas::new(setup).ok().filter(|canvas| canvas.works(&opened.device)).map(Rc::new)
        });
        if opened.gpu.is_some() && canvas.is_none() {
            opened.why += " It does not show what is painted there, so the CPU paints.";
        }
        Ok(Self { opened, canvas, model: RefCell::new(None), measures: choice == "auto" })
    }

    /// `gpu` or `cpu`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn device_kind(&self) -> String {
        if self.opened.gpu.is_some() { "gpu" } else { "cpu" }.into()
    }

    /// The adapter's name.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn device_name(&self) -> String {
        self.opened.name.clone()
    }

    /// Why this device, in one sentence.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn device_why(&self) -> String {
        self.opened.why.clone()
    }

    /// Takes up a model from the bytes of a `.safetensors` file and returns its card as JSON.
    ///
    /// # Errors
    ///
    /// If the bytes are no model of ours; the one before stays.
    pub fn load(&self, file: &[u8]) -> Result<String, Failure> {
        let (card, weights) = read_checkpoint(file)?;
        let segmenter = Segmenter::from_checkpoint(card, &weights, &self.opened.device)?;
        let card = serde_json::to_string(segmenter.card()).map_err(|error| Failure::Export(error.to_string()))?;
        let weights = RefCell::new(self.opened.gpu.is_some().then_some(weights));
        *self.model.borrow_mut() = Some(Rc::new(Model { segmenter, weights }));
        Ok(card)
    }

    /// Runs the model once, so that the first image does not wait for shaders; on a GPU its results are compared with
    /// the CPU's, and where `auto` was asked for its time too.
    ///
    /// # Errors
    ///
    /// If the GPU computes something else or is slower, and without a model.
    pub async fn warm_up(&self) -> Result<(), Failure> {
        let model = self.model()?;
        let Some(weights) = model.weights.take() else { return Ok(()) };
        let ours = outputs(&model.segmenter).await?;
        let reference = Segmenter::from_checkpoint(model.segmenter.card().clone(), &weights, &Device::flex())?;
        let worst = difference(&ours, &outputs(&reference).await?);
        if worst > TOLERANCE {
            return Err(Failure::WrongNumbers(worst));
        }
        if self.measures {
            let [gpu, cpu] = [seconds(&model.segmenter).await?, seconds(&reference).await?];
            if gpu > cpu {
                return Err(Failure::SlowGpu { gpu, cpu });
            }
        }
        Ok(())
    }

    /// Why results of images of this size and scale are doubtful, if they are; `mpp` are their microns per pixel, where
    /// they are known.
    ///
    /// # Errors
    ///
    /// Without a model.
    pub fn cautions_of_scale(&self, width: u32, height: u32, mpp: Option<f64>) -> Result<Vec<String>, Failure> {
        let card = self.model()?.segmenter.card().clone();
        Ok(caution::said(of_scale(width as usize, height as usize, mpp, &card)))
    }

    /// Classifies and segments the image in a file's bytes.
    ///
    /// # Errors
    ///
    /// With one message for the user.
    pub async fn predict(&self, file: Vec<u8>) -> Result<Prediction, Failure> {
        let model = self.model()?;
        let (image, notes) = decode(&file)?;
        drop(file);
        let (width, height) = image.dimensions();
        let view = RgbView::new(image.as_raw(), width as usize, height as usize)?;
        let observation = model.segmenter.observe_async(view).await?;
        Ok(Prediction::new(image, notes, observation, model.segmenter.card().clone(), self.canvas.clone()))
    }
}

impl Engine {
    pub(crate) fn device(&self) -> &Device {
        &self.opened.device
    }

    fn model(&self) -> Result<Rc<Model>, Failure> {
        self.model.borrow().clone().ok_or(Failure::NoModel)
    }
}

/// How long an image of a usual size takes, the second time.
async fn seconds(segmenter: &Segmenter) -> Result<f64, Failure> {
    const SIZE: [usize; 2] = [640, 480];
    let waves = (0..3 * SIZE[0] * SIZE[1]).map(|index| (128.0 + 90.0 * (index as f32 * 0.37).sin()) as u8);
    let pixels: Vec<u8> = waves.collect();
    let image = RgbView::new(&pixels, SIZE[0], SIZE[1])?;
    segmenter.observe_async(image).await?;
    let start = js_sys::Date::now();
    segmenter.observe_async(image).await?;
    Ok((js_sys::Date::now() - start) / 1000.0)
}

/// What the model makes of a picture of waves.
async fn outputs(segmenter: &Segmenter) -> Result<Vec<TensorData>, Failure> {
    let outputs = segmenter.trial().execute_async().await;
    Ok(outputs.map_err(|error| histomask_core::Error::Device(error.to_string()))?)
}
