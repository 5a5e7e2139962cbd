//! A driver that fails: `tests/vulkan/faults.c`, a layer over the software adapter's, for the real program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use histomask::device::adapters;

use crate::program::Program;

const NAME: &str = "VK_LAYER_histomask_faults";

/// The layer, built.
#[derive(Debug)]
pub struct FailingDriver {
    folder: PathBuf,
    adapter: usize,
}

/// What of the device gives out.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The device is lost.
    Lost,
    /// Its memory is used up.
    Memory,
}

impl FailingDriver {
    /// Builds it into `folder`; `None` after saying what there is not.
    ///
    /// # Panics
    ///
    /// If the C compiler refuses it, or its files cannot be written.
    #[must_use]
    pub fn build(folder: &Path) -> Option<Self> {
        let Some(adapter) = adapters().iter().position(|adapter| adapter.is_software() && adapter.is_vulkan()) else {
            println!("skipped: no software Vulkan adapter (Debian: mesa-vulkan-drivers)");
            return None;
        };
        if !Path::new("/usr/include/vulkan/vk_layer.h").exists() {
            println!("skipped: no headers of Vulkan (Debian: libvulkan-dev)");
            return None;
        }
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/vulkan/faults.c");
        let options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", source, "-o"];
        let built = Command::new("cc").args(options).arg(folder.join("libfaults.so")).status();
        assert!(built.is_ok_and(|status| status.success()), "{source} does not compile");
        let manifest = serde_json::json!({ "file_format_version": "1.0.0", "layer": {
            "name": NAME, "type": "GLOBAL", "library_path": "./libfaults.so", "api_version": "1.3.0",
            "implementation_version": "1", "description": "fails as drivers do",
        }});
        let written = std::fs::write(folder.join("faults.json"), manifest.to_string());
        written.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Some(Self { folder: folder.to_owned(), adapter })
    }

    /// `program` on the adapter, which fails so as soon as the program has written the file `when` so many `times`.
    #[must_use]
    pub fn under(&self, program: Program, fault: Fault, when: &Path, times: usize) -> Program {
        let fault = match fault {
            Fault::Lost => "lost",
            Fault::Memory => "memory",
        };
        program
            .with("--device", format!("gpu:{}", self.adapter))
            .env("VK_LAYER_PATH", &self.folder)
            .env("VK_INSTANCE_LAYERS", NAME)
            .env("FAULT", fault)
            .env("FAULT_WHEN", when)
            .env("FAULT_TIMES", times.to_string())
            .env("CUBECL_AUTOTUNE_LEVEL", "minimal")
            // a software adapter compiles kernels for long where others compute
            .within(Duration::from_secs(600))
    }
}
