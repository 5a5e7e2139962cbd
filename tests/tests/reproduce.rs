//! `histomask reproduce` from outside: every artefact on synthetic data, twice, stopped, and without its data.

#![allow(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

use histomask_tests::program::{Ended, Program};
use histomask_tests::results::{bytes, csv, json, number};
use histomask_tests::tiny::{data_set, shared_folder};
use histomask_tests::{numbers, vectors};

fn quick(artefacts: &[&str], out: &Path) -> Program {
    Program::new(["reproduce"]).args(artefacts).args(["--quick"]).with("--out", out).on_cpu()
}

/// The folder of a whole `reproduce all --quick`, made once for the tests that look at it.
static ALL: LazyLock<PathBuf> = LazyLock::new(|| {
    let out = shared_folder(env!("CARGO_TARGET_TMPDIR"), "reproduce-all");
    // in parts, each with a time limit of its own
    for part in [&["table1", "table4", "fig3", "table3"][..], &["table2"], &["all"]] {
        let _ = quick(part, &out).run().exits(0);
    }
    out
});

/// Every file below a folder with the time it was written.
fn files(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let entry = entry.expect("an entry");
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path, entry.metadata().and_then(|data| data.modified()).expect("a time")));
        }
    }
    found.sort();
    found
}

#[test]
fn every_artefact_has_its_rows_its_figure_and_its_section() {
    let page = String::from_utf8(bytes(&ALL.join("report.html"))).expect("UTF-8");
    // two values of each parameter for SEM and EEM, 3 x 2 x 2; 4 images and 10 methods; 8 + 4 + 4 images; 99 points;
    // 4 steps, 2 epochs and the model before them; two backbones, two lambdas, 2 epochs and the model before them
    let expected = [
        ("table1", 12, false, false),
        ("table2", 12, false, false),
        ("table3", 10, false, false),
        ("table4", 6, false, false),
        ("fig3", 99, true, false),
        ("fig5", 11, true, false),
        ("fig6", 11, true, false),
        ("fig7", 32, true, false),
        ("fig8", 16, true, false),
        ("fig9", 12, true, true),
        ("fig10", 12, true, false),
        ("fig11", 40, true, true),
        ("fig12", 20, true, true),
        ("fig13", 20, true, true),
        ("figB1", 7, true, false),
        ("figB2", 7, true, false),
        ("lambda", 12, true, false),
    ];
    for (name, rows, svg, png) in expected {
        let file = |extension: &str| ALL.join(name).join(format!("{name}.{extension}"));
        assert_eq!(csv(&file("csv")).len(), rows, "{name}");
        assert_eq!(json(&file("json"))["rows"].as_array().map(Vec::len), Some(rows), "{name}");
        assert_eq!((file("svg").is_file(), file("png").is_file()), (svg, png), "{name}");
        assert!(page.contains(&format!("<section id=\"{name}\">")), "{name} is not on the page");
    }
    for outside in ["src=\"http", "href=\"http", "<script", "<link", "url("] {
        assert!(!page.contains(outside), "{outside} in the page");
    }
}

#[test]
fn numbers_stand_beside_the_papers() {
    let rows = csv(&ALL.join("table1/table1.csv"));
    let row = |method: &str| rows.iter().find(|row| row["method"] == method).unwrap_or_else(|| panic!("{method}"));
    assert_eq!(number(row("Ours (EEM)"), "f1_plus_paper"), 72.11);
    assert_eq!(number(row("U-Net"), "f1_minus_paper"), 88.52);
    assert_eq!(row("U-Net")["class_error"], "", "it names no class");
    assert_eq!(number(row("All-ones"), "f1_minus"), 0.0);
    // Grad-CAM is CAM-Avg's network, so both name the same classes
    assert_eq!(row("Grad-CAM")["class_error"], row("CAM-Avg")["class_error"]);
    let ablation = csv(&ALL.join("table4/table4.csv"));
    assert_eq!(ablation[5]["f1_plus"], row("Ours (SEM)")["f1_plus"], "one run for both tables");

    for row in csv(&ALL.join("table3/table3.csv")) {
        assert_eq!(row["parameters"], row["parameters_paper"], "{row:?}");
        assert!(number(&row, "seconds_median") > 0.0 && number(&row, "threads") >= 1.0);
    }
}

#[test]
fn lambda_scales_the_background_terms_pull_and_nothing_else() {
    let rows = csv(&ALL.join("lambda/lambda.csv"));
    for backbone in ["whole", "short"] {
        let first = |lambda: f64| {
            let mut of = rows.iter().filter(|row| row["backbone"] == backbone);
            let found = of.find(|row| number(row, "epoch") == 0.0 && number(row, "lambda") == lambda);
            found.unwrap_or_else(|| panic!("no {lambda}"))
        };
        // one network before its first step
        let (least, most) = (first(1e-7), first(2.0));
        for same in ["gradient_foreground", "gradient_barrier", "gradient_others"] {
            assert!(least[same] == most[same] && number(most, same) > 0.0, "{same}: {least:?}, {most:?}");
        }
        let [low, high] = [least, most].map(|row| number(row, "gradient_background"));
        assert!(low > 0.0 && (high / low / 2e7 - 1.0).abs() < 1e-3, "{low}, {high}");
        assert!(most["f1_plus"].is_empty(), "judged before its first step: {most:?}");
        let later = rows.iter().filter(|row| row["backbone"] == backbone && number(row, "epoch") > 0.0);
        assert_eq!(later.clone().count(), 4, "two epochs at two lambdas");
        for row in later {
            for percent in ["class_from_whole", "class_from_foreground", "class_from_background", "guessing", "f1_plus"]
            {
                assert!((0.0..=100.0).contains(&number(row, percent)), "{percent}: {row:?}");
            }
        }
    }
}

#[test]
fn the_curves_are_those_of_the_vectors() {
    let expected = &vectors()["fig3_curves_log2"];
    let rows = csv(&ALL.join("fig3/fig3.csv"));
    let columns = [
        ("ce", "CE_binary_y1_-log2(x)"),
        ("eem", "EEM_minusH_log2"),
        ("sem", "SEM_Hqp_log2"),
        ("d_eem", "d_EEM_log2"),
        ("d_sem", "d_SEM_log2"),
    ];
    for (index, p) in numbers(&expected["x"]).into_iter().enumerate() {
        let row = rows.iter().find(|row| (number(row, "p") - p).abs() < 1e-9).unwrap_or_else(|| panic!("no p of {p}"));
        for (column, key) in columns {
            let expected = numbers(&expected[key])[index];
            assert!((number(row, column) - expected).abs() < 1e-9 * expected.abs().max(1.0), "{column} at {p}");
        }
    }
}

#[test]
fn a_second_call_trains_nothing() {
    let runs = ALL.join("runs");
    let before = files(&runs);
    let ended = quick(&["table1", "fig10"], &ALL).run().exits(0).says("none of them to train here");
    assert!(!ended.stderr.contains("epoch "), "{ended}");
    assert_eq!(files(&runs), before, "a run was touched");
}

#[test]
fn more_seeds_add_runs_and_a_deviation() {
    let out = shared_folder(env!("CARGO_TARGET_TMPDIR"), "reproduce-seeds");
    let one = |seeds: &str| quick(&["figB2", "fig10"], &out).with("--seeds", seeds).with("--sweeps", "lambda");
    let _ = one("3").with("--train.epochs", "1").run().exits(0);
    let seeds = || std::fs::read_dir(out.join("runs")).map_or(0, Iterator::count);
    let before = seeds();
    let epoch_0 = || {
        let rows = csv(&out.join("figB2/figB2.csv"));
        rows.iter().filter(|row| row["epoch"] == "0").map(|row| number(row, "accuracy")).collect::<Vec<_>>()
    };
    let untrained: Vec<_> =
        files(&out).into_iter().map(|(path, _)| path).filter(|p| p.ends_with("untrained.csv")).collect();
    assert_eq!((untrained.len(), epoch_0().len()), (before, 1));
    assert!((0.0..=100.0).contains(&epoch_0()[0]));
    // as runs of earlier versions are
    untrained.iter().for_each(|path| std::fs::remove_file(path).expect("it is there"));
    let _ = one("3,4").with("--train.epochs", "1").run().exits(0).says("±");
    assert_eq!(seeds(), 2 * before, "the runs of the first seed are used again");
    assert!(epoch_0().is_empty(), "a point that the run does not have");
    assert!(csv(&out.join("fig10/fig10.csv")).iter().all(|row| row["runs"] == "2" && !row["f1_plus_sd"].is_empty()));
}

#[test]
fn ctrl_c_loses_nothing() {
    let out = shared_folder(env!("CARGO_TARGET_TMPDIR"), "reproduce-interrupted");
    let figure = || quick(&["figB1"], &out).with("--train.epochs", "40");
    let mut running = figure().start();
    let run = running.first_in(&out.join("runs")).expect("it ended before it began");
    assert!(running.until_there(&run.join("epochs.csv")), "it ended before its first epoch did");
    running.interrupt();
    let _ = running.wait().exits(130);
    let _ = figure().run().exits(0).says("going on with epoch");
    let steps = csv(&run.join("steps.csv"));
    // 8 training images in batches of 4: every step once, in order
    let order: Vec<_> = steps.iter().map(|row| (number(row, "epoch") as usize, number(row, "step") as usize)).collect();
    let expected: Vec<_> = (1..=40).flat_map(|epoch| [(epoch, 1), (epoch, 2)]).collect();
    assert_eq!(order, expected);
}

#[test]
fn without_its_data_an_artefact_says_what_to_get() {
    let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "reproduce-no-data");
    let program = |artefact: &str| Program::new(["reproduce", artefact]).with("--out", folder.join("out")).on_cpu();
    let _ = program("table2").run().exits(2).says("Camelyon16").says("--camelyon <folder>").says("labels.csv");
    let _ = program("table1").run().exits(2).says("GlaS").says("Grade.csv");
    let _ = program("fig6").with("--camelyon", folder.join("nowhere")).run().exits(2).says("no such folder");
    // tissue without a class called normal
    let tissue = data_set(&folder, 4);
    let _ = program("fig8").with("--camelyon", &tissue).run().exits(2).says("one called `normal`");
    let _ = program("table4").with("--data", &tissue).with("--folds", "0,1").run().exits(2).says("--folds 1");
    let _ = program("fig4").run().exits(2).says("table1");
    assert!(!folder.join("out").exists(), "something was written");
    let ended: Ended = program("all").args(["--dry-run"]).run().exits(1);
    let _ = ended.says("left out for want of GlaS: table1").says("table3: nothing to train");
}
