//! Hostile files: whatever is done to a sound one, reading it ends in a result or an error, never in a panic.
//!
//! The seeds are files made here and those in `tests/corpus`; each case changes one in a few places. More cases than
//! the usual 256 a kind: `PROPTEST_CASES=100000 cargo test --release --workspace --test fuzz`.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use burn::tensor::TensorData;
use histomask::profile::Profile;
use histomask_core::outline::geojson;
use histomask_core::slide::Slide;
use histomask_core::weights::{Precision, read_checkpoint, write_weights};
use histomask_tests::fuzz;
use histomask_tests::pyramid::{Page, tiff};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use proptest::collection::vec;
use proptest::prelude::*;

/// A change to a file; places are shares of its length, in 65,536ths.
#[derive(Clone, Debug)]
enum Change {
    Set(u16, u8),
    Flip(u16, u8),
    Cut(u16),
    Insert(u16, Vec<u8>),
    Remove(u16, u8),
    Repeat(u16, u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let telling = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x7f), Just(0x80)];
    // headers are where it hurts
    let place = || prop_oneof![any::<u16>(), 0..2048_u16];
    let change = prop_oneof![
        4 => (place(), telling).prop_map(|(at, value)| Change::Set(at, value)),
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => any::<u16>().prop_map(Change::Cut),
        1 => (place(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (place(), 1..32_u8).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (place(), 1..32_u8).prop_map(|(at, count)| Change::Repeat(at, count)),
    ];
    vec(change, 0..6)
}

fn changed(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for change in changes {
        let place = |at: u16| usize::from(at) * bytes.len() / 65_536;
        match change {
            Change::Set(at, value) => {
                let at = place(*at);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = *value);
            }
            Change::Flip(at, bit) => {
                let at = place(*at);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit);
            }
            Change::Cut(at) => bytes.truncate(place(*at)),
            Change::Insert(at, more) => {
                let at = place(*at);
                bytes.splice(at..at, more.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = place(*at);
                let end = (at + usize::from(*count)).min(bytes.len());
                bytes.drain(at..end);
            }
            Change::Repeat(at, count) => {
                let at = place(*at);
                let end = (at + usize::from(*count)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(end..end, part);
            }
        }
    }
    bytes
}

/// The files of a kind in `tests/corpus`.
fn corpus(kind: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(kind);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no seeds", folder.display());
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

static PICTURES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let rgb = RgbImage::from_fn(13, 9, |x, y| Rgb([(x * 19) as u8, (y * 27) as u8, (x * y) as u8]));
    let rgb = DynamicImage::ImageRgb8(rgb);
    let kinds =
        [rgb.clone(), rgb.to_luma8().into(), rgb.to_rgba8().into(), rgb.to_rgb16().into(), rgb.to_luma_alpha8().into()];
    let formats = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP];
    let mut seeds = corpus("pictures");
    for (kind, format) in kinds.iter().flat_map(|kind| formats.map(|format| (kind, format))) {
        let mut bytes = Cursor::new(Vec::new());
        // not every format holds every kind
        if kind.write_to(&mut bytes, format).is_ok() {
            seeds.push(bytes.into_inner());
        }
    }
    assert!(seeds.len() > 15, "{}", seeds.len());
    seeds
});

static SLIDES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let page = |width, height| Page::new(width, height, 64, |x, y| [x as u8, y as u8, (x + y) as u8]);
    let levels = || vec![page(90, 70), page(45, 35)];
    let own = [tiff(&levels(), false), tiff(&levels(), true), tiff(&[page(30, 30)], false)];
    let seeds = [corpus("slides"), own.to_vec()].concat();
    // a seed that is refused would test nothing behind the refusal
    for seed in &seeds {
        let slide = Slide::open(Cursor::new(seed)).unwrap();
        (0..slide.levels().len()).for_each(|level| drop(slide.region(level, [0, 0], [96, 64]).unwrap()));
        slide.associated().for_each(|name| drop(slide.associated_image(name).unwrap()));
    }
    seeds
});

static SAFETENSORS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let state = BTreeMap::from([
        ("backbone.conv.weight".to_owned(), TensorData::new(vec![0.5_f32; 12], [2, 2, 3])),
        ("head.bias".to_owned(), TensorData::new(vec![1.0_f32, -2.0], [2])),
    ]);
    let card = "{\"format\": 1, \"classes\": [\"a\", \"b\"]}".to_owned();
    let own = [Precision::Full, Precision::Half].map(|p| write_weights(&state, Some(card.clone()), p).unwrap());
    let seeds = [corpus("safetensors"), own.to_vec()].concat();
    assert!(seeds.iter().any(|seed| read_checkpoint(seed).is_ok()), "no seed has a whole model card");
    seeds
});

static WEIGHTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| [corpus("weights"), SAFETENSORS.clone()].concat());

static TEXTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let own: Vec<Vec<u8>> = ["paper-camelyon", "demo"]
        .iter()
        .map(|name| Profile::named(name).and_then(|profile| profile.to_toml()).unwrap().into_bytes())
        .collect();
    [corpus("profiles"), own].concat()
});

static SHAPES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let own = geojson(&[0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.1, 0.9], 4, 2, 0.5, "gland").into_bytes();
    [corpus("geojson"), vec![own]].concat()
});

static TABLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| corpus("tables"));

fn any_of(seeds: &'static LazyLock<Vec<Vec<u8>>>) -> impl Strategy<Value = Vec<u8>> {
    (any::<prop::sample::Index>(), changes())
        .prop_map(|(index, changes)| changed(index.get::<Vec<u8>>(seeds.as_slice()), &changes))
}

proptest! {
    #[test]
    fn pictures(file in any_of(&PICTURES)) {
        fuzz::picture(&file);
    }

    #[test]
    fn masks(file in any_of(&PICTURES)) {
        fuzz::mask(&file);
    }

    #[test]
    fn jpeg_ends(choice in any::<[u8; 4]>()) {
        fuzz::jpeg_end(&choice);
    }

    #[test]
    fn slides(file in any_of(&SLIDES)) {
        fuzz::slide(&file);
    }

    #[test]
    fn safetensors(file in any_of(&SAFETENSORS)) {
        fuzz::safetensors(&file);
    }

    #[test]
    fn checkpoints(file in any_of(&WEIGHTS)) {
        fuzz::checkpoint(&file);
    }

    #[test]
    fn profiles(file in any_of(&TEXTS)) {
        fuzz::profile(&file);
    }

    #[test]
    fn tables(file in any_of(&TABLES)) {
        fuzz::table(&file);
    }

    #[test]
    fn shapes(file in any_of(&SHAPES)) {
        fuzz::shapes(&file);
    }

    #[test]
    fn outlines(values in vec(any::<u8>(), 0..400)) {
        fuzz::outline(&values);
    }
}
