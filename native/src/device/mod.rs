//! Which device does the arithmetic: a real GPU through Vulkan, Metal or DX12, or the CPU.

mod self_check;

use std::fmt;
use std::str::FromStr;

use burn::tensor::DeviceKind;
use burn::tensor::wgpu::{WgpuBackend, wgpu};
use histomask_core::Device;
use histomask_core::kernel::tune_by_time;
use wgpu::{Backend, Backends, DeviceType};

pub use self::self_check::{SelfCheck, SelfCheckError, Trial, self_check};

/// What the user asked for with `--device`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A real GPU if there is one that computes correctly, else the CPU.
    Auto,
    /// The best real GPU, or an error.
    Gpu,
    /// The adapter with this number in `histomask doctor`, software adapters included.
    Adapter(usize),
    /// The CPU, in pure Rust.
    Cpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => match text.strip_prefix("gpu:").and_then(|number| number.parse().ok()) {
                Some(number) => Ok(Self::Adapter(number)),
                None => Err(format!(
                    "{text:?} is no device; use auto, cpu, gpu or gpu:N (N as listed by `histomask doctor`)"
                )),
            },
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Adapter(number) => write!(f, "gpu:{number}"),
            Self::Cpu => f.write_str("cpu"),
        }
    }
}

/// The device asked for cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No real GPU.
    #[error("no GPU found{0}; use --device cpu, or install a Vulkan driver (`histomask doctor` shows what is there)")]
    NoGpu(String),
    /// No adapter of that number.
    #[error("there is no adapter {asked}; {}", available(*.count))]
    NoAdapter {
        /// The number asked for.
        asked: usize,
        /// How many there are.
        count: usize,
    },
    /// OpenGL only.
    #[error("adapter {0} speaks OpenGL only, where bilinear interpolation is wrong; use --device cpu")]
    OpenGl(usize),
    /// The driver refused.
    #[error("{name} could not be opened: {reason}; use --device cpu")]
    Refused {
        /// The adapter.
        name: String,
        /// The driver's words.
        reason: String,
    },
}

fn available(count: usize) -> String {
    match count {
        0 => "no adapter was found at all".into(),
        1 => "the only one is gpu:0".into(),
        _ => format!("they are gpu:0 to gpu:{}", count - 1),
    }
}

/// A graphics adapter of this machine.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// What the driver says of itself.
    pub info: wgpu::AdapterInfo,
    /// Its limits.
    pub limits: wgpu::Limits,
    /// Its optional features.
    pub features: wgpu::Features,
    kind: DeviceKind,
}

impl Adapter {
    /// Whether it computes on the CPU (lavapipe, SwiftShader, WARP).
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.info.device_type == DeviceType::Cpu
    }

    /// Whether it is reached through Vulkan.
    #[must_use]
    pub fn is_vulkan(&self) -> bool {
        self.info.backend == Backend::Vulkan
    }

    /// Whether it is hardware that burn's kernels run correctly on as far as its kind tells.
    #[must_use]
    pub fn is_real_gpu(&self) -> bool {
        let kinds = [DeviceType::DiscreteGpu, DeviceType::IntegratedGpu, DeviceType::VirtualGpu];
        kinds.contains(&self.info.device_type) && self.info.backend != Backend::Gl
    }

    fn open(&self, number: usize) -> Result<Device, DeviceError> {
        let api = match self.info.backend {
            Backend::Vulkan => WgpuBackend::Vulkan,
            Backend::Metal => WgpuBackend::Metal,
            Backend::Dx12 => WgpuBackend::Dx12,
            _ => return Err(DeviceError::OpenGl(number)),
        };
        let device = Device::wgpu_options()
            .device_kind(self.kind.clone())
            .graphics_api(api)
            .init()
            .map_err(|error| DeviceError::Refused { name: self.info.name.clone(), reason: error.to_string() })?;
        tune_by_time(&device);
        Ok(device)
    }
}

/// All adapters, in the order in which `gpu:N` counts them. No loader or driver at all is an empty list.
#[must_use]
pub fn adapters() -> Vec<Adapter> {
    let mut found = Vec::new();
    // not OpenGL: bilinear interpolation is wrong there, and without a display its loader prints errors of its own
    for backends in [Backends::VULKAN, Backends::METAL, Backends::DX12] {
        let descriptor =
            wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
        let instance = wgpu::Instance::new(descriptor);
        // burn counts each kind of adapter from zero within one graphics API
        let mut counts = [0; 3];
        for adapter in block_on(instance.enumerate_adapters(backends)) {
            let info = adapter.get_info();
            let mut next = |kind: usize| {
                counts[kind] += 1;
                counts[kind] - 1
            };
            let kind = match info.device_type {
                DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(next(0)),
                DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(next(1)),
                DeviceType::VirtualGpu => DeviceKind::VirtualGpu(next(2)),
                DeviceType::Cpu => DeviceKind::Cpu,
                DeviceType::Other => DeviceKind::DefaultDevice,
            };
            found.push(Adapter { limits: adapter.limits(), features: adapter.features(), info, kind });
        }
    }
    found
}

/// A device ready for tensors, and one line that says which and why.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// The device.
    pub device: Device,
    /// Its name for reports.
    pub name: String,
    /// Why it was chosen.
    pub why: String,
    /// Whether it is the CPU backend, which computes bit for bit the same every time.
    pub is_cpu: bool,
    /// What its self-check saw; the CPU is what others are compared with.
    pub check: Option<SelfCheck>,
}

/// Opens the device asked for. Any but the CPU has to compute what the CPU does with the model of `trial`, which is
/// asked for only then.
///
/// # Errors
///
/// [`DeviceError`] unless the choice is `auto` or `cpu`, which always succeed.
pub fn choose(
    choice: DeviceChoice,
    trial: impl FnOnce() -> Result<Trial, histomask_core::Error>,
) -> Result<Chosen, DeviceError> {
    if choice == DeviceChoice::Cpu {
        return Ok(cpu("asked for"));
    }
    let adapters = adapters();
    let numbered = match choice {
        DeviceChoice::Adapter(number) => {
            let adapter =
                adapters.get(number).ok_or(DeviceError::NoAdapter { asked: number, count: adapters.len() })?;
            Some((number, adapter))
        }
        _ => best(&adapters),
    };
    let Some((number, adapter)) = numbered else {
        let software = adapters.iter().filter(|adapter| adapter.is_software()).count();
        let note = if software > 0 {
            format!(" ({software} software adapters are used only when named)")
        } else {
            String::new()
        };
        return match choice {
            DeviceChoice::Auto => Ok(cpu(&format!("no GPU found{note}"))),
            _ => Err(DeviceError::NoGpu(note)),
        };
    };
    let opened = adapter.open(number).map(|device| {
        let check = trial().map_err(SelfCheckError::from).and_then(|trial| self_check(&device, &trial));
        (check, device)
    });
    let name = format!("{} ({:?})", adapter.info.name, adapter.info.backend);
    match (opened, choice) {
        (Ok((Ok(check), device)), _) => {
            let why = if choice == DeviceChoice::Auto { "a GPU that passed its self-check" } else { "asked for" };
            Ok(Chosen { device, why: why.into(), name, is_cpu: false, check: Some(check) })
        }
        (Ok((Err(failure), _)), DeviceChoice::Auto) => Ok(cpu(&format!("{name} failed its self-check: {failure}"))),
        (Err(error), DeviceChoice::Auto) => Ok(cpu(&error.to_string())),
        (Ok((Err(failure), _)), _) => Err(DeviceError::Refused { name, reason: failure.to_string() }),
        (Err(error), _) => Err(error),
    }
}

fn cpu(why: &str) -> Chosen {
    Chosen { device: Device::flex(), name: "CPU (burn-flex)".into(), why: why.into(), is_cpu: true, check: None }
}

/// Discrete before integrated before virtual, the first of its kind.
fn best(adapters: &[Adapter]) -> Option<(usize, &Adapter)> {
    let rank = |adapter: &Adapter| match adapter.info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        _ => 2,
    };
    adapters.iter().enumerate().filter(|(_, adapter)| adapter.is_real_gpu()).min_by_key(|(_, adapter)| rank(adapter))
}

/// wgpu's native futures are ready at once; this drives them without an async runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_names_round_trip_and_wrong_ones_say_what_is_right() {
        for name in ["auto", "gpu", "gpu:3", "cpu"] {
            assert_eq!(name.parse::<DeviceChoice>().map(|choice| choice.to_string()), Ok(name.to_owned()));
        }
        let error = "cuda".parse::<DeviceChoice>().err().unwrap_or_default();
        assert!(error.contains("gpu:N"), "{error}");
    }
}
