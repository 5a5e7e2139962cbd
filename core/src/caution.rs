//! What makes a result doubtful before anybody has looked at it: images that are not what a model has learnt from.
//!
//! A model answers whatever it is shown, a white image too. [`cautions`] says when not to believe the answer; it never
//! refuses one. Its limits are ours, set on the images of GlaS, the page's samples and made-up images, and are no test
//! of a scanner or a stain.

use std::fmt;

use crate::card::ModelCard;
use crate::preprocess::RgbView;

/// Short sides below show less than a gland.
const TINY: usize = 64;
/// Share of pixels that must be white or black for an image to be called so.
const NEARLY_ALL: f64 = 0.97;
/// Mean of a pixel's channels from which it is white, and up to which it is black.
const WHITE: u32 = 235;
const BLACK: u32 = 24;
/// Levels within which all but a hundredth of an image's pixels lie, if there is nothing in it.
const FLAT: usize = 6;
/// Share of the rows, from the bottom, that may be of one colour that is not white.
const FILLED: f64 = 0.08;
/// Factor between the microns per pixel that the network sees and those that it has learnt from.
const OFF_SCALE: f64 = 1.5;
/// Factor by which an image is resized for the network.
const RESIZED: f64 = 4.0;
/// Least share of stained pixels whose green is the darkest channel, as haematoxylin, eosin and their mixtures have it.
const PINK_TO_BLUE: f64 = 0.55;
/// Least mean difference between the channels of stained pixels: below it is a grey picture.
const GREY: f64 = 8.0;
/// Pixels looked at, at most.
const SAMPLES: usize = 1 << 16;

/// What is known of an image besides its pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// Microns per pixel.
    pub mpp: Option<f64>,
    /// Whether the file's 16 bits were hardly used.
    pub unused_bits: bool,
}

/// A reason to doubt a result.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Caution {
    /// One colour, neither white nor black.
    Blank,
    /// Glass, or nothing.
    NearlyWhite,
    /// No light.
    NearlyBlack,
    /// A lower part of one colour, as decoders leave it where a file is cut off.
    PartlyBlank {
        /// Share of the height, 0 to 1.
        share: f64,
    },
    /// Too few pixels to show tissue.
    Tiny {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// The image's microns per pixel are not those that the model has learnt from.
    OffScale {
        /// Microns per pixel that the network sees.
        seen: f64,
        /// Microns per pixel of its training images.
        learnt: f64,
    },
    /// Much enlarged or reduced for the network.
    Resized {
        /// Sides after by sides before.
        factor: f64,
    },
    /// 16 bits of which the upper ones are unused.
    UnusedBits,
    /// No colours, or not those of haematoxylin and eosin.
    Colours,
}

impl Caution {
    /// A few words, for a column of a table.
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Blank => "blank".into(),
            Self::NearlyWhite => "nearly white".into(),
            Self::NearlyBlack => "nearly black".into(),
            Self::PartlyBlank { .. } => "partly blank".into(),
            Self::Tiny { .. } => "tiny".into(),
            Self::OffScale { seen, learnt } => format!("{seen:.2} µm per pixel where the model knows {learnt:.2}"),
            Self::Resized { factor } if *factor > 1.0 => format!("enlarged {factor:.0} times"),
            Self::Resized { factor } => format!("reduced {:.0} times", factor.recip()),
            Self::UnusedBits => "16 bits unused".into(),
            Self::Colours => "colours unlike H&E".into(),
        }
    }
}

impl fmt::Display for Caution {
    /// A sentence for whoever reads the result.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => write!(f, "The image is nearly of one colour: there is nothing in it to judge."),
            Self::NearlyWhite => write!(f, "The image is nearly white: there is hardly any tissue in it to judge."),
            Self::NearlyBlack => write!(f, "The image is nearly black: there is hardly anything in it to judge."),
            Self::PartlyBlank { share } => {
                let percent = 100.0 * share;
                write!(f, "The lower {percent:.0} % of the image are of one colour: is the file complete?")
            }
            Self::Tiny { width, height } => {
                write!(f, "The image has only {width} × {height} pixels, too few to show tissue.")
            }
            Self::OffScale { seen, learnt } => write!(
                f,
                "The model sees {seen:.2} µm per pixel here and has learnt from {learnt:.2} µm: it may not know tissue at \
                 this magnification."
            ),
            Self::Resized { factor } if *factor > 1.0 => {
                write!(f, "The image was enlarged {factor:.0} times for the model: it shows less than the model needs.")
            }
            Self::Resized { factor } => write!(
                f,
                "The image was reduced {:.0} times for the model: cut a patch of it, or predict it as a slide.",
                factor.recip()
            ),
            Self::UnusedBits => {
                write!(f, "Of the image's 16 bits the upper ones are unused, so it is nearly black; scale it.")
            }
            Self::Colours => write!(
                f,
                "The colours are not those of haematoxylin and eosin; a model that has learnt from H&E does not know them."
            ),
        }
    }
}

/// Cautions as a cell of a table: empty where there are none.
#[must_use]
pub fn cell(cautions: &[Caution]) -> String {
    cautions.iter().map(Caution::short).collect::<Vec<_>>().join("; ")
}

/// What to say of a result of this image by this model.
#[must_use]
pub fn cautions(image: RgbView<'_>, known: Known, card: &ModelCard) -> Vec<Caution> {
    let mut found = of_content(image, known.unused_bits);
    found.extend(of_scale(image.width(), image.height(), known.mpp, card));
    found
}

/// The part of [`cautions`] that the pixels decide.
#[must_use]
pub fn of_content(image: RgbView<'_>, unused_bits: bool) -> Vec<Caution> {
    let (width, height) = (image.width(), image.height());
    let mut found = Vec::new();
    if unused_bits {
        found.push(Caution::UnusedBits);
    }
    if width.min(height) < TINY {
        found.push(Caution::Tiny { width, height });
    }
    let seen = Seen::of(image);
    if let Some(empty) = seen.empty() {
        found.push(empty);
    } else {
        let share = filled_rows(image);
        if share > FILLED {
            found.push(Caution::PartlyBlank { share });
        }
        if seen.is_off_colour() {
            found.push(Caution::Colours);
        }
    }
    found
}

/// The part of [`cautions`] that the image's size and scale decide: `mpp` are its microns per pixel, where they are known.
#[must_use]
pub fn of_scale(width: usize, height: usize, mpp: Option<f64>, card: &ModelCard) -> Option<Caution> {
    let target = card.input.resize.target(width, height, card.input.size);
    let factors = [target[0] as f64 / width as f64, target[1] as f64 / height as f64];
    let off = |value: f64| value.max(value.recip());
    if let (Some(own), Some(learnt)) = (mpp, card.mpp) {
        let seen = own / (factors[0] * factors[1]).sqrt();
        return (off(seen / learnt) > OFF_SCALE).then_some(Caution::OffScale { seen, learnt });
    }
    let factor = if off(factors[0]) > off(factors[1]) { factors[0] } else { factors[1] };
    (off(factor) > RESIZED).then_some(Caution::Resized { factor })
}

/// What an even sample of an image's pixels tells.
struct Seen {
    pixels: f64,
    white: f64,
    black: f64,
    /// Of the mean of the channels.
    levels: [usize; 256],
    stained: f64,
    pink_to_blue: f64,
    /// Sum over stained pixels of the largest channel less the smallest.
    colour: f64,
}

impl Seen {
    fn of(image: RgbView<'_>) -> Self {
        let mut seen = Self {
            pixels: 0.0,
            white: 0.0,
            black: 0.0,
            levels: [0; 256],
            stained: 0.0,
            pink_to_blue: 0.0,
            colour: 0.0,
        };
        // a step that shares no factor with the width would be ideal; an odd one runs over all columns soon enough
        let step = (image.width() * image.height() / SAMPLES).max(1) | 1;
        for &[red, green, blue] in image.pixels().as_chunks::<3>().0.iter().step_by(step) {
            let mean = (u32::from(red) + u32::from(green) + u32::from(blue)) / 3;
            seen.pixels += 1.0;
            seen.white += f64::from(u8::from(mean >= WHITE));
            seen.black += f64::from(u8::from(mean <= BLACK));
            seen.levels[mean.min(255) as usize] += 1;
            if (40..220).contains(&mean) {
                let least = red.min(green).min(blue);
                seen.stained += 1.0;
                seen.pink_to_blue += f64::from(u8::from(green <= red.min(blue).saturating_add(6)));
                seen.colour += f64::from(red.max(green).max(blue) - least);
            }
        }
        seen
    }

    /// Nothing to see, by kind.
    fn empty(&self) -> Option<Caution> {
        let nearly_all = NEARLY_ALL * self.pixels;
        if self.white >= nearly_all {
            return Some(Caution::NearlyWhite);
        }
        if self.black >= nearly_all {
            return Some(Caution::NearlyBlack);
        }
        let outliers = (self.pixels / 200.0) as usize;
        // the first level beyond which more than a few lie, from either end
        let inner = |count: &mut usize, level: usize| {
            *count += self.levels[level];
            Some((*count > outliers).then_some(level))
        };
        let low = (0..256).scan(0, inner).flatten().next().unwrap_or(0);
        let high = (0..256).rev().scan(0, inner).flatten().next().unwrap_or(255);
        (high.saturating_sub(low) < FLAT).then_some(Caution::Blank)
    }

    fn is_off_colour(&self) -> bool {
        // hardly anything stained: nothing to say of its colours
        self.stained >= 0.02 * self.pixels
            && (self.pink_to_blue < PINK_TO_BLUE * self.stained || self.colour < GREY * self.stained)
    }
}

/// Share of the rows, from the bottom, that are of the last pixel's colour throughout; 0 where that is white.
fn filled_rows(image: RgbView<'_>) -> f64 {
    let pixels = image.pixels().as_chunks::<3>().0;
    let Some(last) = pixels.last() else { return 0.0 };
    if last.iter().all(|&value| u32::from(value) >= WHITE) {
        return 0.0;
    }
    let near = |pixel: &[u8; 3]| pixel.iter().zip(last).all(|(one, other)| one.abs_diff(*other) <= 2);
    let rows = pixels.chunks_exact(image.width()).rev().take_while(|row| row.iter().all(near)).count();
    rows as f64 / image.height() as f64
}
