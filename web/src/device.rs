//! WebGPU or the CPU, and why.

use burn::tensor::Device;
use cubecl::wgpu::WgpuSetup;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::error::Failure;

/// An opened device.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) device: Device,
    /// What paints on it; absent on the CPU.
    pub(crate) gpu: Option<WgpuSetup>,
    /// The adapter's name.
    pub(crate) name: String,
    /// One sentence for the user.
    pub(crate) why: String,
}

/// Opens `gpu`, `cpu`, or with `auto` the GPU if there is one.
pub(crate) async fn open(choice: &str) -> Result<Opened, Failure> {
    match choice {
        "cpu" => Ok(cpu("The CPU was chosen.".into())),
        "gpu" => gpu().await.ok_or(Failure::NoWebGpu),
        "auto" => Ok(gpu()
            .await
            .unwrap_or_else(|| cpu("This browser offers no WebGPU adapter, so the CPU does the work.".into()))),
        other => Err(Failure::NoSuchDevice(other.into())),
    }
}

fn cpu(why: String) -> Opened {
    Opened { device: Device::flex(), gpu: None, name: "CPU (WebAssembly SIMD)".into(), why }
}

async fn gpu() -> Option<Opened> {
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.inspect_err(|error| log::warn!("no WebGPU: {error}")).ok()?;
    let name = adapter_name().await.unwrap_or_else(|| "WebGPU".into());
    Some(Opened { device, gpu: Some(setup), name, why: "This browser's WebGPU does the work.".into() })
}

/// What the browser tells of its adapter: a description, or vendor and architecture.
async fn adapter_name() -> Option<String> {
    // WebGPU's own types are not in web-sys unless it is compiled with a flag
    let get = |of: &JsValue, key: &str| Reflect::get(of, &key.into()).ok().filter(|value| !value.is_undefined());
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let adapter: Promise = request.call0(&gpu).ok()?.dyn_into().ok()?;
    let info = get(&JsFuture::from(adapter).await.ok()?, "info")?;
    let text = |key: &str| get(&info, key)?.as_string().filter(|text| !text.is_empty());
    let parts: Vec<_> = [text("vendor"), text("architecture")].into_iter().flatten().collect();
    text("description").or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
}

/// Calls `on_lost` with a reason when the device is lost, beside what cubecl does then.
pub(crate) fn watch(setup: &WgpuSetup, on_lost: Function) {
    setup.device.set_device_lost_callback(move |_, message| {
        // a listener that throws is the page's affair
        let _ = on_lost.call1(&JsValue::NULL, &message.into());
    });
}
