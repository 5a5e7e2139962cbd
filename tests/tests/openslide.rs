//! Slides that OpenSlide reads: a Leica SCN, written here, is what the same picture is as an SVS; without the feature it
//! is refused by name. With it: `cargo test --release --workspace --features openslide --test openslide`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;

use histomask_tests::program::Program;
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::small_slides::tissue;

/// Pixels of the slide, of the scanned part, and where that begins.
const SLIDE: [u32; 2] = [640, 448];
const SCANNED: [u32; 2] = [512, 384];
const AT: [u32; 2] = [64, 32];
/// Nanometres of a pixel, the unit of such files.
const PIXEL: u32 = 500;

fn colour(x: u32, y: u32) -> [u8; 3] {
    tissue(SCANNED[0])(x, y)
}

/// A Leica SCN whose scanned part is smaller than the slide.
fn scn() -> Vec<u8> {
    let nanometres = |[x, y]: [u32; 2]| [x * PIXEL, y * PIXEL];
    let ([width, height], [view_x, view_y], [at_x, at_y]) = (nanometres(SLIDE), nanometres(SCANNED), nanometres(AT));
    let dimension = |ifd: u32| {
        format!(r#"<dimension sizeX="{}" sizeY="{}" r="{ifd}" ifd="{ifd}"/>"#, SCANNED[0] >> ifd, SCANNED[1] >> ifd)
    };
    let description = format!(
        r#"<?xml version="1.0"?><scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection sizeX="{width}" sizeY="{height}"><image><view sizeX="{view_x}" sizeY="{view_y}" offsetX="{at_x}" offsetY="{at_y}"/><pixels>{}{}</pixels><scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings><illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image></collection></scn>"#,
        dimension(0),
        dimension(1),
    );
    let per_centimetre = 10_000_000 / PIXEL;
    let resolution = vec![(282, per_centimetre), (283, per_centimetre), (296, 3)];
    let full = Page { description, more: resolution, ..Page::new(SCANNED[0], SCANNED[1], 64, colour) };
    let half = Page::new(SCANNED[0] / 2, SCANNED[1] / 2, 64, |x, y| colour(2 * x, 2 * y));
    tiff(&[full, half], false)
}

fn written(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("a.scn");
    std::fs::write(&path, scn()).unwrap();
    path
}

#[cfg(not(feature = "openslide"))]
#[test]
fn without_openslide_the_refusal_says_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path());
    let other = folder.path().join("b.ndpi");
    std::fs::write(&other, "no slide either").unwrap();
    let out = folder.path().join("out");
    let commands = || {
        let tiles = Program::new(["tiles"]).with("--mpp", "1.0").with("--out", &out);
        [Program::new(["slides", "info"]), tiles, Program::new(["predict"]).with("--out", &out).on_cpu()]
    };
    for (path, kind) in [(&path, "Leica's SCN, "), (&other, "a slide in .ndpi, ")] {
        for command in commands() {
            let run = command.args([path]).run().exits(1);
            let _ = run.says(&path.display().to_string()).says(kind).says("--features openslide");
        }
    }
    // in a folder it is named, and no other slide is there
    let _ = Program::new(["slides", "info"]).args([folder.path()]).run().exits(2).says("--features openslide");
}

#[cfg(feature = "openslide")]
mod with_openslide {
    use super::*;
    use histomask_core::slide::Slide;
    use histomask_tests::results;
    use histomask_tests::small_slides::{aperio, models, predict};
    use std::fs::File;

    /// The pixels of the slide: white around what was scanned.
    fn pixel(x: i64, y: i64) -> [u8; 3] {
        let inside = |at: i64, axis: usize| (0..i64::from(SCANNED[axis])).contains(&(at - i64::from(AT[axis])));
        if inside(x, 0) && inside(y, 1) { colour(x as u32 - AT[0], y as u32 - AT[1]) } else { [255; 3] }
    }

    #[test]
    fn regions_are_the_pixels_and_white_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let slide = histomask::data::slides::open(&written(folder.path())).unwrap();
        assert_eq!((slide.size(), slide.levels().len(), slide.mpp()), (SLIDE, 2, Some([0.5; 2])));
        assert_eq!((slide.vendor().name(), slide.magnification()), ("Leica SCN, read by OpenSlide", Some(20.0)));
        for (at, size) in [([-7, -5], [200, 150]), ([600, 300], [64, 200]), ([1000, 0], [3, 3])] {
            let region = slide.region(0, at, size).unwrap();
            for (x, y, found) in region.enumerate_pixels() {
                let place = [at[0] + i64::from(x), at[1] + i64::from(y)];
                assert_eq!(found.0, pixel(place[0], place[1]), "{place:?}");
            }
        }
        assert_eq!(slide.region(1, [100, 100], [1, 1]).unwrap()[(0, 0)].0, pixel(200, 200));
        assert!(slide.region(2, [0, 0], [1, 1]).is_err() && slide.region(0, [0, 0], [1 << 20; 2]).is_err());
        let broken = folder.path().join("b.mrxs");
        std::fs::write(&broken, "nothing").unwrap();
        let said = histomask::data::slides::open(&broken).err().unwrap().to_string();
        assert!(said.contains("b.mrxs"), "{said}");
    }

    #[test]
    fn it_is_predicted_and_cut_as_the_same_picture_in_a_format_of_ours() {
        let folder = tempfile::tempdir().unwrap();
        let [cut, _] = models(env!("CARGO_TARGET_TMPDIR"), "openslide");
        let other = written(folder.path());
        // the level of half the size would be seen too
        let own = folder.path().join("a.svs");
        let page = |factor: u32| {
            let colour = move |x, y| pixel(i64::from(factor * x), i64::from(factor * y));
            let page = Page::new(SLIDE[0] / factor, SLIDE[1] / factor, 64, colour);
            Page { description: aperio(SLIDE[0], SLIDE[1]), ..page }
        };
        std::fs::write(&own, tiff(&[page(1), page(2)], false)).unwrap();
        let run = |path: &Path, name: &str| {
            let out = folder.path().join(name);
            let _ = predict(cut, &[path], &out).run().exits(0);
            let map = Slide::open(File::open(out.join("a_probability.tif")).unwrap()).unwrap();
            let tiles = folder.path().join(format!("{name}-tiles"));
            let _ = Program::new(["tiles"])
                .args([path])
                .with("--mpp", "1.0")
                .with("--size", "64")
                .with("--out", &tiles)
                .run()
                .exits(0);
            let patches = results::csv(&tiles.join("labels.csv"));
            let texts =
                ["a_tiles.csv", "a.geojson", "a_tissue.geojson"].map(|name| std::fs::read(out.join(name)).unwrap());
            (map.region(0, [0, 0], map.size()).unwrap(), texts, patches)
        };
        assert!(run(&other, "other") == run(&own, "own"));
        let info = Program::new(["slides", "info"]).args([folder.path()]).run().exits(0);
        let _ = info.says("Leica SCN, read by OpenSlide").says("Aperio SVS");
    }
}
