//! What of the files that were given is not used, and why.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names that a message lists.
const LISTED: usize = 3;

/// Why a file is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Hidden, or the system's own. Not worth an error.
    Hidden,
    /// A folder of results of this program, or a file of such. Not worth an error either.
    Results,
    /// Looks like an image of a kind that is not read.
    Unreadable,
    /// An image that nothing gives a class.
    NoLabel,
    /// A mask that belongs to no image.
    MaskWithoutImage,
    /// An image without a mask where most have one.
    NoMask,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Hidden => "hidden or the system's own",
            Self::Results => "results of this program",
            Self::Unreadable => "of a format that is not read",
            Self::NoLabel => "without a label",
            Self::MaskWithoutImage => "masks that match no image",
            Self::NoMask => "images without a mask, where most have one",
        }
    }
}

/// Files that are left out, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(BTreeMap<Reason, Vec<PathBuf>>);

impl LeftOut {
    /// Adds a file.
    pub fn add(&mut self, reason: Reason, path: &Path) {
        self.0.entry(reason).or_default().push(path.to_owned());
    }

    /// Files left out for a reason.
    pub fn count(&self, reason: Reason) -> usize {
        self.0.get(&reason).map_or(0, Vec::len)
    }

    /// Whether something is left out that a user may have meant to be used, which `--strict` makes an error.
    pub fn matters(&self) -> bool {
        self.0.keys().any(|reason| ![Reason::Hidden, Reason::Results].contains(reason))
    }

    /// One line a reason: how many, and the first names.
    pub fn lines(&self) -> Vec<String> {
        let line = |(reason, paths): (&Reason, &Vec<PathBuf>)| {
            let mut names: Vec<_> = paths.iter().take(LISTED).map(|path| path.display().to_string()).collect();
            if paths.len() > LISTED {
                names.push("…".to_owned());
            }
            format!("left out: {} {} ({})", paths.len(), reason.text(), names.join(", "))
        };
        self.0.iter().map(line).collect()
    }
}
