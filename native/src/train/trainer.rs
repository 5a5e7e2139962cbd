mod step;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module as _;
use histomask_core::card::{CARD_FORMAT, DataCard};
use histomask_core::loss::Term;
use histomask_core::method::{Network, Objective};
use histomask_core::weights::{Precision, load_state_dict, state_dict, write_checkpoint};
use histomask_core::{ModelCard, Segmenter};
use serde::Serialize;

use super::erasing::{self, Erasing};
use super::fitness;
use super::job::{Outcome, TrainJob};
use super::loader::TrainLoader;
use super::mask_gradients::{MaskGradientRow, Measured, read_mask_gradients};
use super::resume::{self, Progress, ResumeError};
use super::save_clock::SaveClock;
use super::scale;
use super::{Average, CHANGE_NO_RESULT, EpochRow, Sgd, StepRow, TrainError, UntrainedRow, read_steps};
use crate::atomic::{self, WriteError};
use crate::augment::Augmenter;
use crate::csv_text::write_csv;
use crate::data::Sample;
use crate::evaluate::{Evaluation, evaluate};
use crate::profile::Selection;
use crate::weights::{InitialWeightsError, initial_weights};
use crate::{interrupt, panics};

/// Trains a model, by most methods from image-level labels (`spec` §3, §5), and keeps every epoch's result on disk.
///
/// # Errors
///
/// [`TrainError`]; whatever was finished by then is in the run's folder.
pub fn train(job: &TrainJob<'_>) -> Result<(Outcome, Vec<EpochRow>), TrainError> {
    let mut trainer = Trainer::new(job)?;
    // a device that is lost in a step or between steps tells so by a panic
    let ended = panics::unless_lost(|| trainer.run()).unwrap_or_else(|said| Err(TrainError::Device(said)));
    if ended.is_err() {
        // steps since the last saved state, as far as they can be written; what ended the run is the error to tell
        let _ = write_rows(&job.folder.steps(), &trainer.steps);
    }
    Ok((ended?, trainer.progress.history))
}

struct Trainer<'a> {
    job: &'a TrainJob<'a>,
    model: Network,
    sgd: Sgd,
    /// What is evaluated and saved in place of the weights themselves.
    average: Option<Average>,
    samples: Arc<[Sample]>,
    augmenter: Augmenter,
    loader: TrainLoader,
    progress: Progress,
    save_clock: SaveClock,
    /// Index of the class without foreground.
    normal: Option<usize>,
    /// Microns per pixel of what the network sees.
    mpp: Option<f64>,
    /// Every step so far.
    steps: Vec<StepRow>,
    /// Every measurement of gradients at the mask so far.
    mask_gradients: Vec<MaskGradientRow>,
}

impl<'a> Trainer<'a> {
    fn new(job: &'a TrainJob<'a>) -> Result<Self, TrainError> {
        let (profile, train) = (job.profile, &job.profile.train);
        let device = job.device.clone().autodiff();
        job.device.seed(train.seed);
        device.seed(train.seed);
        // burn draws random weights at first use; read and put back here, they do not depend on what uses them first
        let model = profile.model.init(job.dataset.classes.len(), &device);
        let drawn = state_dict(&model);
        let model = load_state_dict(model, &drawn).map_err(histomask_core::Error::from)?;
        model.check_batch(&device, train.batch_size, [profile.input.crop as usize; 2])?;
        fitness::check_valid_sizes(job.valid_sizes, profile, &model, job.device)?;
        let normal = fitness::normal_class(profile, &job.dataset.classes)?;
        if job.dataset.valid.is_empty() && profile.evaluation.selection != Selection::Last {
            return Err(TrainError::NoValidation);
        }
        let from_masks = profile.model.method.learns_from_masks();
        let usable = |sample: &&Sample| !from_masks || sample.mask.is_some();
        let samples: Arc<[Sample]> = job.dataset.train.iter().filter(usable).cloned().collect();
        if samples.is_empty() {
            return Err(TrainError::NoMasks);
        }
        let augmenter = Augmenter::new(profile.input.clone());
        let (shared, same) = (Arc::clone(&samples), augmenter.clone());
        let mut loader = TrainLoader::new(shared, same, train.batch_size, train.seed, train.workers);
        if from_masks {
            loader = loader.with_masks();
        } else if train.tissue {
            loader = loader.with_tissue();
        }
        let model = match model {
            Network::Erase(network) => {
                let colour = erasing::mean_colour(&samples)?;
                loader.erase(erasing::erasure(job.folder, 0, samples.len(), colour));
                Network::Erase(network.with_mean_colour(erasing::normalised(colour, &augmenter), &device))
            }
            other => other,
        };
        let sgd = Sgd::new(train.momentum, train.nesterov, train.weight_decay, train.head_learning_rate_factor);
        let average = (train.average > 0.0).then(|| Average::new(train.average));
        let mut trainer = Self {
            job,
            model,
            sgd,
            average,
            samples,
            augmenter,
            loader,
            progress: Progress::default(),
            save_clock: SaveClock::new(train.save_minutes),
            normal,
            mpp: scale::input_mpp(profile, job.dataset),
            steps: Vec::new(),
            mask_gradients: Vec::new(),
        };
        if job.resume {
            trainer.take_up()?
        } else {
            trainer.start()?
        }
        Ok(trainer)
    }

    fn start(&mut self) -> Result<(), TrainError> {
        let profile = self.job.profile;
        let mut origin = "random".to_owned();
        if let Some(backbone) = self.model.backbone_mut() {
            let initial = initial_weights(&profile.weights, profile.model.backbone)?;
            if let Some(state) = initial.state {
                *backbone = backbone
                    .clone()
                    .with_weights_of_whole(&state)
                    .map_err(|source| InitialWeightsError::Misfit { from: initial.origin.clone(), source })?;
            }
            origin = initial.origin;
        }
        self.progress = Progress {
            data_hash: self.job.data_hash.to_owned(),
            profile: profile.to_toml()?,
            initial_weights: origin,
            ..Progress::default()
        };
        atomic::write(&self.job.folder.profile(), self.progress.profile.as_bytes())?;
        Ok(())
    }

    fn take_up(&mut self) -> Result<(), TrainError> {
        let (tensors, progress) = resume::read(&self.job.folder.state())?;
        let (now, then) = (self.job.data_hash.to_owned(), progress.data_hash.clone());
        if now != then {
            return Err(ResumeError::OtherData { now, then }.into());
        }
        let keys = self.job.profile.differing_keys(&progress.profile);
        // how long a run lasts may change too
        let may_change = |key: &String| key == "train.epochs" || CHANGE_NO_RESULT.contains(&key.as_str());
        let keys: Vec<_> = keys.into_iter().filter(|key| !may_change(key)).collect();
        if !keys.is_empty() {
            return Err(ResumeError::OtherProfile { keys: keys.join(", ") }.into());
        }
        self.model = load_state_dict(self.model.clone(), &tensors.model).map_err(histomask_core::Error::from)?;
        self.sgd.restore(&tensors.velocity, self.job.device);
        if let Some(average) = &mut self.average {
            average.restore(&tensors.average, progress.averaged, self.job.device);
        }
        self.progress = progress;
        // what a crash left of later steps is done again
        let done = (self.progress.epoch + 1, self.progress.step);
        self.steps = read_steps(self.job.folder);
        self.steps.retain(|row| (row.epoch, row.step) <= done);
        self.mask_gradients = read_mask_gradients(self.job.folder);
        self.mask_gradients.retain(|row| row.epoch <= self.progress.epoch);
        Ok(())
    }

    fn run(&mut self) -> Result<Outcome, TrainError> {
        let epochs = self.job.profile.train.epochs;
        if (self.progress.epoch, self.progress.step) == (0, 0) {
            // a run that is killed from here on can be resumed
            self.save_state()?;
            if self.validate_untrained()? == Outcome::Interrupted {
                return Ok(Outcome::Interrupted);
            }
            self.mask_gradients.clear();
            self.measure_mask_gradients(0)?;
        }
        self.save_clock.restart();
        self.job.observer.begin(self.progress.epoch, self.progress.step, self.loader.batches_per_epoch());
        while self.progress.epoch < epochs {
            if self.train_epoch()? == Outcome::Interrupted || self.finish_epoch()? == Outcome::Interrupted {
                self.save_state()?;
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Where the curves of a run begin; nothing is chosen by it.
    fn validate_untrained(&self) -> Result<Outcome, TrainError> {
        let clock = Instant::now();
        let validation = self.evaluate_valid()?;
        if interrupt::asked() {
            return Ok(Outcome::Interrupted);
        }
        // weights drawn at random may give no number on some image: that says nothing of the run
        let finite = Some(validation).filter(|validation| validation.failed.is_empty());
        let masks = finite.as_ref().and_then(|validation| validation.masks.as_ref());
        let row = UntrainedRow {
            valid_error: finite.as_ref().and_then(|validation| validation.class_error),
            valid_pixel_loss: finite.as_ref().and_then(|validation| validation.pixel_loss),
            valid_f1_plus: masks.and_then(|masks| masks.f1_plus),
            valid_f1_minus: masks.and_then(|masks| masks.f1_minus),
            valid_foreground: finite.as_ref().and_then(|validation| validation.mean_foreground),
            valid_seconds: clock.elapsed().as_secs_f64(),
        };
        write_rows(&self.job.folder.untrained(), std::slice::from_ref(&row))?;
        self.job.observer.untrained(&row);
        Ok(Outcome::Finished)
    }

    /// What the terms of the loss send to the mask after so many epochs, on the first batches of the first epoch and with
    /// the objective of the epoch that begins.
    fn measure_mask_gradients(&mut self, epochs: usize) -> Result<(), TrainError> {
        let profile = self.job.profile;
        let batches = profile.train.mask_gradients;
        if batches == 0 {
            return Ok(());
        }
        let (classes, device) = (self.job.dataset.classes.len(), self.job.device);
        let measured = Measured { network: &self.model, classes, profile, device, objective: self.objective(epochs) };
        let Some(row) = measured.row(epochs, self.loader.epoch(0).take(batches))? else { return Ok(()) };
        self.mask_gradients.push(row);
        Ok(write_rows(&self.job.folder.mask_gradients(), &self.mask_gradients)?)
    }

    /// What a step minimises after so many epochs.
    fn objective(&self, epochs: usize) -> Objective<'a> {
        let profile = self.job.profile;
        let (sigma, t) = (profile.model.mask.sigma_at(epochs), profile.loss.t_at(epochs));
        Objective { loss: &profile.loss, sigma, t, normal: self.normal }
    }

    fn train_epoch(&mut self) -> Result<Outcome, TrainError> {
        if self.begin_round()? == Outcome::Interrupted {
            return Ok(Outcome::Interrupted);
        }
        let epoch = self.progress.epoch;
        let steps = self.loader.batches_per_epoch();
        let mut batches = self.loader.epoch(epoch as u64).skip(self.progress.step);
        let mut clock = Instant::now();
        loop {
            if interrupt::asked() {
                return Ok(Outcome::Interrupted);
            }
            let together = batches.by_ref().take(self.job.profile.train.accumulate).collect::<Result<Vec<_>, _>>()?;
            if together.is_empty() {
                return Ok(Outcome::Finished);
            }
            let loss = self.step(together)?;
            self.progress.seconds += clock.elapsed().as_secs_f64();
            clock = Instant::now();
            self.job.observer.step(epoch + 1, self.progress.step, steps, loss);
            if self.save_clock.is_due() {
                self.save_state()?;
                self.save_clock.restart();
            }
        }
    }

    /// Has the loader erase what the rounds of ERASE before this epoch found; at the start of a round that is found
    /// first.
    fn begin_round(&mut self) -> Result<Outcome, TrainError> {
        let Network::Erase(network) = self.model.valid() else { return Ok(Outcome::Finished) };
        let Progress { epoch, step, .. } = self.progress;
        let config = self.job.profile.model.erase;
        let round = config.round(epoch);
        let Some(colour) = self.loader.erasure().map(|erasure| erasure.colour) else { return Ok(Outcome::Finished) };
        let erased_in = |round| erasing::erasure(self.job.folder, round, self.samples.len(), colour);
        if round > 0 && epoch == round * config.round_epochs && step == 0 {
            let erasing = Erasing {
                network: &network,
                samples: &self.samples,
                augmenter: &self.augmenter,
                device: self.job.device,
                folder: self.job.folder,
            };
            if !erasing.write(&erased_in(round - 1), round)? {
                return Ok(Outcome::Interrupted);
            }
        }
        self.loader.erase(erased_in(round));
        Ok(Outcome::Finished)
    }

    fn finish_epoch(&mut self) -> Result<Outcome, TrainError> {
        let clock = Instant::now();
        let validation = self.validate()?;
        if interrupt::asked() {
            // the validation may be a part of one; a resumed run finds no step left and validates again
            return Ok(Outcome::Interrupted);
        }
        let row = self.row(&validation, clock.elapsed().as_secs_f64());
        let card = self.card(Some(&row));
        self.progress = Progress {
            epoch: self.progress.epoch + 1,
            step: 0,
            images: 0,
            wrong: 0,
            seconds: 0.0,
            sums: BTreeMap::new(),
            ..std::mem::take(&mut self.progress)
        };
        self.progress.history.push(row.clone());

        let folder = self.job.folder;
        let checkpoint = write_checkpoint(&state_dict(&self.deployed()), &card, Precision::Full)
            .map_err(histomask_core::Error::from)?;
        atomic::write(&folder.last(), &checkpoint)?;
        if row.best {
            atomic::write(&folder.best(), &checkpoint)?;
        }
        if row.epoch.checked_rem(self.job.profile.train.keep_every) == Some(0) {
            atomic::write(&folder.kept(row.epoch), &checkpoint)?;
        }
        write_rows(&folder.epochs(), &self.progress.history)?;
        self.measure_mask_gradients(row.epoch)?;
        // last, so that a run cut off before this line repeats the epoch and writes the same files again
        self.save_state()?;
        self.save_clock.restart();
        self.job.observer.epoch(&row);
        if let Some(foreground) = validation.masks_all_alike() {
            self.job.observer.masks_all_alike(row.epoch, foreground);
        }
        Ok(Outcome::Finished)
    }

    fn save_state(&self) -> Result<(), TrainError> {
        write_rows(&self.job.folder.steps(), &self.steps)?;
        let (average, averaged) = self.average.as_ref().map(Average::state).unwrap_or_default();
        let tensors = resume::Tensors { model: state_dict(&self.model), velocity: self.sgd.state(), average };
        let progress = Progress { averaged, ..self.progress.clone() };
        let bytes = resume::write(tensors, &progress).map_err(histomask_core::Error::from)?;
        Ok(atomic::write(&self.job.folder.state(), &bytes)?)
    }

    /// The network as it is evaluated and saved.
    fn deployed(&self) -> Network {
        let model = self.model.valid();
        match &self.average {
            Some(average) => average.applied(model),
            None => model,
        }
    }

    fn evaluate_valid(&self) -> Result<Evaluation, TrainError> {
        let segmenter = Segmenter::new(self.deployed(), self.card(None), self.job.device);
        let config = &self.job.profile.evaluation;
        let validation = evaluate(&segmenter, &self.job.dataset.valid, config, &|_, _| ());
        validation.lost.clone().map_or(Ok(validation), |said| Err(TrainError::Device(said)))
    }

    fn validate(&self) -> Result<Evaluation, TrainError> {
        let validation = self.evaluate_valid()?;
        match validation.failed.first() {
            Some((_, source)) => {
                Err(TrainError::Validation { epoch: self.progress.epoch + 1, source: Arc::clone(source) })
            }
            None => Ok(validation),
        }
    }

    fn row(&self, validation: &Evaluation, valid_seconds: f64) -> EpochRow {
        let Progress { epoch, images, wrong, seconds, ref sums, ref history, .. } = self.progress;
        let profile = self.job.profile;
        let names_class = profile.model.method.names_class();
        let mean = |term: Term| sums.get(&term).map(|sum| sum / images.max(1) as f64);
        let (valid_error, valid_pixel_loss) = (validation.class_error, validation.pixel_loss);
        // the highest validation accuracy, for U-Net the lowest loss; ties to the latest (`spec` §3.1)
        let not_above = |now: Option<f64>, then: Option<f64>| now.zip(then).is_none_or(|(now, then)| now <= then);
        let best = history.iter().all(|row| match profile.evaluation.selection {
            Selection::ClassAccuracy => not_above(valid_error, row.valid_error),
            Selection::PixelLoss => not_above(valid_pixel_loss, row.valid_pixel_loss),
            Selection::Last => true,
        });
        EpochRow {
            epoch: epoch + 1,
            learning_rate: profile.train.learning_rate.at(epoch, profile.train.epochs),
            sigma: profile.model.mask.sigma_at(epoch),
            t: profile.loss.t_at(epoch),
            loss: sums.values().sum::<f64>() / images.max(1) as f64,
            loss_full: mean(Term::Full),
            loss_foreground: mean(Term::Foreground),
            loss_background: mean(Term::Background),
            loss_barrier: mean(Term::Barrier),
            loss_empty_normal: mean(Term::EmptyNormal),
            loss_size_penalty: mean(Term::SizePenalty),
            loss_pixels: mean(Term::Pixels),
            train_error: names_class.then(|| 100.0 * wrong as f64 / images.max(1) as f64),
            valid_error,
            valid_pixel_loss,
            valid_f1_plus: validation.masks.as_ref().and_then(|masks| masks.f1_plus),
            valid_f1_minus: validation.masks.as_ref().and_then(|masks| masks.f1_minus),
            valid_foreground: validation.mean_foreground,
            train_seconds: seconds,
            valid_seconds,
            best,
        }
    }

    fn card(&self, row: Option<&EpochRow>) -> ModelCard {
        let (profile, dataset) = (self.job.profile, self.job.dataset);
        let metrics = row.map(|row| {
            let named = [
                ("valid_error_percent", row.valid_error),
                ("valid_pixel_loss", row.valid_pixel_loss),
                ("valid_f1_plus_percent", row.valid_f1_plus),
                ("valid_f1_minus_percent", row.valid_f1_minus),
            ];
            named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        });
        ModelCard {
            format: CARD_FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            classes: dataset.classes.clone(),
            profile: profile.name.clone(),
            model: profile.model.clone(),
            input: profile.input.preprocess(),
            mpp: self.mpp,
            sigma: profile.model.mask.sigma_at(self.progress.epoch),
            threshold: profile.evaluation.threshold,
            normal_class: self.normal.unwrap_or_default(),
            epoch: self.progress.epoch + 1,
            initial_weights: self.progress.initial_weights.clone(),
            data: DataCard {
                name: dataset.name(),
                hash: self.job.data_hash.to_owned(),
                train_images: self.samples.len(),
                valid_images: dataset.valid.len(),
            },
            metrics: metrics.unwrap_or_default(),
            intended_use: "Research use only: not a medical device, not validated for diagnosis.".into(),
            licence: self.job.licence.to_owned(),
        }
    }
}

fn write_rows<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), WriteError> {
    let csv =
        write_csv(rows).map_err(|error| WriteError { path: path.to_owned(), source: std::io::Error::other(error) })?;
    atomic::write(path, &csv)
}
