/// Why a file is no slide, or why a part of it cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlideError {
    /// The system could not read.
    #[error("cannot be read ({0})")]
    Io(#[from] std::io::Error),
    /// No TIFF.
    #[error(
        "not a slide this program reads (SVS, TIFF, BigTIFF, OME-TIFF, Philips TIFF); convert it to pyramidal TIFF"
    )]
    NotTiff,
    /// The file ends too early.
    #[error("{0} is cut off; is the file complete? Copy it again")]
    CutOff(&'static str),
    /// A directory names an earlier one as its next.
    #[error("its directories form a circle; the file is damaged, copy or convert it again")]
    Cyclic,
    /// What a page says of itself cannot be.
    #[error("page {page}: {reason}; the file is damaged, copy or convert it again")]
    Damaged {
        /// Counted from 1.
        page: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another maker's format, which this reader does not know and OpenSlide does.
    #[error("{0}, which this reader does not read; convert it to pyramidal TIFF, for example by `vips tiffsave`")]
    Foreign(&'static str),
    /// What another reader says.
    #[error("{0}")]
    Other(String),
    /// Of a kind that is not read.
    #[error("{what}; {remedy}")]
    Unsupported {
        /// The kind.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A tile is missing or damaged.
    #[error("level {level}, tile in column {column}, row {row}: {reason}; the file is damaged there")]
    Tile {
        /// The level, 0 the finest.
        level: usize,
        /// From the left, from 0.
        column: u32,
        /// From the top, from 0.
        row: u32,
        /// What is wrong with it.
        reason: String,
    },
    /// An associated image is damaged.
    #[error("its image `{name}`: {reason}")]
    Associated {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such level or associated image.
    #[error("it has no {0}")]
    Absent(String),
    /// More pixels than may be held at once.
    #[error("{width}×{height} pixels at once are too many; ask for a smaller region or a coarser level")]
    TooLarge {
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
    },
    /// The size of a pixel is needed and unknown.
    #[error("it does not say how large a pixel is; name its microns per pixel")]
    NoMpp,
}

impl SlideError {
    pub(super) fn unsupported(what: impl Into<String>) -> Self {
        let remedy = "convert it to pyramidal TIFF with JPEG tiles, for example by `vips tiffsave --tile --pyramid`";
        Self::Unsupported { what: what.into(), remedy }
    }
}
