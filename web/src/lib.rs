//! histomask in a browser tab: a patch's bytes in, class and painted mask out, on WebGPU or on the CPU.
//!
//! The page runs this module in a Worker (`page/worker.ts`). [`Engine`] opens a device and holds a model,
//! [`Prediction`] is what it says of one image. An `Error` that JavaScript gets from here carries a message for the
//! user; its `name` is `DeviceError` where the device is at fault, `SlowError` where the CPU is faster, and `LimitError`
//! where an image is too large for it, all of which the CPU mends. A panic traps: the instance must not be used again, and the page makes a new Worker.
//!
//! [`slide`] holds whole slides: what the viewer shows of one, and the model on its parts.
//!
//! On other targets the crate is empty.

#![cfg(target_family = "wasm")]

mod canvas;
mod caution;
pub mod console;
mod decode;
mod device;
mod engine;
mod error;
mod export;
mod prediction;
pub mod slide;

pub use engine::Engine;
pub use error::Failure;
pub use export::csv;
pub use prediction::Prediction;

/// Breaks down, for tests of what the page does then.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn panic_now() {
    console::open();
    panic!("asked to panic");
}
