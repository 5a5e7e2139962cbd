//! Data sets and images that cannot be used: refused before any training, with the file's name.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};

use histomask_tests::program::{Ended, Program};
use histomask_tests::results::{bytes, csv, json};
use histomask_tests::tiny::{SIDE, data_set, model, train};
use tempfile::TempDir;

/// Trains on the smallest data set after `spoil` had its way with it.
fn train_on(spoil: impl FnOnce(&Path)) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let data = data_set(folder.path(), 4);
    spoil(&data);
    let run = folder.path().join("run");
    let ended = train(&data, &run, 1).run();
    assert!(!run.exists(), "a run was begun: {ended}");
    ended
}

/// Rewrites `labels.csv` line by line.
fn relabel(data: &Path, change: impl Fn(&str) -> Option<String>) {
    let table = data.join("labels.csv");
    let text = String::from_utf8(bytes(&table)).unwrap();
    let lines: Vec<_> = text.lines().filter_map(change).collect();
    std::fs::write(table, lines.join("\n")).unwrap();
}

fn truncate(path: &Path) {
    let whole = bytes(path);
    std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
}

/// A PNG that claims a size and holds next to nothing; its checksums are right.
fn png_claiming(width: u32, height: u32) -> Vec<u8> {
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
        })
    }
    let chunk = |name: &[u8], data: &[u8]| {
        let body = [name, data].concat();
        [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
    };
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let chunks = [chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78, 0x9c, 1, 0, 0, 0xff, 0xff]), chunk(b"IEND", b"")];
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.concat()].concat()
}

#[test]
fn folders_without_a_data_set() {
    let folder = tempfile::tempdir().unwrap();
    let (empty, run) = (folder.path().join("empty"), folder.path().join("run"));
    std::fs::create_dir(&empty).unwrap();
    let _ = train(&empty, &run, 1).run().exits(2).says("empty: no class folders here").says("expected <class>/*.png");
    let _ = train(&folder.path().join("nowhere"), &run, 1)
        .run()
        .exits(2)
        .says("nowhere: no such file or folder")
        .says("check the path");
    std::fs::create_dir(empty.join("benign")).unwrap();
    let _ = train(&empty, &run, 1).run().exits(2).says("benign").says("add images or remove the folder");
    std::fs::write(empty.join("labels.csv"), "path,label\n").unwrap();
    let _ = train(&empty, &run, 1).run().exits(2).says("labels.csv").says("no rows").says("add one row per image");
    std::fs::write(empty.join("labels.csv"), [0xff, 0xfe, 0x00]).unwrap();
    let _ = train(&empty, &run, 1).run().exits(2).says("labels.csv").says("save the table as CSV UTF-8");
    assert!(!run.exists());
}

#[test]
fn one_class_cannot_be_learnt() {
    let one = train_on(|data| relabel(data, |line| (!line.contains("irregular")).then(|| line.into())));
    let _ = one.exits(2).says("only the class `regular`").says("at least two classes");
}

#[test]
fn damaged_files_are_all_named() {
    let ended = train_on(|data| {
        truncate(&data.join("images/regular_0001.png"));
        std::fs::write(data.join("images/regular_0002.png"), []).unwrap();
        std::fs::write(data.join("images/irregular_0000.png"), png_claiming(100_000, 100_000)).unwrap();
        std::fs::write(data.join("images/irregular_0001.png"), "<html>not found</html>").unwrap();
        std::fs::remove_file(data.join("images/irregular_0002.png")).unwrap();
        truncate(&data.join("masks/regular_0003.png"));
        let mask = data.join("masks/irregular_0003.png");
        image::GrayImage::new(SIDE, SIDE + 1).save(mask).unwrap();
    });
    let ended = ended.exits(2).says("7 problem(s)").says("images/regular_0001.png").says("images/regular_0002.png");
    let ended = ended.says("images/irregular_0000.png").says("100000×100000 pixels are too large");
    let ended = ended.says("images/irregular_0001.png: not an image").says("irregular_0002.png: no such file");
    let _ = ended.says("masks/regular_0003.png").says("irregular_0003.png: the mask is 64×65 pixels");
}

#[test]
fn rows_that_contradict_each_other() {
    let unknown = Program::new(["train"]).with("--data.class-names", "regular,iregular");
    let folder = tempfile::tempdir().unwrap();
    let data = data_set(folder.path(), 4);
    let unknown = unknown.with("--data", &data).with("--out", folder.path().join("run")).on_cpu().run();
    let _ = unknown
        .exits(2)
        .says("labels.csv, line")
        .says("unknown class `irregular`, did you mean")
        .says("known classes: regular, iregular");

    // the same picture under another name in another split
    let leak = train_on(|data| {
        let rows = csv(&data.join("labels.csv"));
        let of = |split: &str| {
            let row = rows.iter().find(|row| row["split"] == split && row["label"] == "regular").unwrap();
            data.join(&row["path"])
        };
        std::fs::copy(of("train"), of("test")).unwrap();
    });
    let _ = leak.exits(2).says("are the same image").says("(train)").says("(test)").says("remove one");

    let both = train_on(|data| {
        std::fs::copy(data.join("images/regular_0000.png"), data.join("images/irregular_0000.png")).unwrap();
    });
    let _ = both.exits(2).says("irregular_0000.png").says("the same image with different classes").says("correct one");

    let twice = train_on(|data| {
        let mut text = String::from_utf8(bytes(&data.join("labels.csv"))).unwrap();
        let last = text.lines().last().unwrap().to_owned();
        text += &last.replace("valid", "train").replace("test", "train");
        std::fs::write(data.join("labels.csv"), text).unwrap();
    });
    let _ = twice.exits(2).says("labels.csv, line 10").says("already stands in line 9; remove one");

    let no_valid = train_on(|data| relabel(data, |line| Some(line.replace(",train", ",test"))));
    let _ = no_valid.exits(2).says("train is empty; add images to it");

    let workbook = train_on(|data| std::fs::write(data.join("labels.csv"), b"PK\x03\x04\x14\0\x06\0").unwrap());
    let _ = workbook.exits(2).says("labels.csv, line 1: it is no text but a workbook").says("as CSV UTF-8");
}

/// A model, a good patch, and a folder for results.
fn ready() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path());
    let patch = folder.path().join("tissue/images/regular_0000.png");
    (folder, model, patch)
}

#[test]
fn predict_goes_on_after_bad_images() {
    let (folder, model, patch) = ready();
    let images = folder.path().join("mixed");
    std::fs::create_dir(&images).unwrap();
    for good in ["a.png", "z.png"] {
        std::fs::copy(&patch, images.join(good)).unwrap();
    }
    std::fs::copy(&patch, images.join("half.png")).unwrap();
    truncate(&images.join("half.png"));
    std::fs::write(images.join("empty.png"), []).unwrap();
    std::fs::write(images.join("huge.png"), png_claiming(100_000, 100_000)).unwrap();
    std::fs::write(images.join("hollow.png"), png_claiming(16_000, 16_000)).unwrap();
    std::fs::write(images.join("text.jpg"), "a text").unwrap();
    image::RgbImage::new(4000, 3).save(images.join("stripe.png")).unwrap();
    std::fs::create_dir(images.join("folder.png")).unwrap();

    let out = folder.path().join("out");
    let predict = Program::new(["predict"]).args([&images]).with("--model", &model).with("--out", &out);
    let ended = predict.on_cpu().run().exits(1).says("7 of 9 images failed");
    let predicted: Vec<_> = csv(&out.join("predictions.csv")).iter().map(|row| row["mask"].clone()).collect();
    assert_eq!(predicted, ["a_mask.png", "z_mask.png"]);
    let record = json(&out.join("run.json"));
    for name in ["half.png", "empty.png", "huge.png", "hollow.png", "text.jpg", "stripe.png", "folder.png"] {
        assert!(ended.text().contains(name), "{name} is not named: {ended}");
        let listed = record["failed"].as_array().unwrap();
        assert!(listed.iter().any(|failed| failed["path"].as_str().unwrap().ends_with(name)), "{name}: {record}");
    }
}

/// A pipe would be waited for until somebody writes to it, and a folder linked into itself would hold each image forty
/// times.
#[cfg(unix)]
#[test]
fn what_is_named_as_an_image_and_is_no_file_is_told() {
    let (folder, model, patch) = ready();
    let images = folder.path().join("classes/a");
    for image in ["a/1.png", "a/2.png", "b/3.png", "b/4.png"].map(|name| folder.path().join("classes").join(name)) {
        std::fs::create_dir_all(image.parent().unwrap()).unwrap();
        std::fs::copy(&patch, image).unwrap();
    }
    std::os::unix::fs::symlink(".", images.join("again")).unwrap();
    let classes = histomask::data::Dataset::open(&folder.path().join("classes"), &Default::default()).unwrap();
    assert_eq!(classes.samples().count(), 4);

    assert!(std::process::Command::new("mkfifo").arg(images.join("pipe.png")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(images.join("socket.png")).unwrap();
    let predict = Program::new(["predict"]).args([&images]).with("--model", &model);
    let _ = predict
        .with("--out", folder.path().join("out"))
        .on_cpu()
        .run()
        .exits(1)
        .says("pipe.png: no file but a pipe, socket or device; remove it, or name an image file")
        .says("socket.png: no file but a pipe")
        .says("2 of 4 images failed");
}

#[test]
fn nothing_to_predict_is_a_mistake_in_usage() {
    let (folder, model, _) = ready();
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let predict = |input: &Path| Program::new(["predict"]).args([input]).with("--model", &model).on_cpu().run();
    let _ = predict(&empty).exits(2).says("empty: no images in this folder; image files end in");
    let _ = predict(&empty.join("*.png")).exits(2).says("*.png: no such file");
    let _ = predict(&folder.path().join("none.png")).exits(2).says("none.png: no such file");
    let _ = predict(Path::new("a[")).exits(2).says("a[");
}

#[test]
fn evaluation_counts_what_it_could_read() {
    let (folder, model, _) = ready();
    let (data, out) = (folder.path().join("tissue"), folder.path().join("out"));
    truncate(&data.join("images/regular_0001.png"));
    truncate(&data.join("masks/irregular_0002.png"));
    let evaluate = |split: &str| {
        let command = Program::new(["evaluate", "--split", split]).with("--data", &data).with("--model", &model);
        command.with("--out", &out).on_cpu().run()
    };
    let _ = evaluate("all").exits(1).says("images/regular_0001.png").says("masks/irregular_0002.png");
    let summary = json(&out.join("evaluation.json"));
    assert_eq!((summary["images"].as_u64(), csv(&out.join("images.csv")).len()), (Some(6), 6));
    assert_eq!(summary["failed"].as_array().unwrap().len(), 2);

    relabel(&data, |line| Some(line.replace("irregular,", "spindly,")));
    let _ = evaluate("all").exits(2).says("spindly").says("irregular").says("evaluate it on data of its own classes");
    relabel(&data, |line| Some(line.replace(",test", ",train")));
    let _ = evaluate("test").exits(2).says("test split has no images; choose another --split");
}
