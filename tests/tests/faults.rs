//! Faults are told as what they are, before they cost time, and what was whole stays whole.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;
use std::time::Duration;

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, json};
use histomask_tests::tiny::{SIDE, data_set, train};
use image::{Rgb, RgbImage};

/// Noise of its own for every name.
fn picture(path: &Path, width: u32, height: u32) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let seed: u32 = path.to_string_lossy().bytes().fold(7, |hash: u32, byte| hash.wrapping_mul(31) ^ u32::from(byte));
    let at = |x: u32, y: u32| seed.wrapping_add(x * 7919 + y * 104_729).wrapping_mul(2_654_435_761).to_le_bytes();
    RgbImage::from_fn(width, height, |x, y| Rgb([at(x, y)[1], at(x, y)[2], at(x, y)[3]])).save(path).unwrap();
}

/// Two classes of two patches each to train on, and one each to validate on.
fn folders(root: &Path) {
    for name in ["train/a/1", "train/a/2", "train/b/1", "train/b/2", "valid/a/1", "valid/b/1"] {
        picture(&root.join(name).with_extension("png"), SIDE, SIDE);
    }
}

#[test]
fn a_validation_image_too_large_is_named_before_the_first_step() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    folders(&data);
    picture(&data.join("valid/b/long.png"), 64, 4200);
    let ended = train(&data, &run, 1).run().exits(2).says("valid/b/long.png").says("64×4200").says("--input.size");
    assert!(!ended.text().contains("gave up"), "{ended}");
    assert!(!run.join("steps.csv").exists() && !run.join("state.safetensors").exists(), "it went on");

    std::fs::remove_file(data.join("valid/b/long.png")).unwrap();
    let large = Program::new(["train"]).with("--data", &data).with("--out", &run);
    let large = large.args(["--profile", "demo", "--weights", "none", "--input.size", "4200"]);
    let _ = large.on_cpu().run().exits(2).says("valid/a/1.png").says("4200×4200").says("32 to 4096");
}

#[test]
fn the_class_without_foreground_is_one_of_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    folders(&data);
    let other = train(&data, &run, 1).with("--loss.normal-class", "healthy").run();
    let _ = other.exits(2).says("`healthy`").says("a, b").says("--loss.normal-class");
    let camelyon = || train(&data, &run, 1).with("--model.mask-of", "abnormal").with("--model.method", "wildcat");
    let _ = camelyon().run().exits(2).says("`normal`").says("a, b");
    let number = train(&data, &run, 1).with("--loss.normal-class", "0").run();
    let _ = number.exits(2).says("`0`").says("a, b");
    let _ = camelyon().with("--loss.normal-class", "b").run().exits(0);
    let _ = Program::new(["inspect"]).args([run.join("best.safetensors")]).run().exits(0).says("every class but b");
}

#[test]
#[cfg(unix)]
fn what_was_interrupted_says_so_and_replaces_no_complete_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let data = data_set(folder.path(), 4);
    let run = folder.path().join("run");
    let _ = train(&data, &run, 1).run().exits(0);
    // many images, so that it is under way for a while
    let many = folder.path().join("many");
    for index in 0..1500 {
        let to = many.join(format!("test/{}", if index % 2 == 0 { "irregular" } else { "regular" }));
        std::fs::create_dir_all(&to).unwrap();
        std::fs::copy(data.join("images/regular_0000.png"), to.join(format!("{index}.png"))).unwrap();
    }
    let evaluate = |data: &Path, out: &Path| {
        let evaluate = Program::new(["evaluate"]).with("--data", data).with("--model", &run).with("--out", out);
        evaluate.args(["--split", "test"]).on_cpu()
    };
    let stopped = |out: &Path| {
        let running = evaluate(&many, out).start();
        std::thread::sleep(Duration::from_millis(700));
        running.interrupt();
        running.wait().exits(130)
    };
    let whole = folder.path().join("whole");
    let _ = evaluate(&data, &whole).run().exits(0);
    assert_eq!(json(&whole.join("evaluation.json"))["complete"], true);
    let files = ["evaluation.json", "images.csv", "report.html"];
    let before = files.map(|name| bytes(&whole.join(name)));
    let _ = stopped(&whole).says("stays as it is");
    assert!(files.map(|name| bytes(&whole.join(name))) == before, "it was written over");

    let part = folder.path().join("part");
    let ended = stopped(&part).says("Not complete");
    let result = json(&part.join("evaluation.json"));
    assert_eq!((&result["complete"], result["samples"].as_u64()), (&serde_json::json!(false), Some(1500)), "{ended}");
    assert_eq!(result["images"].as_u64(), Some(csv(&part.join("images.csv")).len() as u64));
    let page = String::from_utf8(bytes(&part.join("report.html"))).unwrap();
    assert!(page.contains("Not complete"), "the page does not say so");

    let out = folder.path().join("predicted");
    let predict = Program::new(["predict"]).args([&many]).with("--model", &run).with("--out", &out);
    let mut running = predict.on_cpu().start();
    assert!(running.until_there(&out.join("run.json")), "{}", running.wait());
    std::thread::sleep(Duration::from_millis(500));
    running.interrupt();
    let _ = running.wait().exits(130).says("of 1500 images");
    let record = json(&out.join("run.json"));
    let images = csv(&out.join("predictions.csv")).len() as u64;
    assert!((1..1500).contains(&images), "{images}");
    assert_eq!((record["images"].as_u64(), record["inputs"].as_u64()), (Some(images), Some(1500)));
    assert_eq!(record["complete"], false);
}

#[test]
fn strict_makes_an_error_of_what_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (data_set(folder.path(), 4), folder.path().join("run"));
    let _ = train(&data, &run, 1).args(["--strict"]).run().exits(0);
    // the same in folders by class, with a picture in none of them
    let folders = folder.path().join("by-class");
    for (index, row) in csv(&data.join("labels.csv")).iter().enumerate() {
        let class = folders.join(&row["label"]);
        std::fs::create_dir_all(&class).unwrap();
        std::fs::copy(data.join(&row["path"]), class.join(format!("{index}.png"))).unwrap();
    }
    picture(&folders.join("unknown.png"), SIDE, SIDE);
    let other = folder.path().join("other");
    let _ = train(&folders, &other, 1).run().exits(0).says("1 without a label").says("unknown.png");
    let _ = train(&folders, &folder.path().join("none"), 1).args(["--strict"]).run().exits(2).says("--strict");
    assert!(!folder.path().join("none").exists(), "it trained");
    let evaluate = || Program::new(["evaluate"]).with("--data", &folders).with("--model", &run).on_cpu();
    let _ = evaluate().run().exits(0).says("unknown.png");
    let _ = evaluate().args(["--strict"]).run().exits(2).says("unknown.png").says("--strict");

    let images = folder.path().join("images");
    picture(&images.join("a.png"), SIDE, SIDE);
    std::fs::write(images.join("slide.ndpi"), "a whole slide").unwrap();
    let predict = || Program::new(["predict"]).args([&images]).with("--model", &run).on_cpu();
    let _ = predict().with("--out", folder.path().join("p")).run().exits(0).says("slide.ndpi");
    let strict = predict().with("--out", folder.path().join("q")).args(["--strict"]).run();
    let _ = strict.exits(2).says("slide.ndpi").says("--strict");
}

#[test]
fn results_left_among_inputs_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (folder.path().join("data"), folder.path().join("run"));
    folders(&data);
    let _ = train(&data, &run, 1).run().exits(0);
    let predict = |shard: &[&str]| {
        let predict = Program::new(["predict"]).args([&data]).with("--model", &run).args(shard);
        predict.with("--out", data.join("train/predictions")).args(["--strict"]).on_cpu().run().exits(0)
    };
    let _ = predict(&["--shard", "1/1"]);
    let _ = predict(&[]).says("left out: 1 results of this program").says("train/predictions");
    assert_eq!(csv(&data.join("train/predictions/predictions.csv")).len(), 6);
    // nor is it a class
    let again = train(&data, &folder.path().join("again"), 1).args(["--strict"]).run().exits(0);
    let _ = again.says("results of this program").says("train: 2 a, 2 b");
}

#[test]
fn evaluation_warns_of_pictures_that_may_be_meant_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (data_set(folder.path(), 4), folder.path().join("run"));
    let _ = train(&data, &run, 1).run().exits(0);
    // 12 bits of 16, as cameras store them, and masks black on white
    for row in csv(&data.join("labels.csv")) {
        let image = data.join(&row["path"]);
        let bytes = image::open(&image).unwrap().into_rgb16();
        let dark = image::ImageBuffer::from_fn(SIDE, SIDE, |x, y| Rgb(bytes.get_pixel(x, y).0.map(|value| value >> 4)));
        dark.save(&image).unwrap();
        let mask = data.join(&row["mask"]);
        let edge = |x: u32, y: u32| x.min(y).min(SIDE - 1 - x).min(SIDE - 1 - y) < 3;
        let white = |x, y| image::Luma([if edge(x, y) { 255 } else { 0_u8 }]);
        image::GrayImage::from_fn(SIDE, SIDE, white).save(&mask).unwrap();
    }
    let evaluate = Program::new(["evaluate", "--split", "all"]).with("--data", &data).with("--model", &run);
    let ended = evaluate.with("--out", folder.path().join("out")).on_cpu().run().exits(0);
    let _ = ended.says("8 of 8 images have 16 bits").says("nearly black").says("invert them");
    let cautions = &json(&folder.path().join("out/evaluation.json"))["cautions"];
    assert_eq!(cautions.as_array().map(Vec::len), Some(2), "{cautions}");
}
