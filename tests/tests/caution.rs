//! What is said of images that no model should be asked about, and that nothing is said of those it has learnt from.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::PathBuf;

use histomask_core::caution::{Caution, Known, cautions, cell};
use histomask_core::picture_file::{Limits, read_rgb};
use histomask_core::weights::read_checkpoint;
use histomask_core::{ModelCard, RgbView};
use image::{Rgb, RgbImage};

const LIMITS: Limits = Limits { side: 16_384, pixels: 1 << 28, bytes: 1 << 30 };

fn card() -> ModelCard {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../native/assets/glas.safetensors");
    read_checkpoint(&std::fs::read(file).unwrap()).unwrap().0
}

fn said(image: &RgbImage, mpp: Option<f64>) -> String {
    let view = RgbView::new(image.as_raw(), image.width() as usize, image.height() as usize).unwrap();
    cell(&cautions(view, Known { mpp, ..Known::default() }, &card()))
}

/// Stains on pale ground, as GlaS's tissue has them.
fn tissue(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let wave = (f64::from(x) / 23.0).sin() + (f64::from(y) / 31.0).cos() + (f64::from(x + y) / 57.0).sin();
        let stain = wave.max(0.0) / 3.0;
        Rgb([225.0 - 120.0 * stain, 200.0 - 150.0 * stain, 222.0 - 70.0 * stain].map(|value| value as u8))
    })
}

#[test]
fn images_that_say_nothing_are_named() {
    let flat = |level: u8| RgbImage::from_pixel(300, 200, Rgb([level; 3]));
    assert_eq!(said(&flat(255), None), "nearly white");
    assert_eq!(said(&flat(0), None), "nearly black");
    assert_eq!(said(&RgbImage::from_pixel(300, 200, Rgb([200, 120, 180])), None), "blank");
    let mut glass = flat(246);
    (0..30).for_each(|x| glass.put_pixel(x, x, Rgb([150, 90, 160])));
    assert_eq!(said(&glass, None), "nearly white");
    assert_eq!(said(&RgbImage::from_pixel(1, 1, Rgb([200, 120, 180])), None), "tiny; blank; enlarged 288 times");
    assert_eq!(said(&tissue(40, 90), None), "tiny; enlarged 7 times");
    assert_eq!(said(&tissue(2000, 1900), None), "reduced 7 times");
    assert_eq!(said(&tissue(300, 200), None), "");
}

#[test]
fn scale_counts_where_it_is_known() {
    // the model has learnt from 1.1238 µm per pixel, at a short side of 288
    assert_eq!(card().mpp.map(|mpp| (1e4 * mpp).round()), Some(11_238.0));
    let image = tissue(775, 522);
    assert_eq!(said(&image, Some(0.62)), "");
    assert_eq!(said(&image, Some(0.25)), "0.45 µm per pixel where the model knows 1.12");
    assert_eq!(said(&image, Some(1.2)), "2.18 µm per pixel where the model knows 1.12");
    // the same tissue at twice the pixels of half the size, where the factor alone would warn
    assert_eq!(said(&tissue(2000, 1400), Some(0.23)), "");
}

#[test]
fn other_colours_are_named() {
    let photo = RgbImage::from_fn(400, 300, |x, y| match y {
        0..150 => Rgb([90 + (x / 8) as u8, 150, 230 - (y / 4) as u8]),
        _ => Rgb([80, 130 + (y / 6) as u8, 50 + (x / 10) as u8]),
    });
    let brown = RgbImage::from_fn(400, 300, |x, y| {
        let stain = ((x / 20 + y / 20) % 2) as u8;
        Rgb([225 - 90 * stain, 215 - 120 * stain, 205 - 150 * stain])
    });
    let mut grey = tissue(400, 300);
    grey.pixels_mut().for_each(|pixel| pixel.0 = [pixel.0[1]; 3]);
    for image in [photo, brown, grey] {
        assert_eq!(said(&image, None), "colours unlike H&E");
    }
}

#[test]
fn a_part_of_one_colour_is_named() {
    let mut filled = tissue(400, 300);
    filled.enumerate_pixels_mut().filter(|(_, y, _)| *y > 200).for_each(|(.., pixel)| pixel.0 = [128; 3]);
    assert_eq!(said(&filled, None), "partly blank");
    let view = RgbView::new(filled.as_raw(), 400, 300).unwrap();
    assert_eq!(
        cautions(view, Known::default(), &card()).iter().map(Caution::to_string).collect::<String>(),
        "The lower 33 % of the image are of one colour: is the file complete?"
    );
}

#[test]
fn nothing_is_said_of_tissue() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![root.join("web/page/samples")];
    let glas = root.join("../shared/data/glas/images");
    if glas.exists() {
        folders.push(glas);
    } else {
        println!("skipped: no ../shared");
    }
    for folder in folders {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let (image, notes) = read_rgb(&std::fs::read(&path).unwrap(), &LIMITS).unwrap();
            assert_eq!(said(&image, notes.mpp), "", "{}", path.display());
        }
    }
}
