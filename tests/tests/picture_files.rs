//! The table of `docs/FORMATS.md`: what pictures and masks are read as, and what is refused, on files written here.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::Cursor;

use histomask_core::picture_file::{Limits, picture_size, read_mask, read_rgb};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

const LIMITS: Limits = Limits { side: 16_384, pixels: 1 << 28, bytes: 1 << 30 };
const SIZE: (u32, u32) = (11, 6);

fn picture() -> RgbImage {
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgb([(x * 20) as u8, (y * 40) as u8, (x * y) as u8 + 7]))
}

fn stored(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    image.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

fn read(file: &[u8]) -> RgbImage {
    read_rgb(file, &LIMITS).unwrap_or_else(|error| panic!("{error}")).0
}

#[track_caller]
fn refused(file: &[u8], part: &str) {
    let text = read_rgb(file, &LIMITS).unwrap_err().to_string();
    assert!(text.contains(part), "{text}");
}

/// Foreground of a mask, pixel by pixel.
fn mask(file: &[u8]) -> Vec<bool> {
    let size = picture_size(file, &LIMITS).unwrap();
    let mask = read_mask(file, size, &LIMITS).unwrap_or_else(|error| panic!("{error}")).0;
    mask.into_raw().into_iter().map(|value| value > 0).collect()
}

/// A page of a TIFF: entries of (tag, type, values), and its pixels.
struct Page<'a> {
    entries: Vec<(u16, u16, Vec<u32>)>,
    text: &'a str,
    pixels: Vec<u8>,
}

fn page(size: (u32, u32), bits: u32, samples: u32, photometric: u32, pixels: Vec<u8>) -> Page<'static> {
    let entries = vec![
        (256, 4, vec![size.0]),
        (257, 4, vec![size.1]),
        (258, 3, vec![bits; samples as usize]),
        (259, 3, vec![1]),
        (262, 3, vec![photometric]),
        (277, 3, vec![samples]),
        (278, 4, vec![size.1]),
    ];
    Page { entries, text: "", pixels }
}

impl Page<'_> {
    fn with(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.entries.retain(|entry| entry.0 != tag);
        self.entries.push((tag, kind, values.to_vec()));
        self
    }
}

/// A little-endian TIFF, classic or Big.
fn tiff(pages: Vec<Page<'_>>, big: bool) -> Vec<u8> {
    let wide = if big { 8 } else { 4 };
    let number = |value: u64, bytes: usize| value.to_le_bytes()[..bytes].to_vec();
    let mut file = if big { b"II+\0\x08\0\0\0".to_vec() } else { b"II*\0".to_vec() };
    let mut link = file.len();
    file.extend(number(0, wide));
    for mut page in pages {
        let at = file.len();
        file.extend(&page.pixels);
        if page.entries.iter().all(|entry| ![273, 324].contains(&entry.0)) {
            page.entries.push((273, 4, vec![at as u32]));
            page.entries.push((279, 4, vec![page.pixels.len() as u32]));
        }
        let text = file.len();
        file.extend(page.text.as_bytes());
        file.resize(file.len().next_multiple_of(8), 0);
        let mut entries = Vec::new();
        for (tag, kind, values) in page.entries {
            let size = if kind == 3 { 2 } else { 4 };
            let mut value: Vec<u8> = values.iter().flat_map(|&value| number(value.into(), size)).collect();
            if value.len() > wide {
                let offset = file.len() as u64;
                file.extend(&value);
                file.resize(file.len().next_multiple_of(8), 0);
                value = number(offset, wide);
            }
            value.resize(wide, 0);
            entries.push((tag, [number(kind.into(), 2), number(values.len() as u64, wide), value].concat()));
        }
        if !page.text.is_empty() {
            let rest = [number(2, 2), number(page.text.len() as u64, wide), number(text as u64, wide)];
            entries.push((270, rest.concat()));
        }
        entries.sort();
        let directory = number(file.len() as u64, wide);
        file[link..link + wide].copy_from_slice(&directory);
        file.extend(number(entries.len() as u64, if big { 8 } else { 2 }));
        for (tag, rest) in entries {
            file.extend(number(tag.into(), 2));
            file.extend(rest);
        }
        link = file.len();
        file.extend(number(0, wide));
    }
    file
}

fn rgb_page() -> Page<'static> {
    page(SIZE, 8, 3, 2, picture().into_raw())
}

#[test]
fn plain_files_are_read_exactly() {
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::WebP] {
        assert_eq!(read(&stored(picture(), format)), picture(), "{format:?}");
    }
    assert_eq!(read(&tiff(vec![rgb_page()], true)), picture(), "BigTIFF");
}

#[test]
fn alpha_is_composed_on_white() {
    let image = RgbaImage::from_fn(SIZE.0, SIZE.1, |x, _| Rgba([0, 0, 200, if x < 5 { 0 } else { 255 }]));
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP] {
        let rgb = read(&stored(image.clone(), format));
        assert_eq!((rgb.get_pixel(0, 0).0, rgb.get_pixel(9, 3).0), ([255; 3], [0, 0, 200]), "{format:?}");
    }
    // grey and alpha, 16 bits
    let pixels: Vec<u8> =
        [(0_u16, 0_u16), (0, 65_535)].iter().flat_map(|(g, a)| [g.to_le_bytes(), a.to_le_bytes()].concat()).collect();
    let file = tiff(vec![page((2, 1), 16, 2, 1, pixels).with(338, 3, &[2])], false);
    assert_eq!(read(&file).into_raw(), [255, 255, 255, 0, 0, 0]);
}

#[test]
fn pages_are_chosen_joined_or_refused() {
    let small = page((5, 3), 8, 3, 2, vec![9; 45]).with(254, 4, &[1]);
    assert_eq!(read(&tiff(vec![small, rgb_page()], false)), picture());
    refused(&tiff(vec![rgb_page(), rgb_page()], false), "it has 2 pages");
    let plane = |c: usize| page(SIZE, 8, 1, 1, picture().pixels().map(|p| p.0[c]).collect());
    let mut first = plane(0);
    first.text = "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n\0";
    assert_eq!(read(&tiff(vec![first, plane(1), plane(2)], false)), picture());
    refused(&tiff(vec![plane(0), plane(1), plane(2)], false), "it has 3 pages");
}

#[test]
fn orientation_is_applied() {
    // stored upright, said to be turned: 6 is a quarter turn to the right
    let file = tiff(vec![rgb_page().with(274, 3, &[6])], false);
    let upright = image::imageops::rotate90(&picture());
    assert_eq!((read(&file), picture_size(&file, &LIMITS).unwrap()), (upright.clone(), (SIZE.1, SIZE.0)));
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut jpeg = stored(picture(), ImageFormat::Jpeg);
    let length = (2 + 6 + exif.len()) as u16;
    let segment = [&[0xff, 0xe1][..], &length.to_be_bytes(), b"Exif\0\0", exif].concat();
    jpeg.splice(2..2, segment);
    assert_eq!(read(&jpeg).dimensions(), (SIZE.1, SIZE.0));
    // by a long number too, though the specification asks for a short one
    let mut long = jpeg.clone();
    let kind = long.windows(4).position(|entry| entry == [0x12, 0x01, 3, 0]).unwrap() + 2;
    long[kind] = 4;
    assert_eq!(read(&long).dimensions(), (SIZE.1, SIZE.0));
    // a PNG's block, its checksum is not asked
    let mut png = stored(picture(), ImageFormat::Png);
    let end = png.len() - 12;
    let crc = crc32(&[b"eXIf", &exif[..]].concat());
    let chunk = [&(exif.len() as u32).to_be_bytes()[..], b"eXIf", exif, &crc.to_be_bytes()].concat();
    png.splice(end..end, chunk);
    assert_eq!(read(&png), upright);
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn depths_and_colours_are_read_or_refused() {
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let float = |values: &[f32]| page((2, 1), 32, 1, 1, floats(values)).with(339, 3, &[3]);
    assert_eq!(read(&tiff(vec![float(&[0.0, 1.0])], false)).into_raw(), [0, 0, 0, 255, 255, 255]);
    refused(&tiff(vec![float(&[0.0, 255.0])], false), "floats from 0 to 255");
    let limits = [(340, 0.0_f32), (341, 510.0)];
    let scaled = limits.iter().fold(float(&[0.0, 255.0]), |page, (tag, limit)| page.with(*tag, 11, &[limit.to_bits()]));
    assert_eq!(read(&tiff(vec![scaled], false)).into_raw(), [0, 0, 0, 128, 128, 128]);
    let dim: Vec<u8> = [100_u16, 4095].iter().flat_map(|value| value.to_le_bytes()).collect();
    let (_, notes) = read_rgb(&tiff(vec![page((2, 1), 16, 1, 1, dim)], false), &LIMITS).unwrap();
    assert_eq!(notes.unused_bits, Some(4095));
    refused(&tiff(vec![rgb_page().with(259, 3, &[34_712])], false), "JPEG 2000");
    refused(&tiff(vec![rgb_page().with(262, 3, &[8])], false), "Lab");
    // YCbCr with two by two luminances to a pair of differences: grey 50 and 60, and white
    let subsampled =
        page((4, 2), 8, 3, 6, vec![50, 60, 50, 60, 128, 128, 255, 255, 255, 255, 128, 128]).with(530, 3, &[2, 2]);
    let rgb = read(&tiff(vec![subsampled], false));
    assert_eq!([0, 1, 3].map(|x| rgb.get_pixel(x, 1).0), [[50; 3], [60; 3], [255; 3]]);
    // indices 1 and 0 of a palette of black and red, in 4 bits
    let map: Vec<u32> = [[0, 65_535], [0, 0], [0, 0]].iter().flat_map(|c| [c.to_vec(), vec![0; 14]].concat()).collect();
    let file = tiff(vec![page((2, 1), 4, 1, 3, vec![0x10]).with(320, 3, &map)], false);
    assert_eq!((read(&file).into_raw(), mask(&file)), (vec![255, 0, 0, 0, 0, 0], vec![true, false]));
}

#[test]
fn masks_are_never_turned_round() {
    let ids: Vec<u8> = [0_u32, 70_000].iter().flat_map(|id| id.to_le_bytes()).collect();
    assert_eq!(mask(&tiff(vec![page((2, 1), 32, 1, 1, ids)], false)), [false, true]);
    // white is zero, as displayed
    assert_eq!(mask(&tiff(vec![page((2, 1), 8, 1, 0, vec![0, 255])], false)), [true, false]);
    let of = |pixels: [[u8; 4]; 4]| {
        let image = RgbaImage::from_vec(2, 2, pixels.concat()).unwrap();
        stored(image, ImageFormat::Png)
    };
    let in_alpha = of([[0, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 0], [0, 0, 0, 255]]);
    assert_eq!(mask(&in_alpha), [false, true, false, true]);
    // red on white, its corners white
    let on_white = RgbImage::from_fn(5, 5, |x, y| if (x, y) == (2, 2) { Rgb([255, 0, 0]) } else { Rgb([255; 3]) });
    assert_eq!(mask(&stored(on_white, ImageFormat::Png)).iter().filter(|foreground| **foreground).count(), 1);
    let unclear = RgbImage::from_fn(4, 4, |x, _| if x < 2 { Rgb([200, 10, 10]) } else { Rgb([10, 10, 200]) });
    let error = read_mask(&stored(unclear, ImageFormat::Png), (4, 4), &LIMITS).unwrap_err().to_string();
    assert!(error.contains("background cannot be told"), "{error}");
    // black on black is all background, JPEG is thresholded
    let disc = image::GrayImage::from_fn(32, 32, |x, y| image::Luma([if x > 8 && y > 8 { 255 } else { 0 }]));
    let exact = mask(&stored(disc.clone(), ImageFormat::Png));
    let (lossy, notes) = read_mask(&stored(disc, ImageFormat::Jpeg), (32, 32), &LIMITS).unwrap();
    let differing = lossy.as_raw().iter().zip(&exact).filter(|(lossy, exact)| (**lossy > 0) != **exact).count();
    assert!(notes.lossy && differing < 32, "{differing}");
}

#[test]
fn the_shared_cases_are_read_as_they_are_meant() {
    let Some(shared) = histomask_tests::shared() else { return };
    let cases = shared.join("cases");
    let file = |name: &str| std::fs::read(cases.join(name)).unwrap();
    let share = |name: &str| {
        let mask = mask(&file(name));
        mask.iter().filter(|foreground| **foreground).count() as f64 / mask.len() as f64
    };
    for name in [
        "mask-palette-white/palette_black_label.png",
        "mask-palette-white/palette_qupath_white_bg.png",
        "mask-in-alpha/alpha_only_black.png",
    ] {
        assert!((share(name) - 0.375).abs() < 1e-9, "{name}: {}", share(name));
    }
    for name in ["mask-32bit/ids32.tif", "mask-32bit/int32.tif"] {
        assert!(share(name) > 0.0 && share(name) < 1.0, "{name}");
    }
    let reference = read(&file("tiff-channels-as-pages/ref.png"));
    for (name, tolerance) in [
        ("tiff-channels-as-pages/t_imagej_channels.tif", 0),
        ("tiff-thumbnail-first/t_pages_thumb_first.tif", 0),
        ("tiff-not-read/t_big.tif", 0),
        ("tiff-not-read/t_ycbcr.tif", 3),
        ("tiff-not-read/t_jpeg_ycbcr.tif", 60),
    ] {
        let image = read(&file(name));
        let worst = image.as_raw().iter().zip(reference.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(image.dimensions() == reference.dimensions() && worst.unwrap() <= tolerance, "{name}: {worst:?}");
    }
    for (name, part) in [
        ("mask-one-hot-pages/onehot_planes.tif", "2 pages"),
        ("tiff-float-255/t_float255.tif", "floats from"),
        ("tiff-not-read/t_jp2k.tif", "JPEG 2000"),
        ("tiff-not-read/t_lzma.tif", "LZMA"),
        ("tiff-not-read/t_webp.tif", "WebP"),
        ("tiff-not-read/t_lab.tif", "Lab"),
        ("jpeg-end-marker/cut_behind_thumbnail.jpg", "last scan"),
    ] {
        println!("{name}");
        refused(&file(name), part);
    }
    for name in ["jpeg-end-marker/whole.jpg", "jpeg-end-marker/padded4096.jpg"] {
        let _ = read(&file(name));
    }
    let sizes =
        ["jpg", "png", "webp"].map(|ending| read(&file(&format!("exif-orientation/exif6.{ending}"))).dimensions());
    assert!(sizes[0] == sizes[1] && sizes[1] == sizes[2], "{sizes:?}");
}

#[test]
fn a_jpeg_that_was_cut_and_given_an_end_is_refused() {
    // libjpeg's, of 45 by 37 pixels: scans that each add to the others, restarts, one channel, four
    let files: [&[u8]; 4] = [
        include_bytes!("../corpus/pictures/progressive.jpg"),
        include_bytes!("../corpus/pictures/restarts.jpg"),
        include_bytes!("../corpus/pictures/grey.jpg"),
        include_bytes!("../corpus/pictures/cmyk.jpg"),
    ];
    for whole in files {
        let picture = read(whole);
        let decoded = image::load_from_memory_with_format(whole, ImageFormat::Jpeg).unwrap().into_rgb8();
        assert!(picture == decoded && picture.dimensions() == (45, 37), "not what the image library reads");
        let scan = whole.windows(2).position(|marker| marker == [0xff, 0xda]).unwrap() + 14;
        // the last bytes may be filled up by chance to what stood there
        for cut in scan..whole.len() - 8 {
            let file = [&whole[..cut], &[0xff, 0xd9]].concat();
            let text = read_rgb(&file, &LIMITS).unwrap_err().to_string();
            assert!(text.contains("is the file complete?"), "cut at {cut} of {}: {text}", whole.len());
        }
    }
}

#[test]
fn a_bitmap_in_run_lengths_is_a_picture_but_no_mask() {
    // 6 by 4 pixels of three indexed colours; the file's rows go upwards
    let file = include_bytes!("../corpus/pictures/rle8.bmp");
    let (picture, _) = read_rgb(file, &LIMITS).unwrap();
    let (black, blue, green) = ([0, 0, 0], [0, 0, 255], [0, 255, 0]);
    let column = |x| [0, 1, 2, 3].map(|y| picture.get_pixel(x, y).0);
    assert_eq!((column(0), column(5)), ([black, green, blue, black], [blue; 4]));
    let error = read_mask(file, (6, 4), &LIMITS).unwrap_err().to_string();
    assert!(error.contains("RLE") && error.contains("PNG"), "{error}");
}

#[test]
fn indices_of_few_bits_are_a_mask() {
    // 11 by 6 pixels of 1 bit, whose rows go upwards, and of 4 bits, whose rows go downwards
    let one = include_bytes!("../corpus/pictures/index1.bmp");
    let four = include_bytes!("../corpus/pictures/index4_downwards.bmp");
    let of = |foreground: fn(usize, usize) -> bool| (0..66).map(|at| foreground(at % 11, at / 11)).collect::<Vec<_>>();
    assert_eq!(mask(one), of(|x, y| (3 * x + 5 * y) % 7 == 0));
    assert_eq!(mask(four), of(|x, y| (x + 2 * y) % 5 != 0));
    let error = read_mask(&four[..four.len() - 3], (11, 6), &LIMITS).unwrap_err().to_string();
    assert!(error.contains("ends before its pixels do"), "{error}");
}

#[test]
fn a_mask_in_lossy_webp_is_thresholded() {
    // of 32 by 32 pixels, white where both coordinates are above 8
    let file = include_bytes!("../corpus/pictures/lossy.webp");
    let (lossy, notes) = read_mask(file, (32, 32), &LIMITS).unwrap();
    let exact = |x, y| if x > 8 && y > 8 { 255 } else { 0 };
    let differing = lossy.enumerate_pixels().filter(|(x, y, value)| value.0[0] != exact(*x, *y)).count();
    assert!(notes.lossy && differing < 32, "{differing}");
}

#[test]
fn tiles_in_lzw_are_read() {
    // 40 by 20 pixels in tiles of 16, white in columns 10 to 29 of rows 5 to 9, as tifffile writes it
    let foreground = mask(include_bytes!("../corpus/pictures/lzw_tiles.tif"));
    let expected = (0..800).map(|at| (10..30).contains(&(at % 40)) && (5..10).contains(&(at / 40)));
    assert!(foreground.iter().copied().eq(expected));
}

#[test]
fn a_tiff_that_ends_within_its_pixels_is_refused() {
    // its pixels behind everything else
    let at = |place: u32| {
        let page = page(SIZE, 8, 3, 2, vec![]).with(273, 4, &[place]).with(279, 4, &[3 * SIZE.0 * SIZE.1 + 9]);
        tiff(vec![page], false)
    };
    let mut file = at(at(0).len() as u32);
    file.extend(picture().into_raw());
    // a count of bytes that is too large is no harm
    assert_eq!(read(&file), picture());
    refused(&file[..file.len() - 1], "reach beyond the end of the file");
    refused(&file[..file.len() - 100], "reach beyond the end of the file");
}

#[test]
fn microns_per_pixel_come_from_the_file_where_they_can_be_a_microscope_s() {
    let mpp = |file: &[u8]| read_rgb(file, &LIMITS).unwrap().1.mpp.map(|mpp| (1e4 * mpp).round() / 1e4);
    // PNG: pixels per metre, behind the header's 33 bytes
    let png = |per_metre: u32, unit: u8| {
        let side = per_metre.to_be_bytes();
        let chunk = [b"pHYs", &side[..], &side, &[unit]].concat();
        let crc = chunk.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        });
        let file = stored(picture(), ImageFormat::Png);
        [&file[..33], &9_u32.to_be_bytes(), &chunk, &(!crc).to_be_bytes(), &file[33..]].concat()
    };
    assert_eq!(mpp(&png(2_000_000, 1)), Some(0.5));
    assert_eq!(mpp(&png(2_000_000, 0)), None);
    assert_eq!(mpp(&png(11_811, 1)), None, "300 dpi are a print's");
    // JPEG: pixels per centimetre in JFIF's header
    let mut jpeg = stored(picture(), ImageFormat::Jpeg);
    let at = jpeg.windows(5).position(|window| window == b"JFIF\0").unwrap() + 7;
    jpeg[at..at + 5].copy_from_slice(&[2, 0x4e, 0x20, 0x4e, 0x20]);
    assert_eq!(mpp(&jpeg), Some(0.5));
    jpeg[at..at + 5].copy_from_slice(&[1, 0, 72, 0, 72]);
    assert_eq!(mpp(&jpeg), None);
    assert_eq!(mpp(&stored(picture(), ImageFormat::Tiff)), None);
}

#[test]
fn planes_in_tiles_beyond_the_edge_are_read() {
    // each plane in a tile of 16 by 16 pixels, from the file's 8th byte on
    let mut tiles = vec![0_u8; 3 * 256];
    for (x, y, pixel) in picture().enumerate_pixels() {
        pixel
            .0
            .iter()
            .enumerate()
            .for_each(|(plane, value)| tiles[256 * plane + 16 * y as usize + x as usize] = *value);
    }
    let tiled = |places: &[u32], lengths: &[u32]| {
        let page = page(SIZE, 8, 3, 2, tiles.clone()).with(284, 3, &[2]).with(322, 3, &[16]).with(323, 3, &[16]);
        tiff(vec![page.with(324, 4, places).with(325, 4, lengths)], false)
    };
    assert_eq!(read(&tiled(&[8, 264, 520], &[256; 3])), picture());
    refused(&tiled(&[8, 264, 0], &[256, 256, 0]), "it is sparse");
    refused(&tiled(&[8, 264, 520], &[256, 256, 255]), "fewer bytes than their pixels");
    refused(&tiled(&[8, 264], &[256; 2]), "different numbers of strips or tiles");
}

#[test]
fn damage_within_deflate_is_told_by_its_checksum() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &picture().into_raw()).unwrap();
    let packed = packed.finish().unwrap();
    let of = |packed: &[u8]| tiff(vec![page(SIZE, 8, 3, 2, packed.to_vec()).with(259, 3, &[8])], false);
    assert_eq!(read(&of(&packed)), picture());
    // as where a copy was broken off and its room had been set aside
    let zeros = |from: usize| [&packed[..from], &vec![0; packed.len() - from]].concat();
    for from in [packed.len() / 2, packed.len() - 4] {
        refused(&of(&zeros(from)), "Deflate");
    }
    refused(&of(&packed[..packed.len() - 20]), "is the file complete?");
}

#[test]
fn kinds_of_jpeg_that_are_not_read_are_named() {
    let jpeg = stored(picture(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|marker| marker == [0xff, 0xc0]).unwrap();
    for (at, byte, part) in [
        (1, 0xc3, "lossless"),
        (1, 0xc9, "arithmetic"),
        (1, 0xf7, "JPEG-LS"),
        (4, 12, "a JPEG of 12 bits, which is not read; save it as ordinary JPEG"),
    ] {
        let mut file = jpeg.clone();
        file[frame + at] = byte;
        refused(&file, part);
        let error = read_mask(&file, SIZE, &LIMITS).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains('\n'), "{error}");
    }
    let cmyk = include_bytes!("../corpus/pictures/cmyk.jpg");
    let adobe = cmyk.windows(5).position(|name| name == b"Adobe").unwrap() - 4;
    refused(&[&cmyk[..adobe], &cmyk[adobe + 16..]].concat(), "whether its inks are inverted");
}

#[test]
fn colours_that_a_palette_lacks_and_pictures_without_an_opaque_pixel_are_refused() {
    // 3 by 1 pixels, their last index beyond two colours
    let chunk = |name: &[u8], content: &[u8]| {
        let body = [name, content].concat();
        [&(content.len() as u32).to_be_bytes()[..], &body, &crc32(&body).to_be_bytes()].concat()
    };
    let indexed = |last: u8| {
        let header = [&3_u32.to_be_bytes()[..], &1_u32.to_be_bytes(), &[8, 3, 0, 0, 0]].concat();
        let mut rows = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut rows, &[0, 0, 1, last]).unwrap();
        let palette = chunk(b"PLTE", &[1, 2, 3, 4, 5, 6]);
        let chunks = [chunk(b"IHDR", &header), palette, chunk(b"IDAT", &rows.finish().unwrap()), chunk(b"IEND", b"")];
        [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
    };
    assert_eq!(read(&indexed(0)).into_raw(), [1, 2, 3, 4, 5, 6, 1, 2, 3]);
    refused(&indexed(2), "colour 2 is not in its palette of 2");
    assert_eq!(mask(&indexed(2)), [false, true, true], "an index is one without a colour too");
    // 4 bits, as 16 colours; then only the first five are said to be there
    let mut bitmap = include_bytes!("../corpus/pictures/index4_downwards.bmp").to_vec();
    let colours = read(&bitmap);
    bitmap[46..50].copy_from_slice(&4_u32.to_le_bytes());
    refused(&bitmap, "is not in its palette of 4");
    assert_eq!(colours.dimensions(), SIZE);

    let hidden = RgbaImage::from_fn(SIZE.0, SIZE.1, |x, y| Rgba([x as u8, y as u8, 7, 0]));
    refused(&stored(hidden, ImageFormat::Png), "every pixel of it is transparent");
    // a corner of a slide where there is nothing
    let blank = stored(RgbaImage::from_pixel(SIZE.0, SIZE.1, Rgba([0; 4])), ImageFormat::Png);
    assert!(read(&blank).into_raw().iter().all(|&value| value == 255));
}

#[test]
fn a_lossless_webp_cut_by_bytes_is_refused() {
    let file = stored(picture(), ImageFormat::WebP);
    for cut in 2..40 {
        refused(&file[..file.len() - cut], "ends before its pixels do");
    }
}
