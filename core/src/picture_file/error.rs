use std::fmt::Display;

use image::ImageError;

/// Why the bytes of a file are no picture or no mask.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Not one of the formats that are read.
    #[error(
        "not an image this program reads{}{found}{}; convert it to PNG, JPEG, TIFF, BMP or WebP",
        if found.is_empty() { "" } else { " (" }, if found.is_empty() { "" } else { ")" }
    )]
    UnknownFormat {
        /// What it is instead, or nothing.
        found: &'static str,
    },
    /// Stops half-way or is damaged.
    #[error("cannot be decoded ({0}); is the file complete? Copy or export it again")]
    Damaged(String),
    /// More than the limits allow.
    #[error("{width}×{height} pixels are too large; cut it into patches")]
    TooLarge {
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },
    /// A header that promises more than the decoder may take.
    #[error("decoding it would take too much memory; if it is as large as it says, cut it into patches")]
    TooMuchMemory,
    /// Read, it would not be what is meant, or it cannot be read.
    #[error("{what}; {remedy}")]
    Refused {
        /// What stands against it.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A mask that does not cover its image exactly.
    #[error(
        "the mask is {}×{} pixels but its image is {}×{}; {}",
        .mask.0, .mask.1, .image.0, .image.1, size_remedy(*.mask, *.image)
    )]
    MaskSize {
        /// Width and height of the mask.
        mask: (u32, u32),
        /// Width and height of the image.
        image: (u32, u32),
    },
}

fn size_remedy(mask: (u32, u32), image: (u32, u32)) -> &'static str {
    if mask == (image.1, image.0) {
        "images are turned upright as their EXIF orientation says, so export the mask of the upright image"
    } else {
        "export the mask at the image's size"
    }
}

impl PictureError {
    pub(super) fn refused(what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Refused { what: what.into(), remedy }
    }

    /// What a decoder says, on one line.
    pub(super) fn damaged(what: impl Display) -> Self {
        let what = what.to_string();
        let words: Vec<_> = what.split_whitespace().map(|word| word.trim_matches('"')).collect();
        Self::Damaged(words.join(" "))
    }

    pub(super) fn from_image(error: ImageError) -> Self {
        match error {
            ImageError::Unsupported(error) => {
                Self::refused(format!("this kind of it is not read ({error})"), "save it as PNG or as plain TIFF")
            }
            // a decoder may refuse a header before it can be asked for the size, as on 32 bits
            ImageError::Limits(_) => Self::TooMuchMemory,
            error => Self::damaged(error),
        }
    }
}
