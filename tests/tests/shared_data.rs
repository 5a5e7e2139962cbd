//! The embedded model on a real image, where GlaS lies beside the checkout.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::path::{Path, PathBuf};

use histomask_tests::program::Program;
use histomask_tests::results::{csv, json, mask, number};
use histomask_tests::shared;

/// An image of the size most of GlaS has.
fn image_of_glas(folder: &Path) -> PathBuf {
    let images = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let usual = |path: &PathBuf| image::image_dimensions(path).is_ok_and(|size| size == (775, 522));
    images.filter(usual).min().unwrap_or_else(|| panic!("{}: no image of 775×522", folder.display()))
}

#[test]
fn the_embedded_model_judges_a_gland() {
    let Some(shared) = shared() else { return };
    let image = image_of_glas(&shared.join("data/glas/images"));
    let folder = tempfile::tempdir().unwrap();
    let _ = Program::new(["predict"]).args([&image]).with("--out", folder.path()).on_cpu().run().exits(0);
    let rows = csv(&folder.path().join("predictions.csv"));
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert!(["benign", "malignant"].contains(&row["class"].as_str()), "{row:?}");
    assert!((0.5..=1.0).contains(&number(row, "probability")), "{row:?}");
    let (size, foreground) = mask(&folder.path().join(&row["mask"]));
    assert_eq!(size, (775, 522));
    assert!(foreground > 0.0 && foreground < 100.0, "foreground {foreground} %");
}

/// The ten images whose masks lie there: their classes, and masks that beat one that is foreground everywhere.
#[test]
fn the_embedded_model_is_right_where_truth_is_at_hand() {
    let Some(shared) = shared() else { return };
    let glas = shared.join("data/glas");
    let grades = std::fs::read_to_string(glas.join("Grade.csv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let mut rows = String::from("path,label,mask,split\n");
    for line in grades.lines().skip(1) {
        let mut cells = line.split(',').map(str::trim);
        let (Some(name), Some(grade)) = (cells.next(), cells.nth(1)) else { panic!("{line}") };
        let (image, mask) = (format!("{name}.png"), format!("{name}_anno.png"));
        if glas.join("masks").join(&mask).is_file() {
            std::fs::copy(glas.join("images").join(&image), data.join(&image)).unwrap();
            std::fs::copy(glas.join("masks").join(&mask), data.join(&mask)).unwrap();
            rows += &format!("{image},{grade},{mask},test\n");
        }
    }
    assert_eq!(rows.lines().count(), 11, "{rows}");
    std::fs::write(data.join("labels.csv"), rows).unwrap();
    let out = folder.path().join("out");
    let evaluate = Program::new(["evaluate", "--split", "test"]).with("--data", &data).with("--out", &out);
    let _ = evaluate.on_cpu().run().exits(0);
    let result = json(&out.join("evaluation.json"));
    let of = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{result}"));
    assert!(of(&result["class_error_percent"]) <= 10.0, "{result}");
    let masks = &result["masks"];
    let (plus, minus, ones) = (of(&masks["f1_plus"]), of(&masks["f1_minus"]), of(&masks["all_ones_f1_plus"]));
    assert!(plus > ones + 3.0 && minus > 40.0, "F1+ {plus}, F1- {minus}, All-ones {ones}");
}
