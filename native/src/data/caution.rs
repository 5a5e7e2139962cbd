use std::collections::BTreeSet;
use std::mem::{Discriminant, discriminant};
use std::path::{Path, PathBuf};

use histomask_core::caution::Caution;
use histomask_core::picture_file::{MaskNotes, PictureNotes};

/// How many files are of a kind, and the first.
#[derive(Debug, Default)]
struct Tally {
    count: usize,
    first: Option<PathBuf>,
}

impl Tally {
    fn add_if(&mut self, so: bool, path: &Path) {
        if so {
            self.count += 1;
            self.first.get_or_insert_with(|| path.to_owned());
        }
    }
}

/// What images and masks look like that are read, but perhaps not as they were meant.
#[derive(Debug, Default)]
pub struct Cautions {
    images: usize,
    masks: usize,
    dark: Tally,
    lossy: Tally,
    soft: Tally,
    flat: Tally,
    corners: Tally,
    classes: Tally,
    shared: Tally,
    seen: BTreeSet<PathBuf>,
    /// Of each kind, with a sentence about the first.
    doubtful: Vec<(Discriminant<Caution>, Tally, String)>,
}

impl Cautions {
    /// Takes in an image.
    pub fn image(&mut self, path: &Path, notes: &PictureNotes) {
        self.images += 1;
        self.dark.add_if(notes.unused_bits.is_some(), path);
    }

    /// Takes in what makes an image's result doubtful, but that bits are unused and it is black for that:
    /// [`Self::image`] tells.
    pub fn doubts(&mut self, path: &Path, cautions: &[Caution]) {
        let unused = cautions.iter().any(|caution| matches!(caution, Caution::UnusedBits));
        let told = |caution: &Caution| unused && matches!(caution, Caution::UnusedBits | Caution::NearlyBlack);
        for caution in cautions.iter().filter(|caution| !told(caution)) {
            let kind = discriminant(caution);
            let at = self.doubtful.iter().position(|(other, ..)| *other == kind).unwrap_or_else(|| {
                self.doubtful.push((kind, Tally::default(), caution.to_string()));
                self.doubtful.len() - 1
            });
            if let Some((_, tally, _)) = self.doubtful.get_mut(at) {
                tally.add_if(true, path);
            }
        }
    }

    /// Takes in a mask with its foreground in percent.
    pub fn mask(&mut self, path: &Path, notes: MaskNotes, foreground: f64) {
        self.masks += 1;
        self.lossy.add_if(notes.lossy, path);
        self.soft.add_if(notes.soft, path);
        self.flat.add_if(foreground <= 0.0 || foreground >= 100.0, path);
        self.corners.add_if(notes.corners, path);
        self.classes.add_if(notes.classes, path);
        // one mask without foreground may be that of all normal tissue
        self.shared.add_if(foreground > 0.0 && !self.seen.insert(path.to_owned()), path);
    }

    /// One sentence for each thing that should be known.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let (images, masks) = (self.images, self.masks);
        let any = |tally: &Tally, of: usize, what: &str| {
            let first = tally.first.as_ref()?;
            Some(format!("{} of {of} {what} (first {})", tally.count, first.display()))
        };
        let most = |tally: &Tally, what: &str| {
            (masks > 1 && 2 * tally.count > masks).then(|| any(tally, masks, what)).flatten()
        };
        let doubts = self.doubtful.iter().filter_map(|(_, tally, sentence)| {
            any(tally, images, "images are doubtful").map(|line| format!("{line}: {sentence}"))
        });
        [
            any(
                &self.dark,
                images,
                "images have 16 bits whose upper ones are unused, so they are nearly black; scale them",
            ),
            any(&self.lossy, masks, "masks are JPEG or lossy WebP, whose edges are not exact; export them as PNG"),
            any(
                &self.soft,
                masks,
                "masks have many grey levels as if blurred or resized, all of which but 0 count as foreground",
            ),
            any(
                &self.classes,
                masks,
                "masks are polygons of several classes, all of which count as foreground; export the class that is meant",
            ),
            any(
                &self.shared,
                masks,
                "masks with foreground are files that an image before has too; give each image a mask of its own",
            ),
            most(&self.flat, "masks are 0 % or 100 % foreground; is 0 their background?"),
            most(
                &self.corners,
                "masks are foreground in all four corners and not everywhere; if they are black on white, invert them",
            ),
        ]
        .into_iter()
        .flatten()
        .chain(doubts)
        .collect()
    }
}

/// Foreground of a mask that was read, in percent.
#[must_use]
pub fn foreground_percent(mask: &[u8]) -> f64 {
    let foreground = mask.iter().filter(|&&value| value > 0).count();
    100.0 * foreground as f64 / mask.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_of_several_images_is_told_unless_it_is_empty() {
        let mut cautions = Cautions::default();
        for (path, foreground) in [("a.png", 20.0), ("b.png", 30.0), ("none.png", 0.0), ("none.png", 0.0)] {
            cautions.mask(Path::new(path), MaskNotes::default(), foreground);
        }
        assert!(cautions.lines().is_empty(), "{:?}", cautions.lines());
        cautions.mask(Path::new("b.png"), MaskNotes::default(), 30.0);
        let lines = cautions.lines();
        assert!(lines.len() == 1 && lines.iter().all(|line| line.contains("1 of 5") && line.contains("first b.png")));
    }
}
