//! Training batches in a reproducible order, prepared by background threads.
//!
//! Batch n of an epoch is made by worker `n % workers` and waits in that worker's own bounded queue, so batches arrive
//! in order without sorting. Every random number depends on (seed, epoch, sample) only, never on the workers.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use burn::tensor::{Device, Tensor, TensorData};
use histomask_core::method;
use histomask_core::refine::tissue;
use image::{GrayImage, Rgb, RgbImage};
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;

use crate::augment::Augmenter;
use crate::data::image::{read_mask, read_rgb};
use crate::data::{DataError, Sample};

/// Worker threads unless asked otherwise.
pub const WORKERS: usize = 2;
/// Batches prepared ahead, over all workers.
const QUEUE: usize = 4;
/// Resized images kept in memory between epochs, in bytes, unless asked otherwise.
const CACHE_BYTES: u64 = 1 << 30;

/// Training inputs of several samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// `[B, 3, H, W]`, normalised.
    pub images: Vec<f32>,
    /// `[B, 1, H, W]`, true masks of 0 and 1; empty unless [`TrainLoader::with_masks`] asked for them.
    pub masks: Vec<f32>,
    /// `[B, 1, H, W]`, 0 in large empty glass, else 1; empty where there is none, and unless [`TrainLoader::with_tissue`]
    /// asked for it.
    pub tissue: Vec<f32>,
    /// `[B]`, class labels.
    pub labels: Vec<usize>,
    /// `[B]`, positions in the loader's samples.
    pub indices: Vec<usize>,
    /// B; smaller in the last batch of an epoch if the samples do not divide evenly.
    pub batch: usize,
    /// H in pixels.
    pub height: usize,
    /// W in pixels.
    pub width: usize,
}

impl Batch {
    /// The batch as a method learns from it, on `device`; its values move there.
    pub fn on_device(&mut self, device: &Device) -> method::Batch<'_> {
        let [batch, height, width] = [self.batch, self.height, self.width];
        let planes = |values: &mut Vec<f32>, channels| {
            let values = std::mem::take(values);
            Tensor::<4>::from_data(TensorData::new(values, [batch, channels, height, width]), device)
        };
        let plane = |values: &mut Vec<f32>| (!values.is_empty()).then(|| planes(values, 1));
        let labels: Vec<i32> = self.labels.iter().map(|&label| label as i32).collect();
        method::Batch {
            images: planes(&mut self.images, 3),
            masks: plane(&mut self.masks),
            tissue: plane(&mut self.tissue),
            labels: Tensor::from_ints(labels.as_slice(), device),
            label_values: &self.labels,
        }
    }
}

/// Regions of the training images that are painted over before they are cropped.
#[derive(Clone, Debug)]
pub struct Erasure {
    /// One mask file a sample, of the image's size after the resize rule; none while nothing is erased yet.
    pub regions: Vec<PathBuf>,
    /// What takes the place of a region.
    pub colour: [u8; 3],
}

impl Erasure {
    /// What is erased of a sample's resized image: 255 there, else 0.
    ///
    /// # Errors
    /// If the mask file cannot be read or has another size.
    pub fn region(&self, index: usize, size: (u32, u32)) -> Result<Option<GrayImage>, DataError> {
        self.regions.get(index).map(|path| read_mask(path, size)).transpose()
    }

    /// The resized image of a sample without what is erased of it.
    ///
    /// # Errors
    /// As [`Self::region`].
    pub fn of(&self, index: usize, image: &RgbImage) -> Result<RgbImage, DataError> {
        let mut image = image.clone();
        if let Some(region) = self.region(index, image.dimensions())? {
            let erased = image.pixels_mut().zip(region.pixels()).filter(|(_, region)| region.0[0] > 0);
            erased.for_each(|(pixel, _)| *pixel = Rgb(self.colour));
        }
        Ok(image)
    }
}

/// Makes the batches of every epoch over the same samples.
pub struct TrainLoader {
    source: Arc<Source>,
    batch_size: usize,
    workers: usize,
}

impl TrainLoader {
    /// `batch_size` and `workers` count at least as 1.
    pub fn new(samples: Arc<[Sample]>, augmenter: Augmenter, batch_size: usize, seed: u64, workers: usize) -> Self {
        let cache = Cache::new(samples.len(), CACHE_BYTES);
        let source =
            Source { samples, augmenter, seed, cache: Arc::new(cache), beside: Beside::Nothing, erasure: None };
        Self { source: Arc::new(source), batch_size: batch_size.max(1), workers: workers.max(1) }
    }

    /// The same with true masks in every batch, augmented as their images are; samples must have one.
    #[must_use]
    pub fn with_masks(self) -> Self {
        self.with(Beside::TrueMask)
    }

    /// The same with where each image is tissue, augmented as the image is, in place of a true mask.
    #[must_use]
    pub fn with_tissue(self) -> Self {
        self.with(Beside::Tissue)
    }

    fn with(self, beside: Beside) -> Self {
        let source = Source { beside, ..(*self.source).clone() };
        Self { source: Arc::new(source), ..self }
    }

    /// From the next epoch on, images are erased.
    pub fn erase(&mut self, erasure: Erasure) {
        self.source = Arc::new(Source { erasure: Some(erasure), ..(*self.source).clone() });
    }

    /// What is erased of the images.
    pub fn erasure(&self) -> Option<&Erasure> {
        self.source.erasure.as_ref()
    }

    /// Number of batches in an epoch; the last may be smaller, and none is dropped (released code).
    pub fn batches_per_epoch(&self) -> usize {
        self.source.samples.len().div_ceil(self.batch_size)
    }

    /// The batches of epoch `epoch`, in an order that depends on the seed and the epoch alone. The iterator ends after
    /// the first error; dropping it stops the workers.
    ///
    /// # Errors
    /// An item is an error if an image of its batch cannot be read or resized; the message names the file.
    pub fn epoch(&self, epoch: u64) -> impl Iterator<Item = Result<Batch, DataError>> + use<> {
        let order = Arc::new(self.source.order(epoch));
        let mut running = Epoch { queues: Vec::new(), threads: Vec::new(), next: 0, end: self.batches_per_epoch() };
        for worker in 0..self.workers.min(self.batches_per_epoch()) {
            let (sender, receiver) = sync_channel(QUEUE.div_ceil(self.workers));
            let (source, order) = (Arc::clone(&self.source), Arc::clone(&order));
            let (batch_size, workers) = (self.batch_size, self.workers);
            let work = move || {
                for chunk in order.chunks(batch_size).skip(worker).step_by(workers) {
                    let batch = source.batch(epoch, chunk);
                    let failed = batch.is_err();
                    if sender.send(batch).is_err() || failed {
                        return;
                    }
                }
            };
            running.queues.push(receiver);
            // a thread that cannot start drops its sender, which the iterator reports
            running.threads.push(Builder::new().name(format!("loader-{worker}")).spawn(work).ok());
        }
        running
    }
}

/// What goes where its image goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    TrueMask,
    Tissue,
}

/// What the workers share.
#[derive(Clone)]
struct Source {
    samples: Arc<[Sample]>,
    augmenter: Augmenter,
    seed: u64,
    cache: Arc<Cache>,
    beside: Beside,
    erasure: Option<Erasure>,
}

impl Source {
    fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.samples.len()).collect();
        order.shuffle(&mut self.rng(epoch, None));
        order
    }

    /// The random numbers of one sample in one epoch, or of the epoch's order.
    fn rng(&self, epoch: u64, sample: Option<usize>) -> ChaCha8Rng {
        let mut seed = [0; 32];
        let words = [self.seed, epoch, sample.unwrap_or_default() as u64, u64::from(sample.is_some())];
        for (bytes, word) in seed.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }

    fn batch(&self, epoch: u64, indices: &[usize]) -> Result<Batch, DataError> {
        let side = self.augmenter.config().crop as usize;
        let mut images = Vec::with_capacity(indices.len() * 3 * side * side);
        let (mut masks, mut tissue) = (Vec::new(), Vec::new());
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            let sample = &self.samples[index];
            let mut rng = self.rng(epoch, Some(index));
            let augment = |Prepared { image, beside }: &Prepared| {
                let erased = self.erasure.as_ref().map(|erasure| erasure.of(index, image)).transpose()?;
                Ok(self.augmenter.train_pair(erased.as_ref().unwrap_or(image), beside.as_ref(), &mut rng))
            };
            let (input, beside) = self.cache.with(index, || self.resized(sample), augment)?;
            images.extend(input);
            let values = beside.into_iter().map(|value| f32::from(u8::from(value > 0)));
            match self.beside {
                Beside::TrueMask => masks.extend(values),
                Beside::Tissue => {
                    tissue.extend(values);
                    // an image without glass has nothing beside it
                    tissue.resize((labels.len() + 1) * side * side, 1.0);
                }
                Beside::Nothing => {}
            }
            labels.push(sample.label);
        }
        if tissue.iter().all(|&value| value > 0.0) {
            tissue.clear();
        }
        let (indices, batch) = (indices.to_vec(), indices.len());
        Ok(Batch { images, masks, tissue, labels, indices, batch, height: side, width: side })
    }

    fn resized(&self, sample: &Sample) -> Result<Prepared, DataError> {
        let original = read_rgb(&sample.image)?;
        let image = resized(&self.augmenter, &original, &sample.image)?;
        let beside = match (self.beside, &sample.mask) {
            (Beside::TrueMask, Some(path)) => {
                let mask = read_mask(path, original.dimensions())?;
                Some(self.augmenter.resize_mask(&mask, image.dimensions()))
            }
            (Beside::Tissue, _) => where_tissue_is(&image),
            _ => None,
        };
        Ok(Prepared { beside, image })
    }
}

/// An image by the resize rule, its error naming the file.
pub(crate) fn resized(augmenter: &Augmenter, image: &RgbImage, path: &Path) -> Result<RgbImage, DataError> {
    augmenter.resize(image).map_err(|reason| DataError::Augment { path: path.to_owned(), reason })
}

/// 255 where a resized image is tissue, 0 in large empty glass; none without glass.
fn where_tissue_is(image: &RgbImage) -> Option<GrayImage> {
    let (width, height) = image.dimensions();
    let tissue = tissue(image.as_raw(), [height as usize, width as usize]);
    if tissue.iter().all(|&tissue| tissue) {
        return None;
    }
    GrayImage::from_raw(width, height, tissue.into_iter().map(|tissue| u8::from(tissue) * 255).collect())
}

/// A resized image and what goes where it goes.
struct Prepared {
    image: RgbImage,
    beside: Option<GrayImage>,
}

impl Prepared {
    fn bytes(&self) -> u64 {
        (self.image.as_raw().len() + self.beside.as_ref().map_or(0, |beside| beside.as_raw().len())) as u64
    }
}

/// Resized images that fit into memory, so that later epochs need not decode them again.
struct Cache {
    images: Vec<OnceLock<Prepared>>,
    bytes_left: AtomicU64,
}

impl Cache {
    fn new(images: usize, bytes: u64) -> Self {
        Self { images: (0..images).map(|_| OnceLock::new()).collect(), bytes_left: AtomicU64::new(bytes) }
    }

    /// Hands image `index` to `work`, after `make`ing it unless it was kept; returns what `work` does.
    fn with<T, E>(
        &self,
        index: usize,
        make: impl FnOnce() -> Result<Prepared, E>,
        work: impl FnOnce(&Prepared) -> Result<T, E>,
    ) -> Result<T, E> {
        let slot = &self.images[index];
        if let Some(image) = slot.get() {
            return work(image);
        }
        let image = make()?;
        let done = work(&image)?;
        let bytes = image.bytes();
        let take = |left: u64| left.checked_sub(bytes);
        if self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() && slot.set(image).is_err()
        {
            self.bytes_left.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(done)
    }
}

/// A running epoch.
struct Epoch {
    queues: Vec<Receiver<Result<Batch, DataError>>>,
    threads: Vec<Option<JoinHandle<()>>>,
    next: usize,
    end: usize,
}

impl Iterator for Epoch {
    type Item = Result<Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let worker = self.next % self.queues.len();
        let item = self.queues[worker].recv().unwrap_or_else(|_| {
            // its panic is ours, as if the work had been done here
            if let Some(Err(panic)) = self.threads[worker].take().map(JoinHandle::join) {
                std::panic::resume_unwind(panic);
            }
            let reason = format!("batch {} of {} did not arrive", self.next + 1, self.end);
            Err(DataError::Worker { reason })
        });
        self.next = if item.is_ok() { self.next + 1 } else { self.end };
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.end - self.next))
    }
}

impl Drop for Epoch {
    fn drop(&mut self) {
        // workers stop at their next send
        self.queues.clear();
        for thread in self.threads.drain(..).flatten() {
            // another worker's panic, or an error, is on its way
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use image::Rgb;

    use super::*;
    use crate::augment::{InputConfig, ResizeRule};

    fn samples(folder: &Path, count: usize) -> Arc<[Sample]> {
        (0..count)
            .map(|i| {
                let image = folder.join(format!("{i}.png"));
                let (width, height) = (20 + i as u32, 24);
                RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, i as u8])).save(&image).unwrap();
                Sample { id: i.to_string(), image, label: i % 2, mask: None, group: None }
            })
            .collect()
    }

    fn loader(samples: &Arc<[Sample]>, seed: u64, workers: usize) -> TrainLoader {
        let config = InputConfig { resize: ResizeRule::ShortSide, size: 18, crop: 16, ..InputConfig::default() };
        TrainLoader::new(Arc::clone(samples), Augmenter::new(config), 4, seed, workers)
    }

    fn batches(loader: &TrainLoader, epoch: u64) -> Vec<Batch> {
        loader.epoch(epoch).map(Result::unwrap).collect()
    }

    #[test]
    fn every_sample_once_the_same_for_any_number_of_workers() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples(folder.path(), 23);
        let one = loader(&samples, 7, 1);
        let first = batches(&one, 0);
        assert_eq!(first.iter().map(|batch| batch.batch).collect::<Vec<_>>(), [4, 4, 4, 4, 4, 3]);
        for batch in &first {
            assert_eq!((batch.images.len(), batch.height, batch.width), (batch.batch * 3 * 16 * 16, 16, 16));
            assert!(batch.indices.iter().zip(&batch.labels).all(|(index, label)| index % 2 == *label));
        }
        let order = |batches: &[Batch]| batches.iter().flat_map(|batch| batch.indices.clone()).collect::<Vec<_>>();
        let mut all = order(&first);
        all.sort();
        assert_eq!(all, (0..23).collect::<Vec<_>>());
        // again from the cache, with other workers, and from the middle of a run
        assert_eq!(batches(&one, 0), first);
        for workers in [2, 5, 40] {
            assert_eq!(batches(&loader(&samples, 7, workers), 0), first);
        }
        assert_ne!(order(&batches(&one, 1)), order(&first));
        assert_ne!(order(&batches(&loader(&samples, 8, 1), 0)), order(&first));
        assert_eq!(batches(&loader(&samples, 7, 2), 1), batches(&one, 1));
    }

    #[test]
    fn tissue_goes_where_its_image_goes_and_is_absent_without_glass() {
        let folder = tempfile::tempdir().unwrap();
        let sample = |(index, glass): (usize, u32)| {
            let image = folder.path().join(format!("{index}.png"));
            let colour = |x| if x < glass { [244, 243, 245] } else { [150, 80, 140] };
            RgbImage::from_fn(96, 64, |x, _| Rgb(colour(x))).save(&image).unwrap();
            Sample { id: index.to_string(), image, label: 0, mask: None, group: None }
        };
        let still = InputConfig { brightness: 0.0, contrast: 0.0, saturation: 0.0, hue: 0.0, ..InputConfig::default() };
        let config = InputConfig { resize: ResizeRule::None, crop: 48, rotate90: true, ..still };
        let loader = |glass: &[u32]| {
            let samples: Arc<[Sample]> = glass.iter().copied().enumerate().map(sample).collect();
            TrainLoader::new(samples, Augmenter::new(config.clone()), 4, 0, 1).with_tissue()
        };
        let with_glass = loader(&[48, 0]);
        let mut glass = 0;
        for epoch in 0..8 {
            for batch in batches(&with_glass, epoch).into_iter().filter(|batch| !batch.tissue.is_empty()) {
                let pixels = batch.height * batch.width;
                assert_eq!((batch.tissue.len(), batch.masks.len()), (2 * pixels, 0));
                for (image, tissue) in batch.images.chunks(3 * pixels).zip(batch.tissue.chunks(pixels)) {
                    // red, the first plane, is bright in glass; where they meet, glass is blurred
                    let agree =
                        image.iter().zip(tissue).filter(|&(&red, &tissue)| (red < 0.5) == (tissue > 0.0)).count();
                    assert!(agree as f64 > 0.9 * pixels as f64, "{agree} of {pixels}");
                    glass += tissue.iter().filter(|&&tissue| tissue == 0.0).count();
                }
            }
        }
        assert!(glass > 5000, "{glass}");
        assert!(batches(&loader(&[0, 0]), 0).iter().all(|batch| batch.tissue.is_empty() && batch.images.len() > 1));
    }

    #[test]
    fn errors_name_the_file_and_end_the_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let samples = samples(folder.path(), 12);
        std::fs::remove_file(folder.path().join("5.png")).unwrap();
        let loader = loader(&samples, 0, 2);
        let items: Vec<_> = loader.epoch(0).collect();
        let (last, before) = items.split_last().unwrap();
        assert!(before.iter().all(Result::is_ok));
        let text = last.as_ref().unwrap_err().to_string();
        assert!(text.contains("5.png"), "{text}");
    }

    #[test]
    fn an_abandoned_epoch_stops_its_workers() {
        let folder = tempfile::tempdir().unwrap();
        let loader = loader(&samples(folder.path(), 40), 0, 2);
        let mut epoch = loader.epoch(0);
        epoch.next().unwrap().unwrap();
        assert!(Arc::strong_count(&loader.source) > 1);
        drop(epoch);
        assert_eq!(Arc::strong_count(&loader.source), 1);
        assert_eq!(loader.batches_per_epoch(), 10);
    }

    #[test]
    fn a_panic_in_a_worker_is_one_here() {
        let folder = tempfile::tempdir().unwrap();
        let mut loader = loader(&samples(folder.path(), 12), 0, 2);
        // a bug: no place in the cache for any image
        loader.source = Arc::new(Source { cache: Arc::new(Cache::new(0, 0)), ..(*loader.source).clone() });
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| loader.epoch(0).count()));
        let panic = caught.unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("index out of bounds"), "{text}");
        assert_eq!(Arc::strong_count(&loader.source), 1, "a worker still runs");
    }

    #[test]
    fn the_cache_keeps_to_its_limit() {
        let cache = Cache::new(3, 100);
        let mut made = 0;
        for index in [0, 1, 0, 1, 2] {
            let make = || {
                made += 1;
                Ok::<_, ()>(Prepared { image: RgbImage::new(5, 4), beside: None })
            };
            let size = cache.with(index, make, |prepared| Ok(prepared.image.dimensions())).unwrap();
            assert_eq!(size, (5, 4));
        }
        // 60 bytes each: only the first fits
        assert_eq!((made, cache.bytes_left.into_inner()), (4, 40));
    }
}
