//! What must hold of any bytes: the bodies of `tests/fuzz.rs` (stable, from `corpus/`) and of cargo-fuzz's targets in
//! `fuzz/`. Each panics where it does not hold, so none asks more than that a result or an error comes back, and that a
//! result is one.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use histomask::data::geojson::read_shapes;
use histomask::data::{DataConfig, Dataset};
use histomask::profile::Profile;
use histomask::weights::{backbone_names, read_file};
use histomask_core::outline::{geojson, outlines, rasterise};
use histomask_core::picture_file::{Limits, picture_size, read_mask, read_rgb};
use histomask_core::slide::Slide;
use histomask_core::weights::{read_card, read_checkpoint, read_weights};
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Far below what the program allows, so that a case takes no time.
const LIMITS: Limits = Limits { side: 4096, pixels: 1 << 20, bytes: 1 << 24 };

/// A picture: its size is the one that its header says.
pub fn picture(file: &[u8]) {
    let size = picture_size(file, &LIMITS);
    if let Ok((image, _)) = read_rgb(file, &LIMITS) {
        assert_eq!(size.ok(), Some(image.dimensions()), "the header alone says another size");
    }
}

/// A mask: 0 and 255, of the size that was asked for.
pub fn mask(file: &[u8]) {
    let Ok(size) = picture_size(file, &LIMITS) else { return };
    if let Ok((mask, _)) = read_mask(file, size, &LIMITS) {
        assert_eq!(mask.dimensions(), size);
        assert!(mask.as_raw().iter().all(|value| [0, 255].contains(value)), "neither foreground nor background");
    }
    assert!(read_mask(file, (size.0 + 1, size.1), &LIMITS).is_err(), "a mask of another size");
}

/// A JPEG cut anywhere before its end marker is refused, whatever zeros stand behind, also with another end marker but
/// for the last bits, which may be filled up to what they were. The first byte says how large the
/// picture is, the second how good, the others where it is cut.
pub fn jpeg_end(choice: &[u8]) {
    let number = |index: usize| choice.get(index).copied().unwrap_or_default();
    let (width, height) = (1 + u32::from(number(0) % 61), 1 + u32::from(number(0) % 47));
    let pixel = |x: u32, y: u32| Rgb([(x * 19) as u8, (y * 27) as u8, (x * y) as u8]);
    let mut whole = Vec::new();
    let encoded = JpegEncoder::new_with_quality(&mut whole, 1 + number(1) % 100)
        .encode_image(&RgbImage::from_fn(width, height, pixel));
    assert!(encoded.is_ok() && read_rgb(&whole, &LIMITS).is_ok(), "the whole file is no picture");
    let cut = usize::from(u16::from_le_bytes([number(2), number(3)]));
    // its last two bytes are the end marker
    let part = &whole[..cut % (whole.len() - 1)];
    for tail in [&[][..], &[0; 16], &[0xff]] {
        assert!(read_rgb(&[part, tail].concat(), &LIMITS).is_err(), "cut at {} of {}", part.len(), whole.len());
    }
    let ended = read_rgb(&[part, &[0xff, 0xd9]].concat(), &LIMITS);
    assert!(ended.is_err() || part.len() + 8 > whole.len(), "cut at {} of {}, with an end", part.len(), whole.len());
}

/// A whole slide: every level, a scaled region and what stands beside it are read or refused.
pub fn slide(file: &[u8]) {
    let Ok(slide) = Slide::open(Cursor::new(file.to_vec())) else { return };
    for level in 0..slide.levels().len() {
        let _ = slide.region(level, [-5, -5], [90, 60]);
    }
    let _ = slide.region_scaled([3.3, 2.7], [0, 0], [20, 20]);
    for name in slide.associated() {
        let _ = slide.associated_image(name);
    }
}

/// A safetensors file: tensors as large as their shapes say.
pub fn safetensors(file: &[u8]) {
    let _ = (read_card(file).is_ok(), read_checkpoint(file).is_ok());
    if let Ok(state) = read_weights(file) {
        let whole = |tensor: &TensorData| tensor.shape().iter().product::<usize>() == tensor.iter::<f32>().count();
        assert!(state.values().all(whole), "a tensor of another size than its shape");
    }
}

/// A checkpoint from disk, pickle or safetensors.
pub fn checkpoint(file: &[u8]) {
    let path = scratch().join("weights.pth");
    write(&path, file);
    match read_file(&path) {
        Ok((state, _)) => drop(backbone_names(state)),
        Err(error) => assert!(error.to_string().contains("weights.pth"), "{error} names no file"),
    }
}

/// A profile: what is read is valid, and its print is read as the same.
pub fn profile(file: &[u8]) {
    let path = scratch().join("mine.toml");
    write(&path, file);
    match Profile::from_file(&path) {
        Ok(profile) => {
            assert!(profile.validate().is_ok(), "{profile:?} is not valid");
            let printed = profile.to_toml().unwrap_or_else(|error| panic!("{error}"));
            write(&path, printed.as_bytes());
            let again = Profile::from_file(&path).unwrap_or_else(|error| panic!("{error}:\n{printed}"));
            assert_eq!(again, profile, "{printed}");
        }
        Err(error) => assert!(error.to_string().contains("mine.toml"), "{error} names no file"),
    }
}

/// A table of labels: every label is of a class, every sample in one split.
pub fn table(file: &[u8]) {
    let folder = scratch();
    for image in ["a.png", "b.png", "c.png", "d.png"].map(|name| folder.join(name)) {
        if !image.exists() {
            write(&image, &[]);
        }
    }
    write(&folder.join("labels.csv"), file);
    if let Ok(dataset) = Dataset::open(&folder, &DataConfig::default()) {
        let classes = dataset.classes.len();
        assert!(dataset.samples().all(|(_, sample)| sample.label < classes), "a label without a class");
        let ids: std::collections::BTreeSet<_> = dataset.samples().map(|(_, sample)| &sample.id).collect();
        assert_eq!(ids.len(), dataset.samples().count(), "an image twice");
    }
}

/// A mask of any values: its outlines fill exactly it again, and its GeoJSON is JSON.
pub fn outline(values: &[u8]) {
    let width = 1 + usize::from(values.first().copied().unwrap_or_default() % 24);
    let soft: Vec<f32> = values.iter().skip(1).map(|&value| f32::from(value) / 255.0).collect();
    let height = soft.len() / width;
    let soft = &soft[..width * height];
    let again = rasterise(&outlines(soft, width, height, 0.5), width, height);
    assert!(again.iter().zip(soft).all(|(&inside, &value)| inside == (value >= 0.5)), "another mask");
    let text = geojson(soft, width, height, 0.5, "a \"class\"");
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
}

/// GeoJSON, packed or not: what is read of it fills a mask.
pub fn shapes(file: &[u8]) {
    let path = scratch().join("shapes.geojson");
    write(&path, file);
    match read_shapes(&path) {
        Ok(shapes) => assert_eq!(shapes.mask(20, 30, [1.5, 0.7]).len(), 600),
        Err(error) => assert!(error.to_string().contains("shapes.geojson"), "{error} names no file"),
    }
}

/// A folder for the files of a thread's cases.
fn scratch() -> PathBuf {
    thread_local!(static FOLDER: TempDir = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}")));
    FOLDER.with(|folder| folder.path().to_owned())
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
