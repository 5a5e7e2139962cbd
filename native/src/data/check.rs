//! Reading a whole data set before training, so that an hour of training cannot end at a broken file.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use histomask_core::RgbView;
use histomask_core::caution::{Caution, of_content};
use histomask_core::picture_file::{MaskNotes, PictureNotes};

use super::alike::{self, Look};
use super::image::{read_mask_noted, read_rgb_noted};
use super::{Cautions, DataError, Dataset, Sample, Split, foreground_percent};

/// How many problems [`Problems`] prints.
const LISTED: usize = 20;

/// A sound data set in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Class names.
    pub classes: Vec<String>,
    /// Train, valid, test.
    pub counts: Vec<SplitCounts>,
    /// Smallest width and smallest height, in pixels.
    pub smallest: (u32, u32),
    /// Largest width and largest height, in pixels.
    pub largest: (u32, u32),
    /// Width and height of every validation image, in pixels.
    pub valid_sizes: Vec<(PathBuf, (u32, u32))>,
    /// BLAKE3, as 64 hexadecimal digits, over id, label, split and decoded pixels of every sample in sorted order.
    /// Pixels, not files: GlaS in BMP and in PNG hash the same.
    pub hash: String,
    /// What is sound enough to train on and should be known: sentences for the user.
    pub warnings: Vec<String>,
}

/// One split in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCounts {
    /// Which split.
    pub split: Split,
    /// Images per class.
    pub per_class: Vec<usize>,
    /// Images with a mask.
    pub masks: usize,
}

/// One thing wrong with a data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Problem {
    /// An image or mask that cannot be used.
    #[error(transparent)]
    File(DataError),
    /// Nothing can be learnt from a single class.
    #[error("there is only the class `{0}`; training needs images of at least two classes")]
    OneClass(String),
    /// A class nobody can learn.
    #[error("class `{0}` has no image in train; add some or take it off the class names")]
    NotInTrain(String),
    /// A split without images.
    #[error("{0} is empty; add images to it, or change `valid_fraction` and `test_fraction`")]
    EmptySplit(Split),
    /// Results on the second split would be too good.
    #[error(
        "{} ({first_split}) and {} ({second_split}) are the same image; remove one",
        .first.display(), .second.display()
    )]
    Leak {
        /// One file.
        first: PathBuf,
        /// Its split.
        first_split: Split,
        /// The other file, which may be the same.
        second: PathBuf,
        /// Its split.
        second_split: Split,
    },
    /// One of the labels must be wrong.
    #[error("{} and {} are the same image with different classes; correct one", .first.display(), .second.display())]
    TwoLabels {
        /// One file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
}

/// Everything wrong with a data set; prints up to 20 of them.
#[derive(Debug)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} problem(s) to solve before training", self.0.len())?;
        for problem in self.0.iter().take(LISTED) {
            write!(f, "\n  - {problem}")?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  … and {more} more"),
        }
    }
}

/// Decodes every image and mask on all cores and looks for what would spoil a training run: damaged files, masks of
/// another size, one class only, classes or splits without images, and the same image in two splits or classes.
///
/// `progress` is called with the number of samples done and their total, from several threads.
///
/// # Errors
/// [`DataError::Problems`] with all problems found.
pub fn check(dataset: &Dataset, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Summary, DataError> {
    let samples: Vec<_> = dataset.samples().collect();
    let done = AtomicUsize::new(0);
    let read: Vec<_> = samples
        .par_iter()
        .map(|(_, sample)| {
            let read = Contents::read(sample);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, samples.len());
            read
        })
        .collect();

    let mut problems = structure_problems(dataset);
    let mut readable = Vec::new();
    for ((split, sample), read) in samples.into_iter().zip(read) {
        match read {
            Ok(contents) => readable.push((split, sample, contents)),
            Err(error) => problems.push(Problem::File(error)),
        }
    }
    problems.extend(duplicates(&readable));
    if !problems.is_empty() {
        return Err(DataError::Problems { root: dataset.root.clone(), problems: Problems(problems) });
    }
    Ok(summary(dataset, &readable))
}

/// What reading a sample tells.
struct Contents {
    pixels: blake3::Hash,
    size: (u32, u32),
    notes: PictureNotes,
    /// What makes it doubtful that there is something to learn from.
    doubts: Vec<Caution>,
    /// What a copy of it in another format or size has too.
    look: Look,
    /// Of its mask, and the mask's foreground in percent.
    mask: Option<(MaskNotes, f64)>,
}

impl Contents {
    fn read(sample: &Sample) -> Result<Self, DataError> {
        let (image, notes) = read_rgb_noted(&sample.image)?;
        let mask = sample.mask.as_ref().map(|mask| read_mask_noted(mask, image.dimensions())).transpose()?;
        let mask = mask.map(|(mask, notes)| (notes, foreground_percent(mask.as_raw())));
        let view = RgbView::new(image.as_raw(), image.width() as usize, image.height() as usize);
        let doubts = view.map(|view| of_content(view, notes.unused_bits.is_some())).unwrap_or_default();
        // other stains can be learnt
        let doubts = doubts.into_iter().filter(|doubt| !matches!(doubt, Caution::Colours)).collect();
        let (pixels, look, size) = (hash_pixels(&image), Look::of(&image), image.dimensions());
        Ok(Self { pixels, size, notes, doubts, look, mask })
    }
}

fn hash_pixels(image: &RgbImage) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&image.width().to_le_bytes()).update(&image.height().to_le_bytes()).update(image.as_raw());
    hasher.finalize()
}

fn structure_problems(dataset: &Dataset) -> Vec<Problem> {
    let mut problems = Vec::new();
    // without test images one can train, without validation images where the last epoch is kept
    if dataset.train.is_empty() {
        problems.push(Problem::EmptySplit(Split::Train));
    }
    if let [class] = dataset.classes.as_slice() {
        problems.push(Problem::OneClass(class.clone()));
    }
    let missing = |label: &usize| !dataset.train.iter().any(|sample| sample.label == *label);
    let absent = (0..dataset.classes.len()).filter(missing);
    problems.extend(absent.map(|label| Problem::NotInTrain(dataset.classes[label].clone())));
    problems
}

fn duplicates(samples: &[(Split, &Sample, Contents)]) -> Vec<Problem> {
    let mut seen = HashMap::new();
    let mut problems = Vec::new();
    for (split, sample, contents) in samples {
        let &mut (first_split, first) = seen.entry(contents.pixels).or_insert((*split, *sample));
        let (first_image, second) = (first.image.clone(), sample.image.clone());
        if first_split != *split {
            problems.push(Problem::Leak { first: first_image, first_split, second, second_split: *split });
        } else if first.label != sample.label {
            problems.push(Problem::TwoLabels { first: first_image, second });
        }
    }
    problems
}

fn summary(dataset: &Dataset, samples: &[(Split, &Sample, Contents)]) -> Summary {
    let counts = Split::ALL.map(|split| {
        let members = dataset.split(split);
        let of_class = |label| members.iter().filter(|sample| sample.label == label).count();
        SplitCounts {
            split,
            per_class: (0..dataset.classes.len()).map(of_class).collect(),
            masks: members.iter().filter(|sample| sample.mask.is_some()).count(),
        }
    });
    let (mut smallest, mut largest) = ((u32::MAX, u32::MAX), (0, 0));
    for (_, _, Contents { size: (width, height), .. }) in samples {
        smallest = (smallest.0.min(*width), smallest.1.min(*height));
        largest = (largest.0.max(*width), largest.1.max(*height));
    }
    let valid = samples.iter().filter(|(split, ..)| *split == Split::Valid);
    let valid_sizes = valid.map(|(_, sample, contents)| (sample.image.clone(), contents.size)).collect();
    let mut lines: Vec<_> = samples
        .iter()
        .map(|(split, sample, contents)| format!("{}\t{}\t{split}\t{}\n", sample.id, sample.label, contents.pixels))
        .collect();
    lines.sort();
    let hash = blake3::hash(lines.concat().as_bytes()).to_string();
    let warnings = warnings(samples);
    let classes = dataset.classes.clone();
    Summary { classes, counts: counts.to_vec(), smallest, largest, valid_sizes, hash, warnings }
}

fn warnings(samples: &[(Split, &Sample, Contents)]) -> Vec<String> {
    let mut cautions = Cautions::default();
    for (_, sample, contents) in samples {
        cautions.image(&sample.image, &contents.notes);
        cautions.doubts(&sample.image, &contents.doubts);
        if let Some((path, (notes, foreground))) = sample.mask.as_ref().zip(contents.mask) {
            cautions.mask(path, notes, foreground);
        }
    }
    let looks: Vec<_> = samples
        .iter()
        .map(|(split, sample, contents)| (*split, sample.label, &*sample.image, &contents.look))
        .collect();
    cautions.lines().into_iter().chain(alike::warnings(&looks)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::path::Path;

    use super::*;
    use crate::data::{DataConfig, Layout};

    fn save(root: &Path, name: &str, shade: u8) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        RgbImage::from_pixel(9, 7, ::image::Rgb([shade, 0, 0])).save(path).unwrap();
    }

    fn small(extension: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (shade, name) in ["train/a/1", "train/b/1", "valid/a/1", "valid/b/1"].iter().enumerate() {
            save(root.path(), &format!("{name}.{extension}"), shade as u8);
        }
        root
    }

    fn run(root: &tempfile::TempDir) -> Result<Summary, DataError> {
        check(&Dataset::open(root.path(), &DataConfig::default()).unwrap(), &|_, _| {})
    }

    #[test]
    fn a_sound_set_is_summed_up_and_hashed() {
        let (root, calls) = (small("png"), AtomicUsize::new(0));
        save(root.path(), "masks/train/a/1.png", 1);
        let dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        let summary = check(&dataset, &|_, total| {
            assert_eq!(total, 4);
            calls.fetch_add(1, Ordering::Relaxed);
        });
        let summary = summary.unwrap();
        assert_eq!(calls.into_inner(), 4);
        assert_eq!((summary.smallest, summary.largest), ((9, 7), (9, 7)));
        assert_eq!((&summary.counts[0].per_class, summary.counts[0].masks), (&vec![1, 1], 1));
        assert_eq!(summary.hash, run(&small("png")).unwrap().hash, "masks and folders do not count");
        let changed = small("png");
        save(changed.path(), "train/a/1.png", 99);
        assert_ne!(summary.hash, run(&changed).unwrap().hash);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let root = small("png");
        save(root.path(), "train/a/leak.png", 2);
        save(root.path(), "train/b/twice.png", 0);
        RgbImage::new(3, 3).save(root.path().join("train/b/1_mask.png")).unwrap();
        std::fs::write(root.path().join("valid/b/broken.png"), b"\x89PNG\r\n\x1a\n").unwrap();
        let error = run(&root).unwrap_err();
        let DataError::Problems { problems: Problems(problems), .. } = &error else { panic!("{error}") };
        assert_eq!(problems.len(), 4, "{error}");
        let text = error.to_string();
        for part in ["4 problem(s)", "leak.png (train) and", "twice.png are the same image with", "3×3", "broken.png"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn one_class_and_empty_splits_are_refused() {
        let root = small("png");
        let mut dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        dataset.train.truncate(1);
        dataset.valid.clear();
        dataset.layout = Layout::Table;
        let text = check(&dataset, &|_, _| {}).unwrap_err().to_string();
        assert!(!text.contains("valid is empty") && text.contains("class `b` has no image in train"), "{text}");
        dataset.classes.truncate(1);
        assert!(check(&dataset, &|_, _| {}).unwrap_err().to_string().contains("only the class `a`"));
        let many = Problems((0..25).map(|i| Problem::OneClass(i.to_string())).collect());
        assert!(many.to_string().ends_with("… and 5 more") && many.to_string().lines().count() == 22);
    }
}
