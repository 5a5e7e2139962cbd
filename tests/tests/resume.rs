//! A run that was stopped, in whatever way, ends in the same numbers as one that was not.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, tensors};
use histomask_tests::tiny::{data_set, shared_folder, train};

const EPOCHS: usize = 3;

/// The data set and the run that nothing stopped.
fn reference() -> &'static (PathBuf, PathBuf) {
    static RUN: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "resume");
        let (data, run) = (data_set(&folder, 8), folder.join("run"));
        let _ = train(&data, &run, EPOCHS).run().exits(0);
        (data, run)
    })
}

fn resume(run: &Path) -> Program {
    Program::new(["train"]).with("--resume", run).on_cpu()
}

fn last(run: &Path) -> PathBuf {
    run.join("last.safetensors")
}

/// Bit for bit, but for the clock.
fn assert_same_run(run: &Path, reference: &Path) {
    for file in ["last.safetensors", "best.safetensors", "state.safetensors"] {
        let (found, expected) = (tensors(&run.join(file)), tensors(&reference.join(file)));
        assert!(found.keys().eq(expected.keys()), "{file} holds other tensors");
        for (name, tensor) in &found {
            assert!(*tensor == expected[name], "{file}: {name} differs");
        }
    }
    // model cards too
    for file in ["last.safetensors", "best.safetensors"] {
        assert!(bytes(&run.join(file)) == bytes(&reference.join(file)), "{file}: the cards differ");
    }
    let timeless = |file: &Path| {
        let mut rows = csv(file);
        rows.iter_mut().for_each(|row| row.retain(|column, _| !column.ends_with("_seconds")));
        rows
    };
    for file in ["epochs.csv", "untrained.csv"] {
        assert_eq!(timeless(&run.join(file)), timeless(&reference.join(file)), "{file}");
    }
}

#[test]
fn the_same_command_gives_the_same_weights() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // results do not depend on the number of loading threads
    let _ = train(data, &run, EPOCHS).with("--train.workers", "1").run().exits(0);
    assert_same_run(&run, reference);
}

#[test]
fn another_epoch_later_is_as_good_as_at_once() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let _ = train(data, &run, 1).run().exits(0);
    assert_eq!(csv(&run.join("epochs.csv")).len(), 1);
    let longer = resume(&run).with("--train.epochs", EPOCHS.to_string());
    let _ = longer.run().exits(0).says("going on with epoch 2, step 1");
    assert_same_run(&run, reference);
}

#[test]
fn gradients_at_the_mask_and_kept_checkpoints_change_no_weight_and_go_on() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let measured = |run: &Path, epochs: usize| {
        train(data, run, epochs).with("--train.mask-gradients", "1").with("--train.keep-every", "2")
    };
    let _ = measured(&whole, EPOCHS).run().exits(0);
    assert_same_run(&whole, reference);
    let _ = measured(&parts, 1).run().exits(0);
    let _ = resume(&parts).with("--train.epochs", EPOCHS.to_string()).run().exits(0);
    let rows = |run: &Path| {
        let file = run.join("mask-gradients.csv");
        file.exists().then(|| csv(&file))
    };
    assert_eq!(rows(&whole).map(|rows| rows.len()), Some(EPOCHS + 1));
    assert_eq!((rows(&whole), rows(reference)), (rows(&parts), None));
    let kept = |run: &Path, epoch: usize| run.join(format!("epoch-00{epoch}.safetensors"));
    assert!(bytes(&kept(&whole, 2)) == bytes(&kept(&parts, 2)) && bytes(&kept(&whole, 2)) != bytes(&last(&whole)));
    assert!(![1, 3].iter().any(|&epoch| kept(&whole, epoch).exists()), "every second epoch");
}

#[test]
fn accumulated_gradients_change_the_weights_less_often_and_go_on() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
    let together = |run: &Path, epochs: usize| train(data, run, epochs).with("--train.accumulate", "2");
    let _ = together(&whole, EPOCHS).run().exits(0);
    let _ = together(&parts, 1).run().exits(0);
    let _ = resume(&parts).with("--train.epochs", EPOCHS.to_string()).run().exits(0);
    assert_same_run(&parts, &whole);
    // a line a batch all the same, and the first batch sees the same weights
    let losses = |run: &Path| csv(&run.join("steps.csv")).iter().map(|row| row["loss"].clone()).collect::<Vec<_>>();
    let (here, there) = (losses(&whole), losses(reference));
    assert_eq!((here.len(), &here[0]), (there.len(), &there[0]));
    assert!(here[2] != there[2], "after two batches the weights are not those of two changes");
}

#[test]
#[cfg(unix)]
fn ctrl_c_stops_between_two_steps() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut running = train(data, &run, EPOCHS).start();
    assert!(running.until_there(&run.join("epochs.csv")), "{}", running.wait());
    // some steps into the second epoch; on a fast machine later
    std::thread::sleep(Duration::from_millis(500));
    running.interrupt();
    let stopped = running.wait().exits(130).says("stopping at the next safe point");
    let _ = stopped.says(&format!("histomask train --resume {}", run.display()));
    let rows = csv(&run.join("epochs.csv")).len();
    assert!(rows < EPOCHS, "{rows} epochs were done");

    let _ = resume(&run).run().exits(0).says(&format!("going on with epoch {}", rows + 1));
    assert_same_run(&run, reference);
}

#[test]
#[cfg(unix)]
fn ctrl_c_before_the_first_step_loses_nothing() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut running = train(data, &run, EPOCHS).start();
    assert!(running.until_there(&run.join("run.json")), "{}", running.wait());
    running.interrupt();
    let _ = running.wait().exits(130);
    let _ = resume(&run).run().exits(0);
    assert_same_run(&run, reference);
}

#[test]
fn a_power_cut_costs_at_most_the_epoch() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut running = train(data, &run, EPOCHS).start();
    assert!(running.until_there(&run.join("epochs.csv")), "{}", running.wait());
    // any moment will do, and another one on every run of this test
    let nanos = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let pauses = [1, 1_000, 1_000_000].map(|unit| u64::from(nanos / unit % 1_000));
    println!("pauses {pauses:?} ms");
    for pause in pauses {
        std::thread::sleep(Duration::from_millis(pause));
        running.kill();
        running = resume(&run).start();
    }
    let _ = running.wait().exits(0);
    assert_same_run(&run, reference);
}

#[test]
fn a_run_killed_in_its_first_epoch_goes_on_within_it() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    // after every step
    let mut running = train(data, &run, EPOCHS).with("--train.save-minutes", "1e-9").start();
    let steps = || std::fs::read_to_string(run.join("steps.csv")).map_or(0, |text| text.lines().count());
    // a header and two steps: the first step's state is whole
    while steps() < 3 && !run.join("epochs.csv").exists() {
        assert!(running.until_there(&run.join("run.json")), "it ended");
        std::thread::sleep(Duration::from_millis(1));
    }
    running.kill();
    let within = !run.join("epochs.csv").exists();
    let resumed = resume(&run).run().exits(0).says("going on with epoch");
    if within {
        let _ = resumed.says("going on with epoch 1, step");
    } else {
        println!("the first epoch was over before the kill");
    }
    assert_same_run(&run, reference);
}

#[test]
fn a_run_killed_before_its_first_step_is_resumed() {
    let (data, reference) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let mut running = train(data, &run, EPOCHS).start();
    assert!(running.until_there(&run.join("state.safetensors")), "{}", running.wait());
    running.kill();
    let _ = resume(&run).run().exits(0);
    assert_same_run(&run, reference);
}

#[test]
fn a_finished_run_stays_as_it_is() {
    let (data, _) = reference();
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    let _ = train(data, &run, 1).run().exits(0);
    let before = bytes(&run.join("state.safetensors"));
    let _ = resume(&run).run().exits(0);
    assert!(bytes(&run.join("state.safetensors")) == before);
}

#[test]
fn what_cannot_be_resumed_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (data_set(folder.path(), 4), folder.path().join("run"));
    let _ = train(&data, &run, 1).run().exits(0);
    let state = run.join("state.safetensors");
    let whole = bytes(&state);

    let other = resume(&run).with("--train.batch-size", "4").run();
    let _ = other.exits(2).says("train.batch_size").says("only train.epochs");
    let _ = resume(&folder.path().join("nowhere")).run().exits(2).says("nowhere");
    for damaged in [&whole[..whole.len() / 2], &whole[..7], &[], b"a text"] {
        std::fs::write(&state, damaged).unwrap();
        let _ = resume(&run).run().exits(2).says("state.safetensors");
        assert!(bytes(&state) == damaged, "a refused run was written to");
    }
    // a model is no state
    std::fs::copy(run.join("last.safetensors"), &state).unwrap();
    let _ = resume(&run).run().exits(2).says("state.safetensors");
    std::fs::remove_file(&state).unwrap();
    let _ = resume(&run).run().exits(2).says("state.safetensors");

    std::fs::write(&state, &whole).unwrap();
    let image = data.join("images/regular_0000.png");
    image::open(&image).unwrap().fliph().save(&image).unwrap();
    let _ = resume(&run).with("--train.epochs", "2").run().exits(2).says("data set has changed");
    assert!(bytes(&state) == whole);
}
