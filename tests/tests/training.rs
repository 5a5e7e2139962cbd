//! Train, inspect, evaluate and predict: what a user finds on disk afterwards.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, json, mask, number, tensors};
use histomask_tests::tiny::{SIDE, data_set, shared_folder, train};

const EPOCHS: usize = 2;
const PER_CLASS: usize = 8;

/// Data set and folder of one run, trained once for all tests here.
fn trained() -> &'static (PathBuf, PathBuf) {
    static RUN: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "training");
        let (data, run) = (data_set(&folder, PER_CLASS), folder.join("run"));
        let _ = train(&data, &run, EPOCHS).run().exits(0).says("report.html");
        (data, run)
    })
}

fn assert_percent(value: f64, what: &str) {
    assert!((0.0..=100.0).contains(&value), "{what}: {value}");
}

fn assert_self_contained(report: &Path) {
    let html = String::from_utf8(bytes(report)).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.trim_end().ends_with("</html>"), "{}", report.display());
    for outside in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "url(http", "@import", "<script src", "<link"]
    {
        assert!(!html.contains(outside), "{} fetches {outside}", report.display());
    }
}

#[test]
fn a_run_leaves_checkpoints_table_report_and_record() {
    let (data, run) = trained();
    let rows = csv(&run.join("epochs.csv"));
    assert_eq!(rows.iter().map(|row| number(row, "epoch")).collect::<Vec<_>>(), [1.0, 2.0]);
    for row in &rows {
        assert!(number(row, "loss").is_finite() && number(row, "loss_barrier").is_finite());
        for column in ["train_error", "valid_error", "valid_f1_plus", "valid_f1_minus", "valid_foreground"] {
            assert_percent(number(row, column), column);
        }
    }
    // the highest validation accuracy, ties to the latest
    let lowest = rows.iter().map(|row| number(row, "valid_error")).fold(f64::MAX, f64::min);
    let best = rows.iter().rev().find(|row| row["best"] == "true").unwrap();
    assert_eq!(number(best, "valid_error"), lowest);

    let untrained = csv(&run.join("untrained.csv"));
    assert_eq!(untrained.len(), 1);
    for column in ["valid_error", "valid_f1_plus", "valid_f1_minus", "valid_foreground"] {
        assert_percent(number(&untrained[0], column), column);
    }

    let record = json(&run.join("run.json"));
    assert_eq!((record["state"].as_str(), record["profile"].as_str()), (Some("finished"), Some("demo")));
    assert_eq!(record["data"]["path"].as_str(), data.to_str());
    assert_eq!(record["data"]["classes"], serde_json::json!(["irregular", "regular"]));
    assert_self_contained(&run.join("report.html"));
    let _ = Program::new(["profile"]).args([run.join("profile.toml")]).run().exits(0).says("epochs = 2");

    let (last, best) = (tensors(&run.join("last.safetensors")), tensors(&run.join("best.safetensors")));
    assert!(last.keys().eq(best.keys()) && last.len() > 100, "{} tensors", last.len());
    let left_over: Vec<_> = std::fs::read_dir(run)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left_over.is_empty(), "{left_over:?}");
}

#[test]
fn inspect_shows_the_card() {
    let (_, run) = trained();
    let shown = Program::new(["inspect"]).args([run]).run().exits(0);
    let shown = shown.says("irregular, regular").says("efficientnet-lite0").says("Research use only");
    let _ = shown.says("valid_error_percent").says("8 train + 4 valid images").says("random");

    let card = Program::new(["inspect", "--json"]).args([run.join("last.safetensors")]).run().exits(0).stdout;
    let card: serde_json::Value = serde_json::from_str(&card).unwrap();
    assert_eq!((card["epoch"].as_u64(), card["profile"].as_str()), (Some(EPOCHS as u64), Some("demo")));
    let hash = json(&run.join("run.json"))["data"]["hash"].clone();
    assert_eq!(card["data"]["hash"], hash);
}

#[test]
fn evaluation_is_the_mean_of_its_images() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    for (split, images) in [("valid", 4), ("test", 4), ("all", 16)] {
        let out = folder.path().join(split);
        let evaluate = Program::new(["evaluate", "--split", split]).with("--data", data).with("--model", run);
        let _ = evaluate.with("--out", &out).on_cpu().run().exits(0).says(&format!("{split}: {images} images"));

        let (summary, rows) = (json(&out.join("evaluation.json")), csv(&out.join("images.csv")));
        assert_eq!((rows.len(), summary["images"].as_u64()), (images, Some(images as u64)));
        let wrong = rows.iter().filter(|row| row["label"] != row["predicted"]).count();
        let close = |found: &serde_json::Value, expected: f64, what: &str| {
            let found = found.as_f64().unwrap_or_else(|| panic!("{split} {what}: {found}"));
            assert_percent(found, what);
            assert!((found - expected).abs() < 1e-9, "{split} {what}: {found} is not {expected}");
        };
        close(&summary["class_error_percent"], 100.0 * wrong as f64 / images as f64, "class error");
        let confused: u64 = summary["confusion_rows_predicted"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|row| row.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()))
            .sum();
        assert_eq!(confused, images as u64);
        let mean = |column: &str| rows.iter().map(|row| number(row, column)).sum::<f64>() / images as f64;
        for score in ["f1_plus", "f1_minus", "iou_plus"] {
            close(&summary["masks"][score], mean(score), score);
        }
        close(&summary["mean_foreground_percent"], mean("foreground_percent"), "foreground");
        let all_ones = |share: f64| 200.0 * share / (1.0 + share);
        let bound = rows.iter().map(|row| all_ones(number(row, "truth_percent") / 100.0)).sum::<f64>() / images as f64;
        close(&summary["masks"]["all_ones_f1_plus"], bound, "All-ones");
        for row in &rows {
            assert!((0.5..=1.0).contains(&number(row, "probability")), "{row:?}");
            assert!((0.0..=1.0).contains(&number(row, "background_uncertainty")), "{row:?}");
        }
        assert_self_contained(&out.join("report.html"));
    }
}

#[test]
fn evaluation_of_the_best_epoch_repeats_what_training_said() {
    let (data, run) = trained();
    let out = tempfile::tempdir().unwrap();
    let evaluate = Program::new(["evaluate"]).with("--data", data).with("--model", run);
    let _ = evaluate.with("--out", out.path()).on_cpu().run().exits(0);
    let summary = json(&out.path().join("evaluation.json"));
    let rows = csv(&run.join("epochs.csv"));
    let best = rows.iter().rev().find(|row| row["best"] == "true").unwrap();
    assert_eq!(summary["class_error_percent"].as_f64(), Some(number(best, "valid_error")));
    assert_eq!(summary["masks"]["f1_plus"].as_f64(), Some(number(best, "valid_f1_plus")));
    assert_eq!(summary["mean_foreground_percent"].as_f64(), Some(number(best, "valid_foreground")));
}

#[test]
fn predict_takes_files_folders_and_patterns() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    // another size and shape than the model was trained on
    let odd = folder.path().join("odd.png");
    let patch = image::open(data.join("images/regular_0000.png")).unwrap();
    patch.resize_exact(97, 71, image::imageops::FilterType::Triangle).save(&odd).unwrap();
    let out = folder.path().join("out");
    let predict = Program::new(["predict"]).args([&odd, &data.join("images"), &data.join("images/irreg*.png")]);
    let _ = predict.with("--model", run).with("--out", &out).on_cpu().run().exits(0);

    let rows = csv(&out.join("predictions.csv"));
    assert_eq!(rows.len(), 1 + 2 * PER_CLASS, "what folder and pattern both name is predicted once");
    for row in &rows {
        let (size, foreground) = mask(&out.join(&row["mask"]));
        assert_eq!(size, if row["path"].ends_with("odd.png") { (97, 71) } else { (SIDE, SIDE) });
        assert!((foreground - number(row, "foreground_percent")).abs() < 1e-4, "{row:?}");
        assert_eq!(image::image_dimensions(out.join(&row["overlay"])).unwrap(), size);
        let sum = number(row, "p_irregular") + number(row, "p_regular");
        assert!((sum - 1.0).abs() < 1e-5, "{row:?}");
        assert_eq!(number(row, "probability"), number(row, &format!("p_{}", row["class"])));
    }
    let run = json(&out.join("run.json"));
    let seen = rows.len() as u64;
    assert_eq!([run["images"].as_u64(), run["inputs"].as_u64()], [Some(seen); 2]);
    assert_eq!(run["complete"], true);
}

#[test]
fn prediction_agrees_with_evaluation() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    let (judged, predicted) = (folder.path().join("judged"), folder.path().join("predicted"));
    let evaluate = Program::new(["evaluate", "--split", "all"]).with("--data", data).with("--model", run);
    let _ = evaluate.with("--out", &judged).on_cpu().run().exits(0);
    let predict = Program::new(["predict"]).args([data.join("images")]).with("--model", run);
    let _ = predict.with("--out", &predicted).on_cpu().run().exits(0);

    let judged = csv(&judged.join("images.csv"));
    for row in csv(&predicted.join("predictions.csv")) {
        let same = judged.iter().find(|judged| row["path"].ends_with(&judged["id"])).unwrap();
        assert!((number(&row, "foreground_percent") - number(same, "foreground_percent")).abs() < 1e-4);
        assert!((number(&row, "probability") - number(same, "probability")).abs() < 1e-6);
        assert_eq!(row["class"], ["irregular", "regular"][number(same, "predicted") as usize]);
    }
}

#[test]
fn the_threshold_decides_what_is_foreground() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    let foreground = |threshold: &str| {
        let out = folder.path().join(threshold);
        let predict = Program::new(["predict"]).args([data.join("images/regular_0001.png")]).with("--model", run);
        let predict = predict.args(["--geojson"]).with("--threshold", threshold).with("--out", &out);
        let _ = predict.on_cpu().run().exits(0);
        let share = mask(&out.join("regular_0001_mask.png")).1;

        let row = csv(&out.join("predictions.csv")).remove(0);
        let outlines = json(&out.join(&row["geojson"]));
        let features = outlines["features"].as_array().unwrap();
        assert!(features.iter().all(|region| region["properties"]["classification"]["name"] == row["class"]));
        let area =
            |region: &serde_json::Value| region["properties"]["measurements"]["Mask area px^2"].as_u64().unwrap();
        let outlined = features.iter().map(area).sum::<u64>() as f64;
        assert!((100.0 * outlined / f64::from(SIDE * SIDE) - share).abs() < 1e-9, "{outlines}");
        share
    };
    let shares = ["0", "0.4", "0.5", "0.6", "1"].map(foreground);
    assert_eq!((shares[0], shares[4]), (100.0, 0.0), "the mask lies strictly between 0 and 1");
    assert!(shares.is_sorted_by(|low, high| low >= high), "{shares:?}");
}

#[test]
fn images_of_one_name_keep_their_results_apart() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    let names = ["a/x.png", "b/x.png", "c/x.2.png"];
    for (name, patch) in names.iter().zip(["regular_0000", "regular_0001", "irregular_0002"]) {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(data.join(format!("images/{patch}.png")), path).unwrap();
    }
    let out = folder.path().join("out");
    let predict = Program::new(["predict"]).args(names.map(|name| folder.path().join(name)));
    let _ = predict.with("--model", run).with("--out", &out).on_cpu().run().exits(0);
    let rows = csv(&out.join("predictions.csv"));
    let masks: std::collections::BTreeSet<_> = rows.iter().map(|row| &row["mask"]).collect();
    assert_eq!((rows.len(), masks.len()), (3, 3), "{rows:?}");
}

#[test]
fn results_beside_the_images_replace_none_of_them() {
    let (data, run) = trained();
    let folder = tempfile::tempdir().unwrap();
    // the layout with masks beside their images
    let files = ["x.png", "x_mask.png"].map(|name| folder.path().join(name));
    for (file, kind) in files.iter().zip(["images", "masks"]) {
        std::fs::copy(data.join(kind).join("regular_0000.png"), file).unwrap();
    }
    let before = files.each_ref().map(|file| bytes(file));
    let predict = Program::new(["predict"]).args([folder.path()]).with("--model", run).with("--out", folder.path());
    let ended = predict.on_cpu().run();
    assert!(files.each_ref().map(|file| bytes(file)) == before, "an input was overwritten: {ended}");
}
