//! A folder of synthetic whole slides laid out as Camelyon16: lymph nodes with and without nests of tumour, and their
//! annotations. Nothing in it is of a patient.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::lymph_node::LymphNode;
use super::slide_file::{SlideFileError, encode};
use crate::atomic::{self, WriteError};

/// Nests on a slide with tumour.
const NESTS: usize = 4;
/// What the file says of itself.
const DESCRIPTION: &str = "Synthetic tissue, drawn by histomask; not of a patient";

/// Which slides to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct SlideSetConfig {
    /// Everything random follows from this seed.
    pub seed: u64,
    /// Side of a slide in pixels of level 0: 256 to 16,384.
    pub side: u32,
    /// Microns per pixel of level 0, 0.1 to 4. Tissue keeps its size in microns.
    pub mpp: f64,
    /// Training slides of each of the two classes.
    pub training: usize,
    /// Test slides of each of the two classes.
    pub test: usize,
}

/// Why slides could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlideSetError {
    /// A setting out of its range.
    #[error("synthetic slides: {0}")]
    Config(String),
    /// The folder holds slides already.
    #[error("{0} is there already: choose another folder, or delete that one first")]
    Exists(PathBuf),
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A slide could not be encoded.
    #[error("{path}: cannot be encoded ({source})")]
    Encode {
        /// The slide.
        path: PathBuf,
        /// Why.
        source: SlideFileError,
    },
}

/// Draws all slides below `root`, each pyramid in BigTIFF: `training/normal`, `training/tumor`, `testing/images`, and
/// annotations in `training/lesion_annotations` and `testing/lesion_annotations`. `drawn` gets each file; false ends it
/// early.
///
/// # Errors
/// [`SlideSetError`]: a setting out of range, slides that are there already, a file that cannot be written.
pub fn write_slides(
    root: &Path,
    config: &SlideSetConfig,
    mut drawn: impl FnMut(&Path) -> bool,
) -> Result<(), SlideSetError> {
    if !(256..=16_384).contains(&config.side) || !(0.1..=4.0).contains(&config.mpp) || config.training == 0 {
        return Err(SlideSetError::Config(format!(
            "{} pixels of {} microns: a side is 256 to 16384 pixels of 0.1 to 4 microns, and there is a training slide",
            config.side, config.mpp
        )));
    }
    for folder in ["training", "testing"].map(|folder| root.join(folder)) {
        if folder.exists() {
            return Err(SlideSetError::Exists(folder));
        }
    }
    let kinds = [
        ("training/normal", "normal", config.training, 0),
        ("training/tumor", "tumor", config.training, NESTS),
        ("testing/images", "test", config.test, NESTS),
        ("testing/images", "test", config.test, 0),
    ];
    for (kind, (folder, prefix, count, nests)) in kinds.into_iter().enumerate() {
        for number in 0..count {
            let shift = if kind == 3 { config.test } else { 0 };
            let name = format!("{prefix}_synthetic_{:02}", number + shift + 1);
            let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
            rng.set_stream((kind as u64) << 32 | number as u64);
            let node = LymphNode::sample(f64::from(config.side) * config.mpp, nests, &mut rng);
            // fine pixels show a nucleus as it is, coarse ones need its mean
            let samples = if config.mpp < 0.6 { 1 } else { 2 };
            let picture = node.picture(config.side, samples, config.seed ^ ((kind as u64) << 40 | number as u64));
            let path = root.join(folder).join(format!("{name}.tif"));
            if nests > 0 {
                let part = folder.split('/').next().unwrap_or_default();
                let place = root.join(part).join("lesion_annotations").join(format!("{name}.xml"));
                atomic::write(&place, annotation(&node, config.mpp).as_bytes())?;
            }
            let encoded = encode(picture, config.mpp, DESCRIPTION);
            let bytes = encoded.map_err(|source| SlideSetError::Encode { path: path.clone(), source })?;
            atomic::write(&path, &bytes)?;
            if !drawn(&path) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The nests as ASAP writes annotations: tumour in groups `_0` and `_1`, holes in `_2`.
fn annotation(node: &LymphNode, mpp: f64) -> String {
    let mut text = String::from("<?xml version=\"1.0\"?>\n<ASAP_Annotations>\n\t<Annotations>\n");
    let mut number = 0;
    let mut polygon = |group: &str, points: &[[f64; 2]]| {
        let _ = writeln!(
            text,
            "\t\t<Annotation Name=\"Annotation {number}\" Type=\"Polygon\" PartOfGroup=\"{group}\" Color=\"#F4FA58\">\n\
             \t\t\t<Coordinates>"
        );
        for (order, [x, y]) in points.iter().enumerate() {
            // the centre of the first pixel is 0
            let [x, y] = [x, y].map(|at| at / mpp - 0.5);
            let _ = writeln!(text, "\t\t\t\t<Coordinate Order=\"{order}\" X=\"{x:.4}\" Y=\"{y:.4}\" />");
        }
        text += "\t\t\t</Coordinates>\n\t\t</Annotation>\n";
        number += 1;
    };
    for (index, nest) in node.nests.iter().enumerate() {
        let (outer, hole) = nest.outlines();
        polygon(if index % 2 == 0 { "_0" } else { "_1" }, &outer);
        if let Some(hole) = hole {
            polygon("_2", &hole);
        }
    }
    text += "\t</Annotations>\n\t<AnnotationGroups>\n";
    for group in ["_0", "_1", "_2"] {
        let _ =
            writeln!(text, "\t\t<Group Name=\"{group}\" PartOfGroup=\"None\" Color=\"#64FE2E\"><Attributes /></Group>");
    }
    text + "\t</AnnotationGroups>\n</ASAP_Annotations>\n"
}
