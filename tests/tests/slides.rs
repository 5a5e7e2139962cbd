//! Whole slides: levels, scales, sparse tiles and bad files, on pyramids written here; the commands; CMU-1 where it lies
//! beside the checkout.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{Cursor, Read, Seek, SeekFrom};

use histomask_core::slide::{Slide, SlideError, Vendor};
use histomask_tests::program::Program;
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::shared;
use proptest::prelude::*;

type Memory = Slide<Cursor<Vec<u8>>>;

const APERIO: &str = "Aperio Image Library v1\r\n100x70|AppMag = 20|MPP = 0.5000";

fn colour(x: u32, y: u32) -> [u8; 3] {
    [(2 * x) as u8, (3 * y) as u8, ((x / 4 + y / 4) % 2 * 200) as u8]
}

/// Three levels of 100×70 pixels.
fn levels() -> Vec<Page> {
    let level = |by: u32| Page::new(100 / by, 70 / by, 16, move |x, y| colour(by * x, by * y));
    let mut pages = vec![level(1), level(2), level(5)];
    pages[0].description = APERIO.into();
    pages
}

fn open(file: Vec<u8>) -> Result<Memory, SlideError> {
    Slide::open(Cursor::new(file))
}

fn refusal(file: Vec<u8>) -> String {
    open(file).err().map_or_else(|| "opened".into(), |error| error.to_string())
}

#[test]
fn regions_are_the_pixels_of_their_level_and_white_beyond() {
    let label =
        Page { description: "Aperio\r\nlabel 9x8".into(), more: vec![(254, 1)], ..Page::new(9, 8, 0, |_, _| [9; 3]) };
    let slide = open(tiff(&[levels(), vec![label]].concat(), false)).unwrap();
    assert_eq!((slide.vendor(), slide.mpp(), slide.magnification()), (Vendor::Aperio, Some([0.5; 2]), Some(20.0)));
    let sizes: Vec<_> = slide.levels().iter().map(|level| (level.width, level.height, level.downsample[0])).collect();
    assert_eq!(sizes, [(100, 70, 1.0), (50, 35, 2.0), (20, 14, 5.0)]);
    for (level, by) in [(0, 1), (1, 2), (2, 5)] {
        let region = slide.region(level, [-3, 9], [120, 80]).unwrap();
        let (width, height) = (100 / by, 70 / by);
        for (x, y, pixel) in region.enumerate_pixels() {
            let inside = x >= 3 && x - 3 < width && y + 9 < height;
            let expected = if inside { colour(by * (x - 3), by * (y + 9)) } else { [255; 3] };
            assert_eq!(pixel.0, expected, "level {level}, ({x}, {y})");
        }
    }
    assert_eq!(slide.associated().collect::<Vec<_>>(), ["label"]);
    assert_eq!(slide.associated_image("label").unwrap().get_pixel(8, 7).0, [9; 3]);
    assert!(matches!(slide.associated_image("macro"), Err(SlideError::Absent(_))));
    assert!(matches!(slide.region(3, [0, 0], [1, 1]), Err(SlideError::Absent(_))));
    assert!(matches!(slide.region(0, [0, 0], [u32::MAX, 9]), Err(SlideError::TooLarge { .. })));
}

#[test]
fn scales_between_levels_are_means_of_the_next_finer_one() {
    let slide = open(tiff(&levels(), false)).unwrap();
    // 2.0 µm are four pixels of level 0, two of level 1
    let region = slide.region_at_mpp(2.0, [1, 1], [10, 8]).unwrap();
    let finer = slide.region(1, [2, 2], [20, 16]).unwrap();
    for (x, y, pixel) in region.enumerate_pixels() {
        for channel in 0..3 {
            let four = [(0, 0), (1, 0), (0, 1), (1, 1)]
                .map(|(i, j)| u32::from(finer.get_pixel(2 * x + i, 2 * y + j)[channel]));
            assert_eq!(u32::from(pixel[channel]), (four.iter().sum::<u32>() + 2) / 4, "({x}, {y})");
        }
    }
    assert_eq!(slide.region_at_mpp(2.5, [0, 0], [20, 14]).unwrap(), slide.region(2, [0, 0], [20, 14]).unwrap());
    assert_eq!(slide.thumbnail(50).unwrap(), slide.region(1, [0, 0], [50, 35]).unwrap());
}

#[test]
fn levels_below_a_page_and_sparse_tiles_are_read() {
    let mut pages = levels();
    pages[0].description = "<OME><Image Name=\"s\"><Pixels PhysicalSizeX=\"250\" PhysicalSizeXUnit=\"nm\" \
                            PhysicalSizeY=\"0.25\"/></Image></OME>"
        .into();
    pages[0].sparse = vec![1];
    let slide = open(tiff(&pages, true)).unwrap();
    assert_eq!((slide.vendor(), slide.levels().len(), slide.mpp()), (Vendor::Ome, 3, Some([0.25; 2])));
    let region = slide.region(0, [0, 0], [100, 70]).unwrap();
    for (x, y, pixel) in region.enumerate_pixels() {
        let sparse = (16..32).contains(&x) && y < 16;
        assert_eq!(pixel.0, if sparse { [255; 3] } else { colour(x, y) });
    }
}

/// Where a directory names its next.
fn next_of(file: &[u8], directory: usize) -> usize {
    directory + 2 + 12 * usize::from(u16::from_le_bytes([file[directory], file[directory + 1]]))
}

/// The four bytes from `at` on.
fn number(file: &[u8], at: usize) -> usize {
    u32::from_le_bytes([0, 1, 2, 3].map(|byte| file[at + byte])) as usize
}

#[test]
fn levels_below_a_page_may_be_a_chain_but_no_circle() {
    let mut pages = levels();
    pages[0].description.clear();
    let listed = tiff(&pages, true);
    let main = number(&listed, 4);
    let entry = (main + 2..).step_by(12).find(|&at| listed[at..at + 2] == 330_u16.to_le_bytes()).unwrap();
    let list = number(&listed, entry + 8);
    let [first, second] = [list, list + 4].map(|at| number(&listed, at));
    let with = |changes: &[(usize, usize)]| {
        let mut file = listed.clone();
        changes.iter().for_each(|&(at, to)| file[at..at + 4].copy_from_slice(&(to as u32).to_le_bytes()));
        file
    };
    let sizes = |file: Vec<u8>| open(file).unwrap().levels().iter().map(|level| level.width).collect::<Vec<_>>();
    let [after_first, after_second] = [first, second].map(|page| next_of(&listed, page));
    assert_eq!(sizes(with(&[(after_first, second)])), [100, 50, 20], "both are listed too");
    let one = [(entry + 4, 1), (entry + 8, first)];
    assert_eq!(sizes(with(&[&one[..], &[(after_first, second)]].concat())), [100, 50, 20]);
    for circle in [
        with(&[(after_first, second), (after_second, first)]),
        with(&[(after_first, first)]),
        with(&[(after_second, main)]),
        with(&[&one[..], &[(after_first, second), (after_second, first)]].concat()),
        with(&[(list, main)]),
        with(&[(next_of(&listed, main), main)]),
    ] {
        assert!(matches!(open(circle), Err(SlideError::Cyclic)));
    }
    assert!(refusal(with(&[(after_first, listed.len())])).contains("cut off"));
}

/// A file of which the system does not give a part.
struct Unreadable {
    file: Cursor<Vec<u8>>,
    from: u64,
    to: u64,
}

impl Read for Unreadable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (start, end) = (self.file.position(), self.file.position() + buffer.len() as u64);
        if start < self.to && end > self.from {
            return Err(std::io::Error::other("the share is gone"));
        }
        self.file.read(buffer)
    }
}

impl Seek for Unreadable {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn what_the_system_does_not_read_is_no_damage() {
    let label =
        Page { description: "Aperio\r\nlabel 9x8".into(), more: vec![(254, 1)], ..Page::new(9, 8, 0, |_, _| [9; 3]) };
    let file = tiff(&[levels(), vec![label]].concat(), false);
    let unreadable = |from: usize, to: usize| {
        Slide::open(Unreadable { file: Cursor::new(file.clone()), from: from as u64, to: to as u64 })
    };
    // the second tile of level 0, which stands behind the header
    let mut slide = unreadable(8 + 768, 8 + 2 * 768).ok().unwrap();
    slide.pass_over_damage();
    assert!(slide.region(0, [0, 0], [16, 16]).is_ok());
    let failed = slide.region(0, [0, 0], [17, 16]);
    assert!(matches!(failed, Err(SlideError::Io(_))), "{failed:?}");
    assert!(slide.passed_over(0).is_empty());
    // the label's strip is the last before the directories
    let strip = file.windows(9 * 8 * 3).rposition(|bytes| bytes == [9; 9 * 8 * 3]).unwrap();
    let slide = unreadable(strip, strip + 9).ok().unwrap();
    assert!(matches!(slide.associated_image("label"), Err(SlideError::Io(_))));
    // a directory, and the text that one names
    let text = file.windows(6).position(|bytes| bytes == b"Aperio").unwrap();
    assert!(matches!(unreadable(text, text + 4), Err(SlideError::Io(_))));
    assert!(matches!(unreadable(number(&file, 4), file.len()), Err(SlideError::Io(_))));
}

#[test]
fn damage_is_passed_over_once_for_each_tile() {
    let mut pages = levels();
    pages.truncate(1);
    let mut file = tiff(&pages, false);
    for tile in [1, 3] {
        let offset = (8_u32 + tile * 768).to_le_bytes();
        let at = file.windows(4).rposition(|bytes| bytes == offset).unwrap();
        file[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    }
    let mut slide = Slide::open_cached(Cursor::new(file), 0).unwrap();
    slide.pass_over_damage();
    for _ in 0..3 {
        let region = slide.region(0, [0, 0], [40, 16]).unwrap();
        assert_eq!((region.get_pixel(20, 3).0, region.get_pixel(36, 3).0), ([255; 3], colour(36, 3)));
    }
    assert_eq!(slide.passed_over(0).len(), 1);
    let _ = slide.region(0, [0, 0], [100, 70]).unwrap();
    let last = slide.passed_over(1);
    assert!(last.len() == 1 && last[0].contains("level 0, tile in column 3, row 0"), "{last:?}");
}

#[test]
fn threads_share_a_slide_and_a_small_cache() {
    let slide = Slide::open_cached(Cursor::new(tiff(&levels(), false)), 2000).unwrap();
    let whole = slide.region(0, [0, 0], [100, 70]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..20).for_each(|_| assert!(slide.region(0, [0, 0], [100, 70]).unwrap() == whole)));
        }
    });
}

#[test]
fn a_picture_with_a_thumbnail_is_no_slide() {
    let is_slide = |pages: &[Page]| Slide::open(Cursor::new(tiff(pages, false))).unwrap().is_whole_slide();
    let page = |width, tile| Page::new(width, width / 2, tile, |x, y| [x as u8, y as u8, 9]);
    let reduced = |tile| Page { more: vec![(254, 1)], ..page(80, tile) };
    assert!(!is_slide(&[page(160, 0)]) && !is_slide(&[page(160, 64)]));
    assert!(!is_slide(&[page(160, 0), reduced(0)]), "strips and a thumbnail");
    assert!(is_slide(&[page(160, 64), reduced(64)]), "tiles and levels");
    assert!(is_slide(&[page(4160, 64)]) && !is_slide(&[page(4160, 0)]));
}

#[test]
fn bad_files_are_refused_by_name() {
    let whole = tiff(&levels(), false);
    let says = |file: Vec<u8>, part: &str| {
        let text = refusal(file);
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    };
    says(vec![], "cut off");
    says(b"\x89PNG\r\n\x1a\n".to_vec(), "not a slide");
    says(whole[..whole.len() - 30].to_vec(), "cut off");
    // the last directory's next is the first
    let mut circle = whole.clone();
    let (end, first) = (whole.len() - 4, [4, 5, 6, 7].map(|at| whole[at]));
    circle[end..].copy_from_slice(&first);
    says(circle, "circle");
    let with = |more: &[(u16, u32)]| {
        let mut pages = levels();
        pages[0].more = more.to_vec();
        tiff(&pages, false)
    };
    says(with(&[(256, 1 << 29), (257, 1 << 29)]), "tiles, but 35 are listed");
    says(with(&[(256, u32::MAX)]), "a width of 4294967295 pixels cannot be");
    says(with(&[(257, 0)]), "a height of 0 pixels cannot be");
    says(with(&[(322, 1 << 20), (323, 1 << 20)]), "too large");
    says(with(&[(259, 50_000)]), "Zstandard");
    says(with(&[(65_420, 1)]), "NDPI");
    let stack = vec![Page::new(20, 20, 16, colour); 3];
    says(tiff(&stack, false), "3 pages of one size");

    let no_mpp = open(tiff(&[Page::new(20, 20, 16, colour)], false)).unwrap();
    assert!(matches!(no_mpp.region_at_mpp(0.5, [0, 0], [5, 5]), Err(SlideError::NoMpp)));

    // a tile beyond the end of the file: the others are still read
    let mut pages = levels();
    pages.truncate(1);
    let mut file = tiff(&pages, false);
    let offset = (8_u32 + 3 * 256).to_le_bytes();
    let at = file.windows(4).rposition(|bytes| bytes == offset).unwrap();
    file[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    let slide = open(file).unwrap();
    assert_eq!(slide.region(0, [0, 0], [16, 16]).unwrap().get_pixel(3, 2).0, colour(3, 2));
    let text = slide.region(0, [0, 0], [17, 16]).unwrap_err().to_string();
    assert!(text.contains("level 0, tile in column 1, row 0") && text.contains("beyond the end"), "{text}");
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut pages = levels();
        pages.iter_mut().for_each(|page| page.tile = 64);
        let mut file = tiff(&pages, false);
        // pixels are not worth damaging: only directories
        let pixels = 3 * 64 * 64 * (4 + 1 + 1);
        for (index, value) in changes {
            let at = if index.index(9) == 0 { index.index(8) } else { pixels + index.index(file.len() - pixels) };
            file[at] = value;
        }
        if let Ok(slide) = open(file) {
            for level in 0..slide.levels().len() {
                let _ = slide.region(level, [-5, -5], [90, 60]);
            }
            let _ = slide.region_scaled([3.3, 2.7], [0, 0], [20, 20]);
        }
    }
}

#[test]
fn tiles_are_cut_from_tissue_and_taken_by_train() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("slides"), folder.path().join("tiles"));
    // tissue in the left half, with two tones; glass in the right
    let paint = |x: u32, y: u32| match (x, (x / 3 + y / 5) % 2) {
        (300.., _) => [243, 243, 244],
        (_, 0) => [120, 70, 150],
        _ => [225, 160, 200],
    };
    for (class, name) in [("normal", "a"), ("tumor", "b")] {
        std::fs::create_dir_all(data.join(class)).unwrap();
        let page = Page { description: APERIO.into(), ..Page::new(600, 320, 64, paint) };
        std::fs::write(data.join(class).join(format!("{name}.svs")), tiff(&[page], false)).unwrap();
    }
    std::fs::write(data.join("normal/broken.svs"), b"II\x2a\0").unwrap();
    let run =
        || Program::new(["tiles"]).args([&data]).with("--mpp", "1.0").with("--size", "64").with("--out", &out).run();
    let _ = run().exits(1).says("broken.svs: ").says("cut off").says("8 patches of 3 slides");
    let rows = histomask_tests::results::csv(&out.join("labels.csv"));
    let places: Vec<_> =
        rows.iter().map(|row| (row["label"].as_str(), row["group"].as_str(), row["x"].as_str())).collect();
    assert_eq!(
        places[..4],
        [("normal", "a", "0"), ("normal", "a", "128"), ("normal", "a", "0"), ("normal", "a", "128")]
    );
    let patch = image::open(out.join(&rows[0]["path"])).unwrap().into_rgb8();
    assert_eq!(patch.dimensions(), (64, 64));
    let dataset = histomask::data::Dataset::open(&out, &histomask::data::DataConfig::default()).unwrap();
    assert_eq!(dataset.classes, ["normal", "tumor"]);

    let info = Program::new(["slides", "info", "--json"]).args([data.join("tumor")]).run().exits(0);
    let info: serde_json::Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!((info[0]["format"].as_str(), info[0]["mpp"][0].as_f64()), (Some("Aperio SVS"), Some(0.5)));
    let coarse = Program::new(["tiles"]).args([data.join("tumor")]).with("--mpp", "0.25").with("--out", &out);
    let _ = coarse.run().exits(1).says("would only be enlarged");
}

#[test]
fn cmu_1_is_what_openslide_says_it_is() {
    let Some(shared) = shared() else { return };
    let folder = shared.join("data/slides");
    let info = Program::new(["slides", "info"]).args([folder.join("CMU-1-Small-Region.svs")]).run().exits(0);
    let _ = info.says("2220 × 2967").says("0.4990 µm").says("20×").says("JPEG").says("thumbnail, label, macro");
    let unopenable = Program::new(["slides", "info"]).args([folder.join("openslide-rs-unopenable.tiff")]).run();
    let _ = unopenable.exits(1).says("compression number 52479");
    let slide = histomask::data::slides::open(&folder.join("openslide-rs-boxes.tiff")).unwrap();
    let reference = image::open(folder.join("openslide-rs-boxes.png")).unwrap().into_rgb8();
    assert_eq!(slide.levels().len(), 4);
    assert!(slide.region(0, [0, 0], slide.size()).unwrap() == reference);
}
