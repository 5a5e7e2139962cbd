//! `predict` on whole slides that are written here: recognised among pictures, put together without seams,
//! divided into shards, and bad files that fail alone.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use histomask::data::slides::open;
use histomask::weights::default_model;
use histomask_core::outline::Shapes;
use histomask_core::weights::{Precision, read_checkpoint, write_checkpoint};
use histomask_tests::program::Program;
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::results::{bytes, csv, json, number};
use histomask_tests::small_slides::{self, aperio, predict, slide, tissue};
use histomask_tests::{shared, tiny};
use image::{Rgb, RgbImage};

fn models() -> &'static [PathBuf; 2] {
    small_slides::models(env!("CARGO_TARGET_TMPDIR"), "slide_predict")
}

#[test]
fn slides_among_pictures_are_told_by_content_and_leave_their_files() {
    let folder = tempfile::tempdir().unwrap();
    // results below the slides are not taken for more of them by a second run
    let (data, out) = (folder.path().join("data"), folder.path().join("data/out"));
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("a.svs"), slide(600, 320)).unwrap();
    // with levels it is a slide whatever its name; without and small it is a picture
    let levels = [Page::new(300, 200, 64, tissue(300)), Page::new(150, 100, 64, tissue(150))];
    std::fs::write(data.join("b.tif"), tiff(&levels, false)).unwrap();
    std::fs::write(data.join("picture.tif"), tiff(&[Page::new(90, 80, 0, tissue(90))], false)).unwrap();
    let model = &models()[0];
    let run = || predict(model, &[&data], &out).with("--slide-mpp", "0.8").run().exits(0);
    let _ = run().says("class maps of one whole pass").says("1 images in").says("2 slides in");

    assert_eq!(csv(&out.join("predictions.csv")).len(), 1);
    let rows = csv(&out.join("slides.csv"));
    assert_eq!(rows.len(), 2);
    let row = &rows[0];
    assert!(row["path"].ends_with("a.svs") && !row["class"].is_empty(), "{row:?}");
    assert!((number(row, "p_irregular") + number(row, "p_regular") - 1.0).abs() < 1e-4, "{row:?}");
    // 400 × 320 pixels of 0.5 µm, at the thumbnail's resolution
    assert!((number(row, "tissue_mm2") - 0.032).abs() < 0.002, "{row:?}");
    let foreground = number(row, "foreground_mm2");
    assert!(foreground > 0.0 && foreground < number(row, "tissue_mm2"), "{row:?}");

    let map = open(&out.join(&row["probability_map"])).unwrap();
    assert_eq!((map.size(), map.levels().len()), ([300, 160], 1));
    assert!(map.mpp().is_some_and(|mpp| mpp.iter().all(|mpp| (mpp - 1.0).abs() < 1e-3)), "{:?}", map.mpp());
    let pixels = map.region(0, [0, 0], [300, 160]).unwrap();
    let threshold = (json(&out.join("slides.json"))["threshold"].as_f64().unwrap() * 255.0).ceil() as u8;
    let inside = pixels.pixels().filter(|pixel| pixel.0[0] >= threshold).count();
    assert!((inside as f64 * 1e-6 - foreground).abs() < 1e-6, "{inside} pixels, {foreground} mm²");
    assert!(pixels.enumerate_pixels().all(|(x, _, pixel)| x < 210 || pixel.0[0] == 0), "glass is background");

    // the outlines are those pixels, in full resolution
    let text = String::from_utf8(bytes(&out.join(&row["geojson"]))).unwrap();
    let shapes = Shapes::from_geojson(&text).unwrap();
    let drawn = shapes.mask(300, 160, [2.0, 2.0]);
    assert!(pixels.pixels().zip(&drawn).all(|(pixel, drawn)| (pixel.0[0] >= threshold) == *drawn));
    let packed = histomask::data::geojson::read_shapes(&out.join(format!("{}.gz", row["geojson"]))).unwrap();
    assert_eq!(packed, shapes);
    // four columns and three rows of 64 pixels meet 200 × 160 pixels of tissue
    assert_eq!(csv(&out.join("a_tiles.csv")).len(), 12);
    assert!(image::open(out.join(&row["overlay"])).is_ok());

    // what is finished is not done again, and found tissue may be given back
    let before = std::fs::metadata(out.join("a_probability.tif")).unwrap().modified().unwrap();
    let _ = run();
    assert_eq!(std::fs::metadata(out.join("a_probability.tif")).unwrap().modified().unwrap(), before);
    let again = folder.path().join("again");
    let a = data.join("a.svs");
    let _ = predict(model, &[&a], &again).with("--tissue", &out).run().exits(0);
    for name in ["a_probability.tif", "a.geojson", "a_overlay.png", "a_tiles.csv"] {
        assert!(bytes(&again.join(name)) == bytes(&out.join(name)), "{name}");
    }
    let roi = folder.path().join("roi.geojson");
    std::fs::write(&roi, r#"{"type":"Polygon","coordinates":[[[100,0],[200,0],[200,320],[100,320],[100,0]]]}"#)
        .unwrap();
    let part = folder.path().join("part");
    let _ = predict(model, &[&a], &part).with("--roi", &roi).run().exits(0);
    let row = &csv(&part.join("slides.csv"))[0];
    assert!((number(row, "tissue_mm2") - 0.008).abs() < 1e-4, "{row:?}");
    // scored by what someone drew: its own outlines, half of the slide, nothing
    let drawn = folder.path().join("drawn");
    std::fs::create_dir_all(&drawn).unwrap();
    let truth = drawn.join("a_truth.geojson");
    let score = |text: &str| -> Vec<Option<f64>> {
        std::fs::write(&truth, text).unwrap();
        let _ = predict(model, &[&a], &again).with("--truth", &drawn).with("--tissue", &out).run().exits(0);
        let row = &csv(&again.join("slides.csv"))[0];
        ["f1_plus", "f1_minus", "iou_plus"].map(|column| row[column].parse().ok()).to_vec()
    };
    assert_eq!(score(&text), [Some(100.0); 3]);
    let right = score(r#"{"type":"Polygon","coordinates":[[[300,0],[600,0],[600,320],[300,320],[300,0]]]}"#);
    let hits = pixels.enumerate_pixels().filter(|(x, _, pixel)| *x >= 150 && pixel.0[0] >= threshold).count() as f64;
    let found = pixels.pixels().filter(|pixel| pixel.0[0] >= threshold).count() as f64;
    let expected = 100.0 * 2.0 * hits / (found + f64::from(150 * 160));
    assert!((right[0].unwrap() - expected).abs() < 1e-3, "{right:?}, not {expected}");
    assert_eq!(score(r#"{"type":"FeatureCollection","features":[]}"#)[0], None);
    assert_eq!(json(&again.join("slides.json"))["masks"]["slides"], 1);
    // changed tissue is not written over
    std::fs::write(out.join("a_tissue.geojson"), "{}").unwrap();
    let _ = predict(model, &[&a], &out).with("--mpp", "1.1").run().exits(1).says("take it with --tissue");
}

#[test]
fn windows_are_blended_where_the_network_sees_far() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.svs");
    std::fs::write(&path, slide(480, 300)).unwrap();
    let out = folder.path().join("out");
    let _ = predict(&models()[1], &[&path], &out).run().exits(0).says("windows blended");
    let map = open(&out.join("a_probability.tif")).unwrap().region(0, [0, 0], [240, 150]).unwrap();
    // no step at the edges of windows beyond what a mask has anyway
    let steps = |edge: bool| {
        let columns = (1..150_u32).filter(|x| (x % 32 == 0) == edge);
        let step = |x: u32, y: u32| u32::from(map.get_pixel(x, y)[0].abs_diff(map.get_pixel(x - 1, y)[0]));
        let (sum, count) =
            columns.flat_map(|x| (0..150).map(move |y| step(x, y))).fold((0, 0), |(s, n), v| (s + v, n + 1));
        f64::from(sum) / f64::from(count)
    };
    assert!(steps(true) < 2.0 * steps(false) + 2.0, "{} at edges, {} elsewhere", steps(true), steps(false));
}

#[test]
fn each_slide_is_predicted_once_and_none_takes_the_place_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let model = &models()[0];
    for (name, height) in [("one", 140), ("two", 200)] {
        std::fs::create_dir_all(at(name)).unwrap();
        std::fs::write(at(name).join("a.svs"), slide(200, height)).unwrap();
    }
    std::fs::write(at("list.csv"), "path,mpp\none/a.svs,0.25\n").unwrap();
    let both = ["one/a.svs", "one", "two/../one/*.svs", "list.csv", "two"].map(at);
    let both: Vec<&Path> = both.iter().map(PathBuf::as_path).collect();
    let out = at("out");
    let _ = predict(model, &both, &out).run().exits(0).says("2 slides in");
    let sizes = |out: &Path| -> Vec<_> {
        csv(&out.join("slides.csv")).iter().map(|row| (row["height"].clone(), row["probability_map"].clone())).collect()
    };
    let expected = [("140".to_owned(), "a_probability.tif".to_owned()), ("200".into(), "a-2_probability.tif".into())];
    assert_eq!(sizes(&out), expected);
    // the list's scale holds, although the slide was named before without one
    assert!((number(&csv(&out.join("slides.csv"))[0], "slide_mpp") - 0.25).abs() < 1e-9);
    // alone the other slide would have the name of the first
    let before = bytes(&out.join("a_probability.tif"));
    let refused = predict(model, &[&at("two/a.svs")], &out).run().exits(1);
    let _ = refused.says("a slide of the same name").says("name another --out");
    assert!(bytes(&out.join("a_probability.tif")) == before);
    // a slide that was moved may take the place of its own results
    std::fs::rename(at("one"), at("moved")).unwrap();
    let _ = predict(model, &[&at("moved/a.svs")], &out).run().exits(0);
    // one that was written again is predicted again
    std::fs::write(at("moved/a.svs"), slide(200, 180)).unwrap();
    let _ = predict(model, &[&at("moved/a.svs")], &out).with("--mpp", "1.2").run().exits(0);
    assert_eq!(sizes(&out)[0].0, "180");
    // the outlines of an image do not take the place of a slide's tissue
    RgbImage::from_pixel(64, 64, Rgb([200, 120, 160])).save(at("moved/a_tissue.png")).unwrap();
    let _ = predict(model, &[&at("moved")], &at("third")).args(["--geojson"]).run().exits(0);
    assert_eq!(csv(&at("third/predictions.csv"))[0]["geojson"], "a_tissue-2.geojson");
    assert!(at("third/a_tissue.geojson").exists() && at("third/a_tissue-2.geojson").exists());
}

#[test]
fn one_range_of_the_slide_is_refused_where_windows_are_blended() {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (folder.path().join("a.svs"), folder.path().join("out"));
    std::fs::write(&path, slide(200, 140)).unwrap();
    let of_slide = |model: &Path| predict(model, &[&path], &out).with("--range", "slide").run();
    let _ = of_slide(&models()[1]).exits(2).says("--range slide").says("leave --range out");
    assert!(!out.join("slides.csv").exists());
    let _ = of_slide(&models()[0]).exits(0);
}

#[test]
fn shards_are_disjoint_and_complete() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    std::fs::create_dir_all(&data).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        std::fs::write(data.join(format!("{name}.svs")), slide(200, 140)).unwrap();
    }
    let mut seen = Vec::new();
    for shard in 1..=3 {
        let name = format!("{shard}/3");
        let _ = predict(&models()[0], &[&data], &out).with("--shard", &name).run().exits(0);
        seen.extend(csv(&out.join(format!("slides-{shard}of3.csv"))).into_iter().map(|row| row["path"].clone()));
    }
    let distinct: BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5), "{seen:?}");
    // all of them at once take what the shards made
    let before = std::fs::metadata(out.join("c_probability.tif")).unwrap().modified().unwrap();
    let _ = predict(&models()[0], &[&data], &out).run().exits(0);
    assert_eq!(csv(&out.join("slides.csv")).len(), 5);
    assert_eq!(std::fs::metadata(out.join("c_probability.tif")).unwrap().modified().unwrap(), before);
    let _ = predict(&models()[0], &[&data], &out).with("--shard", "4/3").run().exits(2).says("second of four");
}

#[test]
fn bad_slides_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (data, out) = (folder.path().join("data"), folder.path().join("out"));
    std::fs::create_dir_all(&data).unwrap();
    let whole = slide(400, 300);
    let write = |name: &str, bytes: &[u8]| std::fs::write(data.join(name), bytes).unwrap();
    write("good.svs", &whole);
    write("cut_off.svs", &whole[..whole.len() - 40]);
    let mut circle = whole.clone();
    let end = circle.len() - 4;
    circle.copy_within(4..8, end);
    write("circle.svs", &circle);
    write("no_scale.svs", &tiff(&[Page::new(200, 200, 64, tissue(200))], false));
    let coarse =
        Page { description: aperio(100, 100).replace("0.5000", "4.0"), ..Page::new(100, 100, 64, tissue(100)) };
    write("coarse.svs", &tiff(&[coarse], false));
    write("small.svs", &slide(40, 30));
    // a tile that names bytes beyond the end
    let mut damaged = whole.clone();
    let offset = (8_u32 + 3 * 64 * 64).to_le_bytes();
    let at = damaged.windows(4).rposition(|bytes| bytes == offset).unwrap();
    damaged[at..at + 4].copy_from_slice(&0x7000_0000_u32.to_le_bytes());
    write("damaged.svs", &damaged);
    #[cfg(unix)]
    std::os::unix::fs::symlink(&data, data.join("again")).unwrap();

    let model = &models()[0];
    let ended = predict(model, &[&data], &out).run().exits(1);
    let ended = ended.says("cut_off.svs: ").says("cut off").says("circle").says("--slide-mpp").says("only be enlarged");
    let _ = ended.says("too few").says("damaged.svs: level 0, tile in column 1, row 0").says("read as white");
    let rows = csv(&out.join("slides.csv"));
    let done: Vec<_> = rows
        .iter()
        .map(|row| (Path::new(&row["path"]).file_stem().unwrap().to_owned(), &row["damaged_tiles"]))
        .collect();
    assert_eq!(done, [("damaged".into(), &"1".to_owned()), ("good".into(), &"0".to_owned())]);
    assert_eq!(json(&out.join("slides.json"))["failed"].as_array().unwrap().len(), 5);
    let strict = predict(model, &[&data.join("damaged.svs")], &folder.path().join("strict")).args(["--strict"]).run();
    let _ = strict.exits(1).says("skipped: ").says("tile in column 1, row 0");

    let good = data.join("good.svs");
    let geojson = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let square = |x: u32| format!("[[[{x},10],[{},10],[{},60],[{x},60],[{x},10]]]", x + 50, x + 50);
    let other = geojson("other.geojson", &format!(r#"{{"type":"Polygon","coordinates":{}}}"#, square(90_000)));
    let both = geojson(
        "both.geojson",
        &format!(r#"{{"type":"MultiPolygon","coordinates":[{},{}]}}"#, square(90_000), square(10)),
    );
    let run = |roi: &Path, name: &str| predict(model, &[&good], &folder.path().join(name)).with("--roi", roi);
    let _ = run(&other, "r1").run().exits(1).says("other.geojson").says("do they belong to another one?");
    let _ = run(&both, "r2").run().exits(0).says("1 of 2 polygons lie outside");
    let _ = run(&both, "r3").args(["--strict"]).run().exits(1).says("1 of 2 polygons lie outside");
    let _ = run(&geojson("text.geojson", "no json"), "r4").run().exits(1).says("text.geojson: no GeoJSON");
    let _ = run(&geojson("point.geojson", r#"{"type":"Point","coordinates":[1,2]}"#), "r5")
        .run()
        .exits(1)
        .says("no polygon");
    let _ = run(&folder.path().join("absent"), "r6").run().exits(2).says("no such file");
    // a folder that cannot be written: a file stands in its place
    let _ = predict(model, &[&good], &good.join("below")).run().exits(2).says("cannot write");

    let run = folder.path().join("unscaled");
    let _ = tiny::train(&tiny::data_set(folder.path(), 4), &run, 1).run().exits(0);
    let unscaled = run.join("best.safetensors");
    let _ = predict(&unscaled, &[&good], &out).run().exits(2).says("name them with --mpp").says("--data.mpp");
}

#[test]
fn a_list_names_slides_and_their_scale() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(folder.path().join("x.svs"), slide(200, 140)).unwrap();
    // as a spreadsheet writes it where decimals have a comma
    std::fs::write(&list, "\u{feff}Path;mpp\r\n.\\x.svs;0,25\r\n;\r\n").unwrap();
    let out = folder.path().join("out");
    let _ = predict(&models()[0], &[&list], &out).run().exits(0);
    assert!((number(&csv(&out.join("slides.csv"))[0], "slide_mpp") - 0.25).abs() < 1e-9);
    std::fs::write(&list, "path,mpp\nx.svs,small\n").unwrap();
    let _ = predict(&models()[0], &[&list], &out).run().exits(2).says("list.csv, line 2: mpp `small`");
}

#[test]
fn outlines_are_masks_to_evaluate_on() {
    let folder = tempfile::tempdir().unwrap();
    let data = tiny::data_set(folder.path(), 4);
    let model = &models()[0];
    let entries = std::fs::read_dir(data.join("images")).unwrap();
    let mut images: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    images.sort();
    let out = folder.path().join("out");
    let paths: Vec<&Path> = images.iter().map(PathBuf::as_path).collect();
    let _ = predict(model, &paths, &out).args(["--geojson"]).run().exits(0);
    let evaluate = |column: &str, name: &str| {
        let rows = csv(&out.join("predictions.csv"));
        let lines = rows.iter().map(|row| format!("{},regular,{},test", row["path"], out.join(&row[column]).display()));
        let table = folder.path().join(format!("{name}.csv"));
        std::fs::write(&table, format!("path,label,mask,split\n{}\n", lines.collect::<Vec<_>>().join("\n"))).unwrap();
        let results = folder.path().join(name);
        let run = Program::new(["evaluate", "--split", "test"]).with("--data", &table).with("--model", model);
        let _ = run.with("--out", &results).on_cpu().run().exits(0);
        json(&results.join("evaluation.json"))["masks"].clone()
    };
    let drawn = evaluate("geojson", "drawn");
    assert_eq!(drawn, evaluate("mask", "painted"));
    assert!(drawn["f1_plus"].as_f64().is_some_and(|f1| f1 > 99.9), "{drawn}");
}

/// How far masks of patches and another mask lie together, over tissue.
#[derive(Default)]
struct Agreement {
    difference: f64,
    same_side: u64,
    pixels: u64,
}

impl Agreement {
    fn add(&mut self, one: f64, other: f64) {
        self.difference += (one - other).abs();
        self.same_side += u64::from((one >= 0.5) == (other >= 0.5));
        self.pixels += 1;
    }

    fn percent(&self) -> f64 {
        100.0 * self.same_side as f64 / self.pixels as f64
    }

    fn show(&self, name: &str) {
        let mean = self.difference / self.pixels as f64;
        println!("{name}: {:.1} % of {} pixels on the same side, {mean:.3} apart", self.percent(), self.pixels);
    }
}

/// Patches cut from the slide off its windows, predicted one by one, beside the slide's mask; the numbers in
/// docs/SLIDES.md.
#[test]
fn scales_of_windows_agree_better_with_patches_than_one_of_the_slide() {
    let Some(shared) = shared() else { return };
    let slide = shared.join("data/slides/CMU-1-Small-Region.svs");
    let [among, windows, whole] = agreements(&slide, "without the prior of colours", false);
    assert!(windows.percent() > whole.percent() && windows.percent() > among.percent() - 3.0);
    let [among, windows, whole] = agreements(&slide, "with it", true);
    assert!(windows.percent() > whole.percent() && windows.percent() > among.percent() - 5.0);
}

/// Of overlapping patches among each other, and of them with the slide's mask by scales of windows and by one scale.
fn agreements(slide: &Path, name: &str, colours: bool) -> [Agreement; 3] {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let model = at("model.safetensors");
    let (mut card, state) = read_checkpoint(default_model()).unwrap();
    if !colours {
        (card.model.mask.prior, card.model.mask.tissue, card.model.mask.smallest) = (0.0, false, 0.0);
    }
    std::fs::write(&model, write_checkpoint(&state, &card, Precision::Half).unwrap()).unwrap();
    let mpp = card.mpp.unwrap().to_string();
    let cut = Program::new(["tiles"]).args([slide]).with("--out", at("tiles")).with("--mpp", &mpp);
    let _ = cut.with("--size", "288").with("--stride", "96").with("--tissue", "0.3").run().exits(0);
    let _ = predict(&model, &[&at("tiles/CMU-1-Small-Region")], &at("patches")).run().exits(0);

    let of_slide = |model: &Path, name: &str, range: &str| {
        let _ = predict(model, &[slide], &at(name)).with("--range", range).run().exits(0);
        let map = open(&at(name).join("CMU-1-Small-Region_probability.tif")).unwrap();
        map.region(0, [0, 0], map.size()).unwrap()
    };
    let (windows, whole) = (of_slide(&model, "windows", "patch"), of_slide(&model, "whole", "slide"));
    let (width, height) = windows.dimensions();
    let step = [2220.0 / f64::from(width), 2967.0 / f64::from(height)];
    let text = String::from_utf8(bytes(&at("windows/CMU-1-Small-Region_tissue.geojson"))).unwrap();
    let tissue = Shapes::from_geojson(&text).unwrap().mask(width as usize, height as usize, step);
    let patches: Vec<_> = csv(&at("tiles/labels.csv"))
        .into_iter()
        .map(|row| {
            let stem = Path::new(&row["path"]).file_stem().unwrap().to_string_lossy().into_owned();
            let soft = image::open(at("patches").join(format!("{stem}_soft.png"))).unwrap().into_luma16();
            let corner = [("x", 0), ("y", 1)].map(|(column, axis)| (number(&row, column) / step[axis]).round() as u32);
            (corner, soft)
        })
        .collect();
    let soft = |image: &image::ImageBuffer<image::Luma<u16>, Vec<u16>>, x: u32, y: u32| {
        f64::from(image.get_pixel(x, y).0[0]) / 65535.0
    };
    let beside = |mask: &image::RgbImage| {
        let mut agreement = Agreement::default();
        for ([left, top], patch) in &patches {
            for (x, y, _) in patch.enumerate_pixels() {
                let (to_x, to_y) = (left + x, top + y);
                if to_x < width && to_y < height && tissue[(to_y * width + to_x) as usize] {
                    agreement.add(f64::from(mask.get_pixel(to_x, to_y)[0]) / 255.0, soft(patch, x, y));
                }
            }
        }
        agreement
    };
    let mut among = Agreement::default();
    for (index, ([left, top], one)) in patches.iter().enumerate() {
        for ([other_left, other_top], other) in &patches[index + 1..] {
            for (x, y, _) in one.enumerate_pixels() {
                let (to_x, to_y) = (left + x, top + y);
                let inside = |at: u32, from: u32| at >= from && at - from < 288;
                if inside(to_x, *other_left)
                    && inside(to_y, *other_top)
                    && to_x < width
                    && to_y < height
                    && tissue[(to_y * width + to_x) as usize]
                {
                    among.add(soft(one, x, y), soft(other, to_x - other_left, to_y - other_top));
                }
            }
        }
    }
    let (windows, whole) = (beside(&windows), beside(&whole));
    println!("{name}");
    among.show("overlapping patches among each other");
    windows.show("--range patch and patches");
    whole.show("--range slide and patches");
    [among, windows, whole]
}
