//! Places that cannot be written to, and a disk that fills up.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::Path;

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, json};
use histomask_tests::tiny::{model, train};

fn no_leftovers(folder: &Path) {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let left: Vec<_> = names.filter(|name| name.starts_with('.')).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (model(folder.path()), folder.path().join("tissue"));
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let out = file.join("below");
    let named = out.to_string_lossy();

    let _ = train(&data, &out, 1).run().exits(2).says(&named).says("cannot write");
    let evaluate = Program::new(["evaluate"]).with("--data", &data).with("--model", &model).with("--out", &out);
    let _ = evaluate.on_cpu().run().exits(2).says(&named).says("a file stands where a folder is needed");
    let predict = Program::new(["predict"]).args([data.join("images")]).with("--model", &model).with("--out", &out);
    let _ = predict.on_cpu().run().exits(2).says(&named).says("cannot write");
    let _ = Program::new(["man"]).args([&out]).run().exits(2).says(&named);
    let demo = Program::new(["demo"]).with("--out", &out).on_cpu().run();
    let _ = demo.exits(2).says(&named);
    let convert = Program::new(["weights", "convert"]).args([&model, &out]).run();
    let _ = convert.exits(2).says(&named).says("cannot write");
    assert_eq!(bytes(&file), b"in the way");
}

#[test]
fn results_do_not_go_among_images() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (model(folder.path()), folder.path().join("tissue"));
    let images = data.join("images");
    let before = std::fs::read_dir(&images).unwrap().count();
    let _ = train(&data, &images, 1).run().exits(2).says("tissue/images: images lie in this folder").says("--out");
    let evaluate = Program::new(["evaluate"]).with("--data", &data).with("--model", &model).with("--out", &images);
    let _ = evaluate.on_cpu().run().exits(2).says("tissue/images: images lie in this folder").says("--out");
    assert_eq!(std::fs::read_dir(&images).unwrap().count(), before);
}

#[test]
#[cfg(target_os = "linux")]
fn names_that_are_no_text_are_results_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path());
    let images = folder.path().join("im\u{e4}ges");
    std::fs::create_dir(&images).unwrap();
    // `ä` in Latin-1
    let [image, damaged] =
        [&b"\xe4.png"[..], b"\xe4\xe4.png"].map(|name| images.join(std::ffi::OsStr::from_bytes(name)));
    std::fs::copy(folder.path().join("tissue/images/regular_0000.png"), &image).unwrap();
    std::fs::write(&damaged, "").unwrap();
    let out = folder.path().join("out");
    let predict = Program::new(["predict"]).args([&image, &damaged]).with("--model", &model).with("--out", &out);
    let _ = predict.on_cpu().run().exits(1).says("1 of 2 images failed");
    assert_eq!(csv(&out.join("predictions.csv")).len(), 1);
    let run = json(&out.join("run.json"));
    let failed = run["failed"][0]["path"].as_str().unwrap();
    assert!(failed.ends_with("\u{fffd}\u{fffd}.png"), "{failed}");
}

#[test]
fn an_error_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path());
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let predict = Program::new(["predict"]).args([folder.path().join("tissue/images/regular_0000.png")]);
    let ended = predict.with("--model", &model).with("--out", file.join("below")).on_cpu().run().exits(2);
    assert_eq!(ended.text().matches("os error").count(), 1, "{ended}");
}

#[test]
#[cfg(unix)]
fn a_full_disk_stops_the_run_and_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(folder.path());
    let (data, run) = (folder.path().join("tissue"), folder.path().join("run"));
    let files = ["last.safetensors", "state.safetensors", "epochs.csv"];
    let before = files.map(|name| bytes(&run.join(name)));

    // room for tables, none for weights: a checkpoint has more than 13 MB
    let longer = Program::new(["train", "--train.epochs", "2"]).with("--resume", &run).on_cpu();
    let _ = longer.largest_file(2_000).run().exits(2).says("last.safetensors: cannot write");
    assert!(files.map(|name| bytes(&run.join(name))) == before, "what stood there was lost");
    no_leftovers(&run);
    // with room again it goes on
    let longer = Program::new(["train", "--train.epochs", "2"]).with("--resume", &run).on_cpu();
    let _ = longer.run().exits(0);
    assert_eq!(csv(&run.join("epochs.csv")).len(), 2);

    let out = folder.path().join("out");
    let predict = Program::new(["predict"]).args([data.join("images")]).with("--model", &model).with("--out", &out);
    let _ = predict.on_cpu().largest_file(1).run().exits(2).says("cannot write");
    no_leftovers(&out);
}
