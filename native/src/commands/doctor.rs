use std::fmt::Write as _;

use burn::tensor::wgpu::wgpu::Features;

use crate::console::{Console, Exit};
use crate::device::{Chosen, DeviceChoice, Trial, adapters, choose};

pub(crate) fn run(console: &Console) -> anyhow::Result<Exit> {
    let mut text =
        format!("histomask {} on {} {}\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    writeln!(text, "\ncpu    burn-flex, {cores} threads")?;
    let trial = Trial::embedded()?;

    let adapters = adapters();
    if adapters.is_empty() {
        writeln!(
            text,
            "\nno graphics adapter: no Vulkan, Metal or DX12 driver was found. Everything runs on the CPU."
        )?;
    }
    for (number, adapter) in adapters.iter().enumerate() {
        let info = &adapter.info;
        let limits = &adapter.limits;
        let has = |feature| if adapter.features.contains(feature) { "yes" } else { "no" };
        writeln!(text, "\ngpu:{number}  {} ({:?}, {:?})", info.name, info.device_type, info.backend)?;
        writeln!(text, "       driver: {} {}", info.driver, info.driver_info)?;
        writeln!(
            text,
            "       limits: {} MiB a buffer, {} MiB a binding, {} KiB workgroup memory, {} invocations a workgroup",
            limits.max_buffer_size >> 20,
            limits.max_storage_buffer_binding_size >> 20,
            limits.max_compute_workgroup_storage_size >> 10,
            limits.max_compute_invocations_per_workgroup,
        )?;
        writeln!(text, "       f16: {}, subgroups: {}", has(Features::SHADER_F16), has(Features::SUBGROUP))?;
        let verdict = match choose(DeviceChoice::Adapter(number), || Ok(trial.clone())) {
            Ok(Chosen { check: Some(check), .. }) => {
                let seconds = check.time.as_secs_f64();
                format!("passed with the embedded model (largest difference {:.0e}, {seconds:.1} s)", check.difference)
            }
            Ok(_) => "not needed".to_owned(),
            Err(error) => format!("FAILED: {error}"),
        };
        writeln!(text, "       self-check: {verdict}")?;
        if adapter.is_software() {
            writeln!(text, "       a software adapter: used only with --device gpu:{number}")?;
        }
    }
    let auto = match adapters.iter().position(crate::device::Adapter::is_real_gpu) {
        Some(_) => "--device auto takes the best real GPU that passes its self-check",
        None => "--device auto takes the CPU: there is no real GPU",
    };
    writeln!(text, "\n{auto}")?;
    console.print(text.trim_end())?;
    Ok(Exit::Fine)
}
