//! A device that is lost or has no memory left, in the middle of a prediction and of a training step: a driver that
//! fails (`tests/vulkan/faults.c`) under the real program. Exit code 3, and what was done is kept and goes on.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use histomask_tests::program::Program;
use histomask_tests::results::{csv, json};
use histomask_tests::tiny::{self, SETTINGS, data_set};
use histomask_tests::vulkan::{FailingDriver, Fault};

/// One residual block and averages alone behind it: a software adapter compiles a kernel for every kind of layer.
const SMALL: [&str; 4] = ["--method", "cam-avg", "--model.backbone-blocks", "1"];
const FAULTS: [(&str, Fault); 2] = [("lost", Fault::Lost), ("memory", Fault::Memory)];

#[test]
fn a_prediction_keeps_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let Some(driver) = FailingDriver::build(folder.path()) else { return };
    let (data, run) = (data_set(folder.path(), 4), folder.path().join("run"));
    let _ = tiny::train(&data, &run, 1).args(SMALL).run().exits(0);
    for (name, fault) in FAULTS {
        let out = folder.path().join(name);
        let predict =
            || Program::new(["predict"]).args([data.join("images")]).with("--model", &run).with("--out", &out);
        let second = out.join("irregular_0001_overlay.png");
        let failed = driver.under(predict(), fault, &second, 1).run().exits(3);
        let _ = failed.says("irregular_0002.png").says("Results up to here are kept");
        assert_eq!(csv(&out.join("predictions.csv")).len(), 2, "{name}");
        let _ = predict().on_cpu().run().exits(0);
        assert_eq!(csv(&out.join("predictions.csv")).len(), 8, "{name}");
    }
}

#[test]
fn a_training_step_that_fails_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let Some(driver) = FailingDriver::build(folder.path()) else { return };
    let data = data_set(folder.path(), 4);
    for (name, fault) in FAULTS {
        let run = folder.path().join(name);
        let train = Program::new(["train"]).with("--data", &data).with("--out", &run).args(SETTINGS).args(SMALL);
        // the first step follows upon the validation of what is not trained yet
        let failed = driver.under(train.with("--train.epochs", "1"), fault, &run.join("untrained.csv"), 1);
        let _ = failed.run().exits(3).says("before training").says("the device gave up");
        assert_eq!(json(&run.join("run.json"))["state"], "failed", "{name}");
        assert!(!run.join("epochs.csv").exists(), "{name}: an epoch was finished");
        let _ = Program::new(["train"]).with("--resume", &run).on_cpu().run().exits(0);
        assert_eq!(json(&run.join("run.json"))["state"], "finished", "{name}");
        assert_eq!(csv(&run.join("epochs.csv")).len(), 1, "{name}");
    }
}

/// By hand: a training step on a software adapter is minutes of compiling and tuning.
#[test]
#[ignore = "takes minutes"]
fn epochs_before_the_step_that_fails_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let Some(driver) = FailingDriver::build(folder.path()) else { return };
    let (data, run) = (data_set(folder.path(), 4), folder.path().join("run"));
    let train = Program::new(["train"]).with("--data", &data).with("--out", &run).args(SETTINGS).args(SMALL);
    // the state is saved before the first step and, last of all, behind the first epoch
    let state = run.join("state.safetensors");
    let _ = driver.under(train.with("--train.epochs", "2"), Fault::Lost, &state, 2).run().exits(3);
    assert_eq!(csv(&run.join("epochs.csv")).len(), 1);
    let _ = Program::new(["train"]).with("--resume", &run).on_cpu().run().exits(0);
    assert_eq!(csv(&run.join("epochs.csv")).len(), 2);
}
