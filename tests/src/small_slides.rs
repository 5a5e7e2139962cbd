//! Small slides that tests write, and models to predict them with.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::program::Program;
use crate::pyramid::{Page, tiff};
use crate::tiny;

/// Aperio's words for a scale of 0.5 µm.
#[must_use]
pub fn aperio(width: u32, height: u32) -> String {
    format!("Aperio Image Library v1\r\n{width}x{height}|AppMag = 20|MPP = 0.5000")
}

/// Purple rings in pink tissue on the left two thirds, glass on the right.
pub fn tissue(width: u32) -> impl Fn(u32, u32) -> [u8; 3] {
    move |x, y| {
        let ring = (f64::from(x % 90) - 45.0).hypot(f64::from(y % 90) - 45.0);
        match (x, ring) {
            (x, _) if x > width * 2 / 3 => [243, 242, 244],
            (_, 12.0..28.0) => [95, 50, 130],
            _ => [225, 160, 200],
        }
    }
}

/// A slide of one level in tiles of 64, 0.5 µm per pixel.
#[must_use]
pub fn slide(width: u32, height: u32) -> Vec<u8> {
    let page = Page { description: aperio(width, height), ..Page::new(width, height, 64, tissue(width)) };
    tiff(&[page], false)
}

/// Two models in a folder that a test binary's tests share ([`tiny::shared_folder`]): one trained at 1 µm, and one whose
/// network sees further than a window.
#[must_use]
pub fn models(temporary: &str, name: &str) -> &'static [PathBuf; 2] {
    static MODELS: OnceLock<[PathBuf; 2]> = OnceLock::new();
    MODELS.get_or_init(|| {
        let folder = tiny::shared_folder(temporary, name);
        let data = tiny::data_set(&folder, 4);
        let train = |name: &str, more: &[&str]| {
            let run = folder.join(name);
            let _ = tiny::train(&data, &run, 1).with("--data.mpp", "1.0").args(more).run().exits(0);
            run.join("best.safetensors")
        };
        let cut = ["--model.backbone-blocks", "3", "--model.backbone-channels", "16", "--model.mask.prior", "0.3"];
        [train("cut", &[&cut[..], &["--model.mask.tissue", "true"]].concat()), train("whole", &[])]
    })
}

/// The program on these inputs, on the CPU.
#[must_use]
pub fn predict(model: &Path, inputs: &[&Path], out: &Path) -> Program {
    Program::new(["predict"]).args(inputs).with("--model", model).with("--out", out).on_cpu()
}
