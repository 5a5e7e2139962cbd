//! A graphics device that is lost or too small in the middle of work: told as what it is, with what was done.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::cell::Cell;
use std::path::Path;

use burn::tensor::Tensor;
use histomask::data::check::check;
use histomask::data::{DataConfig, Dataset};
use histomask::evaluate::{evaluate, holds_complete, write_results};
use histomask::profile::{Profile, Selection};
use histomask::train::{EpochRow, Observer, Outcome, RunFolder, TrainError, TrainJob, UntrainedRow, train};
use histomask::weights::default_model;
use histomask_core::preprocess::{Preprocess, ResizeRule};
use histomask_core::weights::read_checkpoint;
use histomask_core::{Device, Error, RgbView, Segmenter};
use histomask_tests::own_device::OwnDevice;
use histomask_tests::tiny::data_set;

fn segmenter(device: &Device, resize: ResizeRule) -> Segmenter {
    let (mut card, weights) = read_checkpoint(default_model()).unwrap();
    card.input = Preprocess { resize, ..card.input };
    Segmenter::from_checkpoint(card, &weights, device).unwrap()
}

#[test]
fn a_device_lost_in_a_prediction_ends_the_evaluation_with_what_was_done() {
    let Some(own) = OwnDevice::open(false) else { return };
    let folder = tempfile::tempdir().unwrap();
    let dataset = Dataset::open(&data_set(folder.path(), 8), &DataConfig::default()).unwrap();
    let samples: Vec<_> = dataset.samples().map(|(_, sample)| sample.clone()).collect();
    let model = segmenter(&own.device, ResizeRule::None);
    let config = Profile::default().evaluation;
    let destroy = |done: usize, _: usize| {
        if done == 3 {
            own.handle.destroy();
        }
    };
    let evaluation = evaluate(&model, &samples, &config, &destroy);
    println!("{:?}", evaluation.lost);
    assert!(evaluation.lost.is_some(), "{:?}", evaluation.failed);
    assert_eq!((evaluation.images.len(), evaluation.failed.len(), evaluation.samples), (3, 0, 16));
    assert!(!evaluation.is_complete());
    // an error of the device, by which the command line exits with 3
    let error = evaluation.held_out().unwrap_err();
    assert!(error.device().is_some(), "{error}");
    // what is written says that it is a part
    write_results(folder.path(), &evaluation, &serde_json::json!({})).unwrap();
    assert!(folder.path().join("images.csv").is_file() && !holds_complete(folder.path()));
}

/// Does something after one of the steps.
struct AfterStep<F: Fn()> {
    step: usize,
    act: F,
    done: Cell<usize>,
}

impl<F: Fn()> Observer for AfterStep<F> {
    fn untrained(&self, _: &UntrainedRow) {}
    fn begin(&self, _: usize, _: usize, _: usize) {}
    fn step(&self, _: usize, step: usize, _: usize, _: f64) {
        self.done.set(step);
        if step == self.step {
            (self.act)();
        }
    }
    fn epoch(&self, _: &EpochRow) {}
    fn masks_all_alike(&self, _: usize, _: bool) {}
}

/// Trains one epoch of six steps; with `resume` goes on with the run in `folder`.
fn run(
    folder: &Path,
    data: &Path,
    device: &Device,
    resume: bool,
    observer: &dyn Observer,
) -> Result<Outcome, TrainError> {
    let mut profile = Profile::named("demo").unwrap();
    profile.weights = "none".into();
    (profile.input.size, profile.input.crop) = (64, 64);
    (profile.train.epochs, profile.train.batch_size, profile.train.workers) = (1, 2, 1);
    profile.evaluation.selection = Selection::Last;
    // after every step
    profile.train.save_minutes = 1e-9;
    let dataset = Dataset::open(data, &profile.data).unwrap();
    let summary = check(&dataset, &|_, _| ()).unwrap();
    let folder = RunFolder::new(folder);
    let job = TrainJob {
        profile: &profile,
        dataset: &dataset,
        data_hash: &summary.hash,
        valid_sizes: &summary.valid_sizes,
        licence: "",
        device,
        folder: &folder,
        resume,
        observer,
    };
    train(&job).map(|(outcome, _)| outcome)
}

#[test]
fn a_device_lost_between_steps_leaves_a_run_that_the_cpu_finishes() {
    let Some(own) = OwnDevice::open(false) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (data_set(folder.path(), 8), folder.path().join("run"));
    let observer = AfterStep { step: 3, act: || own.handle.destroy(), done: Cell::new(0) };
    let error = run(&out, &data, &own.device, false, &observer).unwrap_err();
    println!("{error}");
    assert!(error.device().is_some(), "not told as the device's: {error}");
    assert_eq!(observer.done.get(), 3, "it went on");
    let folder = RunFolder::new(&out);
    assert!(folder.state().is_file() && folder.steps().is_file());

    let observer = AfterStep { step: 0, act: || (), done: Cell::new(0) };
    assert_eq!(run(&out, &data, &Device::flex(), true, &observer).unwrap(), Outcome::Finished);
    let steps = histomask_tests::results::csv(&folder.steps());
    assert_eq!(steps.len(), observer.done.get(), "every step stands there once");
    assert!(folder.last().is_file());
}

#[test]
fn more_memory_than_the_device_has_is_told_as_that() {
    let Some(own) = OwnDevice::open(true) else { return };
    // a tensor of 1 GiB, where one may have 128 MiB
    let read = || Tensor::<1>::zeros([1 << 28], &own.device).add_scalar(1.0).sum().try_into_data();
    let said = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)) {
        Ok(result) => result.unwrap_err().to_string(),
        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_default(),
    };
    // the words by which native/src/panics.rs knows it
    assert!(said.contains("can't allocate buffer of size"), "{said}");
}

/// Noise of 16 by 16 squares.
fn picture(side: usize) -> Vec<u8> {
    let at = |index: usize| ((index / 3 % side / 16 * 37) ^ (index / 3 / side / 16 * 91) ^ (index % 3 * 53)) as u8;
    (0..3 * side * side).map(at).collect()
}

#[test]
fn on_the_least_device_an_image_too_large_costs_that_image_alone() {
    let Some(own) = OwnDevice::open(true) else { return };
    let (model, cpu) = (segmenter(&own.device, ResizeRule::None), segmenter(&Device::flex(), ResizeRule::None));
    let fits = |model: &Segmenter, side: usize| model.segment(RgbView::new(&picture(side), side, side).unwrap());
    let same = |side: usize| {
        let (ours, theirs) = (fits(&model, side).unwrap(), fits(&cpu, side).unwrap());
        let apart = ours.mask.iter().zip(&theirs.mask).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-2 && ours.class == theirs.class, "{side}: {apart}");
    };
    same(320);
    // refused before anything is allocated: the device is as it was
    let error = fits(&model, 4096).unwrap_err();
    assert!(matches!(error, Error::Limit(_)) && error.to_string().contains("134217728"), "{error}");
    same(320);
    // the largest that is let through is computed
    let passes = |side: usize| model.network().check_batch(&own.device, 1, [side, side]).is_ok();
    let largest = (1..=4096 / 32).map(|step| 32 * step).take_while(|&side| passes(side)).last().unwrap();
    println!("largest side: {largest}");
    assert!((512..4096).contains(&largest));
    assert!(fits(&model, largest).is_ok(), "{largest}");
}
