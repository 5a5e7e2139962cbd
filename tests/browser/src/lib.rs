//! The WGSL kernels in a browser tab, on burn's WebGPU device, against their twins on burn's CPU device in the same
//! tab. `run.mjs` drives it; on other targets the crate is empty.

#![cfg(target_family = "wasm")]

mod chain;
mod compare;
mod conv;
mod mask;
mod picture;

use burn::tensor::Device;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;

use self::compare::{Comparison, Failure};

/// What can be run, by name.
const CHECKS: [&str; 6] = ["soft_mask", "mask_images", "chain", "model_input", "overlay", "convolutions"];

/// The two devices of a tab.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Tab {
    gpu: Device,
    cpu: Device,
}

/// A check that found no difference above its tolerance.
#[wasm_bindgen(getter_with_clone)]
#[derive(Debug)]
pub struct Passed {
    /// The largest difference of each kind.
    pub differences: String,
    /// Tensors read back from the GPU.
    pub reads: u32,
}

#[wasm_bindgen]
impl Tab {
    /// Requests burn's device from the browser.
    ///
    /// # Errors
    ///
    /// If the browser has no WebGPU adapter.
    pub async fn open() -> Result<Tab, JsError> {
        histomask_web::console::open();
        let gpu = Device::wgpu_options().init_async().await?;
        Ok(Self { gpu, cpu: Device::flex() })
    }

    /// Names for [`Tab::run`].
    #[must_use]
    pub fn checks() -> Vec<String> {
        CHECKS.map(String::from).to_vec()
    }

    /// Runs one check.
    ///
    /// # Errors
    ///
    /// The differences above their tolerances.
    pub async fn run(&self, check: &str) -> Result<Passed, JsError> {
        let mut comparison = Comparison::default();
        match check {
            "soft_mask" => mask::soft_masks(self, &mut comparison).await?,
            "mask_images" => mask::masked_images(self, &mut comparison).await?,
            "chain" => chain::between_burn_operations(self, &mut comparison).await?,
            "model_input" => picture::inputs(self, &mut comparison).await?,
            "overlay" => picture::overlays(self, &mut comparison).await?,
            "convolutions" => conv::convolutions(self, &mut comparison).await?,
            _ => return Err(Failure(format!("no check named {check}")).into()),
        }
        Ok(comparison.finish()?)
    }
}
