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
    /// Whether the adapter computes on the CPU.
    pub(crate) software: bool,
    /// One sentence for the user.
    pub(crate) why: String,
}

/// Opens `gpu`, `cpu`, or with `auto` and `measured` the GPU if there is one that is no software.
pub(crate) async fn open(choice: &str) -> Result<Opened, Failure> {
    match choice {
        "cpu" => Ok(cpu("The CPU was chosen.".into())),
        "gpu" => gpu().await.ok_or(Failure::NoWebGpu),
        "auto" | "measured" => Ok(match gpu().await {
            None => cpu("This browser offers no WebGPU adapter, so the CPU does the work.".into()),
            Some(opened) if opened.software => {
                cpu("This browser's WebGPU adapter is software, so the CPU does the work itself.".into())
            }
            Some(opened) => opened,
        }),
        other => Err(Failure::NoSuchDevice(other.into())),
    }
}

fn cpu(why: String) -> Opened {
    Opened { device: Device::flex(), gpu: None, name: "CPU (WebAssembly SIMD)".into(), software: false, why }
}

async fn gpu() -> Option<Opened> {
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.inspect_err(|error| log::warn!("no WebGPU: {error}")).ok()?;
    let Adapter { name, software } = adapter().await.unwrap_or_default();
    let name = name.unwrap_or_else(|| "WebGPU".into());
    Some(Opened { device, gpu: Some(setup), name, software, why: "This browser's WebGPU does the work.".into() })
}

/// What the browser tells of its adapter.
#[derive(Debug, Default)]
struct Adapter {
    /// A description, or vendor and architecture.
    name: Option<String>,
    software: bool,
}

/// Names of adapters that compute on the CPU, in lower case.
const SOFTWARE: [&str; 4] = ["swiftshader", "llvmpipe", "lavapipe", "basic render"];

async fn adapter() -> Option<Adapter> {
    // WebGPU's own types are not in web-sys unless it is compiled with a flag
    let get = |of: &JsValue, key: &str| Reflect::get(of, &key.into()).ok().filter(|value| !value.is_undefined());
    let gpu = get(&get(&js_sys::global(), "navigator")?, "gpu")?;
    let request: Function = get(&gpu, "requestAdapter")?.dyn_into().ok()?;
    let adapter: Promise = request.call0(&gpu).ok()?.dyn_into().ok()?;
    let info = get(&JsFuture::from(adapter).await.ok()?, "info")?;
    let text = |key: &str| get(&info, key)?.as_string().filter(|text| !text.is_empty());
    let parts: Vec<_> = [text("vendor"), text("architecture")].into_iter().flatten().collect();
    let fallback = get(&info, "isFallbackAdapter").is_some_and(|fallback| fallback.is_truthy());
    let all = parts.iter().cloned().chain(text("description")).collect::<Vec<_>>().join(" ").to_lowercase();
    let software = fallback || SOFTWARE.iter().any(|name| all.contains(name));
    Some(Adapter { name: text("description").or_else(|| (!parts.is_empty()).then(|| parts.join(" "))), software })
}

/// Calls `on_lost` with a reason when the device is lost, beside what cubecl does then.
pub(crate) fn watch(setup: &WgpuSetup, on_lost: Function) {
    setup.device.set_device_lost_callback(move |_, message| {
        // a listener that throws is the page's affair
        let _ = on_lost.call1(&JsValue::NULL, &message.into());
    });
}
