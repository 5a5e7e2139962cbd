//! A prediction of a slide that is killed or stopped, and goes on to the same files.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use histomask_tests::program::Running;
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::results::{bytes, csv, json};
use histomask_tests::small_slides::{self, aperio, predict, slide, tissue};

fn models() -> &'static [PathBuf; 2] {
    small_slides::models(env!("CARGO_TARGET_TMPDIR"), "slide_resume")
}

/// Waits until the results of parts take so many bytes.
fn until_long(running: &mut Running, partial: &Path, length: u64) {
    assert!(running.until_there(partial), "it ended before");
    while std::fs::metadata(partial).is_ok_and(|data| data.len() < length) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_killed_run_goes_on_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svs");
    std::fs::write(&path, slide(2000, 1200)).unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let model = &models()[0];
    let _ = predict(model, &[&path], &whole).run().exits(0);
    let partial = killed.join("a.partial");
    let mut running = predict(model, &[&path], &killed).start();
    until_long(&mut running, &partial, 5000);
    running.kill();
    assert!(partial.is_file() && !killed.join("slides.csv").is_file(), "killed too late to test anything");
    let _ = predict(model, &[&path], &killed).run().exits(0);
    assert!(!partial.exists());
    for name in ["a_probability.tif", "a.geojson", "a.geojson.gz", "a_overlay.png", "a_tiles.csv", "a_tissue.geojson"] {
        assert!(bytes(&whole.join(name)) == bytes(&killed.join(name)), "{name}");
    }
    let names: BTreeSet<_> = std::fs::read_dir(&killed).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 9, "{names:?}");
}

#[test]
fn a_stopped_run_goes_on_to_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svs");
    std::fs::write(&path, slide(1600, 900)).unwrap();
    let (whole, stopped) = (folder.path().join("whole"), folder.path().join("stopped"));
    for (index, model) in models().iter().enumerate() {
        let (whole, stopped) = (whole.join(index.to_string()), stopped.join(index.to_string()));
        let _ = predict(model, &[&path], &whole).run().exits(0);
        let partial = stopped.join("a.partial");
        let mut running = predict(model, &[&path], &stopped).start();
        until_long(&mut running, &partial, 3000);
        running.interrupt();
        let _ = running.wait().exits(130).says("the same command goes on where it was");
        assert!(partial.is_file(), "stopped too late to test anything");
        let _ = predict(model, &[&path], &stopped).run().exits(0).says(" parts from before");
        for name in [
            "a_probability.tif",
            "a.geojson",
            "a.geojson.gz",
            "a_overlay.png",
            "a_tiles.csv",
            "a_tissue.geojson",
            "slides.csv",
        ] {
            assert!(bytes(&whole.join(name)) == bytes(&stopped.join(name)), "{index}: {name}");
        }
    }
}

/// Two levels; a tile of the finer one, which the windows alone are cut from, is beyond the end of the file.
fn damaged_pyramid() -> Vec<u8> {
    let (width, height) = (8000, 192);
    let fine = Page { description: aperio(width, height), ..Page::new(width, height, 64, tissue(width)) };
    let coarse = Page::new(width / 4, height / 4, 64, move |x, y| tissue(width)(4 * x, 4 * y));
    let mut file = tiff(&[fine, coarse], false);
    let offset = (8_u32 + 3 * 64 * 64).to_le_bytes();
    let at = file.windows(4).rposition(|bytes| bytes == offset).unwrap();
    file[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    file
}

#[test]
fn damage_is_told_also_by_a_run_that_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svs");
    std::fs::write(&path, damaged_pyramid()).unwrap();
    let (whole, killed) = (folder.path().join("whole"), folder.path().join("killed"));
    let model = &models()[1];
    let told = "a.svs: level 0, tile in column 1, row 0";
    let _ = predict(model, &[&path], &whole).run().exits(1).says(told);
    let mut running = predict(model, &[&path], &killed).start();
    let partial = killed.join("a.partial");
    // the first windows are those with the tile
    until_long(&mut running, &partial, 20_000);
    running.kill();
    assert!(partial.is_file() && !killed.join("slides.csv").is_file(), "killed too late to test anything");
    let _ =
        predict(model, &[&path], &killed).run().exits(1).says(" parts from before").says(told).says("read as white");
    let damaged = |out: &Path| json(&out.join("a_slide.json"))["damaged"].clone();
    assert_eq!(damaged(&whole), damaged(&killed));
    assert_eq!(csv(&killed.join("slides.csv"))[0]["damaged_tiles"], "1");
    assert!(bytes(&whole.join("a_probability.tif")) == bytes(&killed.join("a_probability.tif")));
    // and of a slide that was finished before
    let _ = predict(model, &[&path], &killed).run().exits(1).says(told);
}
