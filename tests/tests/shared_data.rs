//! The embedded model on a real image, where GlaS lies beside the checkout.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};

use histomask_tests::program::Program;
use histomask_tests::results::{csv, mask, number};
use histomask_tests::shared;

/// An image of the size most of GlaS has.
fn image_of_glas(folder: &Path) -> PathBuf {
    let images = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let usual = |path: &PathBuf| image::image_dimensions(path).is_ok_and(|size| size == (775, 522));
    images.filter(usual).min().unwrap_or_else(|| panic!("{}: no image of 775×522", folder.display()))
}

#[test]
fn the_embedded_model_judges_a_gland() {
    let Some(shared) = shared() else { return };
    let image = image_of_glas(&shared.join("data/glas/images"));
    let folder = tempfile::tempdir().unwrap();
    let _ = Program::new(["predict"]).args([&image]).with("--out", folder.path()).on_cpu().run().exits(0);
    let rows = csv(&folder.path().join("predictions.csv"));
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(["benign", "malignant"].contains(&row["class"].as_str()), "{row:?}");
    assert!((0.5..=1.0).contains(&number(row, "probability")), "{row:?}");
    let (size, foreground) = mask(&folder.path().join(&row["mask"]));
    assert_eq!(size, (775, 522));
    assert!(foreground > 0.0 && foreground < 100.0, "foreground {foreground} %");
}
