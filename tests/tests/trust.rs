//! `--trust`: what it writes, and that the probe tells a mask of the label's region from its reverse.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use burn::tensor::Device;
use histomask::trust::FrozenFeatures;
use histomask_core::preprocess::{Preprocess, ResizeRule};
use histomask_core::trust::folds::folds;
use histomask_core::trust::probe::cross_validated;
use histomask_tests::program::Program;
use histomask_tests::results::{csv, json, number};
use histomask_tests::tiny;
use image::{Rgb, RgbImage};

#[test]
fn evaluate_and_predict_say_how_far_to_believe() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny::model(folder.path());
    let (data, out) = (folder.path().join("tissue"), folder.path().join("out"));
    let ended = Program::new(["evaluate", "--trust", "--split", "train"])
        .with("--data", &data)
        .with("--model", &model)
        .with("--out", &out)
        .on_cpu()
        .run()
        .exits(0)
        .says("Spearman rank correlation");
    let trust = json(&out.join("trust.json"));
    assert!(ended.stdout.contains(trust["sentence"].as_str().unwrap()), "{ended}");
    let summary = &trust["summary"];
    let within = |value: &serde_json::Value, most: f64| {
        let number = value.as_f64().unwrap_or_else(|| panic!("{value} is no number in {summary}"));
        assert!((0.0..=most).contains(&number), "{number} is not within 0 and {most}");
    };
    for key in ["whole_percent", "foreground_percent", "background_percent", "majority_percent"] {
        within(&summary["probes"][key], 100.0);
    }
    for key in ["deletion_area", "insertion_area", "orientation_stability", "stain_stability"] {
        within(&summary[key], 1.0);
    }
    within(&summary["calibration"]["ece_before"], 1.0);
    within(&summary["calibration"]["ece_after"], 1.0);
    within(&summary["calibration"]["temperature"], 20.0);
    // fitted on the two validation images
    assert_eq!(
        (&summary["calibration"]["cross_fitted"], &summary["calibration"]["fitted_on"]),
        (&false.into(), &2.into())
    );
    assert_eq!(summary["deletion"].as_array().unwrap().len(), 11);
    // both ends that are the untouched image are the model's confidence
    assert_eq!(summary["deletion"][0], summary["insertion"][10]);

    let rows = csv(&out.join("trust.csv"));
    assert_eq!(rows.len(), 4);
    for row in &rows {
        for column in ["confidence", "deletion_area", "insertion_area", "orientation_stability", "stain_stability"] {
            assert!((0.0..=1.0).contains(&number(row, column)), "{column} in {row:?}");
        }
    }
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    for part in ["Trust without masks", "Reliability", "Deletion and insertion"] {
        assert!(page.contains(part), "{part} is missing in the report");
    }

    // it stays beside an evaluation of the same model and images, and goes for one of others
    for (split, stays) in [("train", true), ("valid", false)] {
        let again = Program::new(["evaluate", "--split", split]).with("--data", &data).with("--model", &model);
        let _ = again.with("--out", &out).on_cpu().run().exits(0);
        assert_eq!([out.join("trust.json").exists(), out.join("trust.csv").exists()], [stays; 2], "{split}");
    }

    let predictions = folder.path().join("predictions");
    let _ = Program::new(["predict", "--trust"])
        .args([data.join("images")])
        .with("--model", &model)
        .with("--out", &predictions)
        .on_cpu()
        .run()
        .exits(0);
    for row in csv(&predictions.join("predictions.csv")) {
        assert!((0.0..=1.0).contains(&number(&row, "flip_stability")), "{row:?}");
    }
}

/// Fine or coarse chequers, by class, in a disc; the same noise around it whatever the class.
fn patch(index: u32, class: u32) -> (RgbImage, Vec<f32>) {
    const SIDE: u32 = 96;
    let inside = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - 40.0 - f64::from(index % 5) * 4.0, f64::from(y) - 48.0);
        dx.hypot(dy) < 26.0
    };
    let image = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        if inside(x, y) {
            let cell = [3, 9][class as usize];
            return Rgb(if (x / cell + (y + index) / cell).is_multiple_of(2) {
                [90, 50, 140]
            } else {
                [235, 190, 215]
            });
        }
        let noise = (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663) ^ index.wrapping_mul(83_492_791)) >> 3;
        Rgb([200 + (noise % 40) as u8, 150 + (noise / 40 % 40) as u8, 190])
    });
    let mask = (0..SIDE * SIDE).map(|pixel| f32::from(u8::from(inside(pixel % SIDE, pixel / SIDE))));
    (image, mask.collect())
}

#[test]
fn a_mask_of_what_bears_the_label_leaves_nothing_to_name_it_by() {
    let input = Preprocess { resize: ResizeRule::None, size: 96, mean: [0.0; 3], std: [1.0; 3] };
    let frozen = FrozenFeatures::new(&input, &Device::flex()).unwrap();
    let (mut kept, mut left, mut labels) = (vec![], vec![], vec![]);
    for index in 0..12 {
        for class in 0..2 {
            let (image, mask) = patch(index, class);
            let regions = frozen.regions(&image, &mask).unwrap();
            kept.push(regions.foreground);
            left.push(regions.background);
            labels.push(class as usize);
        }
    }
    // both patches of an index have the same background, so they are each other's group
    let groups: Vec<String> = (0..24).map(|patch| (patch / 2).to_string()).collect();
    let folds = folds(&labels, Some(&groups), 4).unwrap();
    let right = |features: &[Vec<f64>]| {
        let verdicts = cross_validated(features, &labels, &folds, 2).unwrap();
        verdicts.iter().zip(&labels).filter(|(verdict, label)| verdict.class == **label).count()
    };
    let (kept, left) = (right(&kept), right(&left));
    // what is left out is the same picture for both classes: half right, whatever the probe
    assert_eq!((kept, left), (24, 12));
}
