//! `histomask study` from outside: a small one twice, a run that fails, one that is stopped, and files that are wrong.

#![allow(clippy::expect_used, reason = "a failed expectation is a failed test")]

use std::path::{Path, PathBuf};

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, json, number};
use histomask_tests::tiny::{data_set, shared_folder};

const SETTINGS: &str = "profile = \"demo\"\n[settings]\nweights = \"none\"\ninput.size = 64\ninput.crop = 64\n\
    train.batch_size = 2\n";

fn study(folder: &Path, data: &Path, text: &str) -> Program {
    let file = folder.join("mine.toml");
    std::fs::write(&file, text).expect("the folder is there");
    Program::new(["study"]).args([&file]).with("--data", data).with("--out", folder.join("out")).on_cpu()
}

fn runs(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder.join("out/runs")) else { return vec![] };
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn runs_are_shared_compared_in_pairs_and_used_again() {
    let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "study");
    let data = data_set(&folder, 8);
    let text = SETTINGS.replacen('\n', "\nseeds = [0, 1]\n", 1)
        + "train.epochs = 1\n[[variant]]\nname = \"plain\"\n[[variant]]\nname = \"faster\"\n[variant.settings]\n\
           train.learning_rate.initial = 0.02\n[[variant]]\nname = \"with prior\"\n[variant.settings]\n\
           \"model.mask.prior\" = 1.0\n";
    let _ = study(&folder, &data, &text).args(["--dry-run"]).run().exits(0).says("with prior: 0 to train, 2 shared");
    assert!(!folder.join("out").exists(), "a dry run wrote something");

    let _ = study(&folder, &data, &text).run().exits(0).says("±").says("with prior").says("4 runs to train");
    assert_eq!(runs(&folder).len(), 4, "two variants of training, two seeds");
    let rows = csv(&folder.join("out/study.csv"));
    let of = |variant: &str, column: &str| -> Vec<f64> {
        let rows = rows.iter().filter(|row| row["variant"] == variant);
        rows.map(|row| number(row, column)).collect()
    };
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["judged"] == "true" && row["valid_images"] == "4" && row["mask_images"] == "16"));
    // the same network names the same classes; its masks are others
    assert_eq!(of("plain", "class_error"), of("with prior", "class_error"));
    assert_ne!(of("plain", "f1_minus"), of("with prior", "f1_minus"));
    let result = json(&folder.join("out/study.json"));
    assert_eq!(result["complete"], true);
    let difference = |index: usize| of("faster", "f1_plus")[index] - of("plain", "f1_plus")[index];
    let mean = (difference(0) + difference(1)) / 2.0;
    let shown = result["variants"][1]["f1_plus_difference"].as_f64().expect("a difference");
    assert!((shown - mean).abs() < 1e-9, "{shown} is not {mean}");
    assert_eq!(result["variants"][1]["f1_plus_pairs"], 2);
    let page = String::from_utf8(bytes(&folder.join("out/study.md"))).expect("UTF-8");
    assert_eq!(page.lines().filter(|line| line.starts_with('|')).count(), 5, "{page}");

    let written = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).expect("it is there");
    let kept = |run: &PathBuf| {
        let own = std::fs::read_dir(run).expect("a run").map(|entry| entry.expect("an entry").path());
        let scores = own.filter(|path| path.is_dir()).map(|path| written(&path.join("scores.json")));
        (written(&run.join("best.safetensors")), scores.collect::<Vec<_>>())
    };
    let before: Vec<_> = runs(&folder).iter().map(kept).collect();
    assert_eq!(before.iter().map(|(_, scores)| scores.len()).sum::<usize>(), 6);
    let ended = study(&folder, &data, &text).run().exits(0).says("none of the runs is to train here");
    assert!(!ended.stderr.contains("epoch "), "{ended}");
    assert_eq!(runs(&folder).iter().map(kept).collect::<Vec<_>>(), before, "something was done twice");
}

#[test]
fn a_run_that_fails_is_named_and_the_rest_goes_on() {
    let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "study-failed");
    let data = data_set(&folder, 8);
    let text = SETTINGS.to_owned()
        + "train.epochs = 1\n[[variant]]\nname = \"wild\"\n[variant.settings]\ntrain.learning_rate.initial = 1e30\n\
           [[variant]]\nname = \"no such class\"\n[variant.settings]\nloss.normal_class = \"healthy\"\n\
           [[variant]]\nname = \"no such file\"\n[variant.settings]\nweights = \"none.pth\"\n\
           [[variant]]\nname = \"plain\"\n";
    let _ = study(&folder, &data, &text).run().exits(1).says("wild, seed 0, fold 0").says("diverged");
    let rows = csv(&folder.join("out/study.csv"));
    for (row, reason) in rows.iter().zip(["diverged", "`healthy`", "none.pth"]) {
        assert!(row["failure"].starts_with("not trained: ") && row["failure"].contains(reason), "{row:?}");
        assert_eq!(row["judged"], "false", "{row:?}");
    }
    assert!(rows[3]["failure"].is_empty() && rows[3]["judged"] == "true", "{rows:?}");
}

#[test]
fn ctrl_c_loses_nothing() {
    let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "study-stopped");
    let data = data_set(&folder, 8);
    let text = SETTINGS.to_owned() + "train.epochs = 20\n[[variant]]\nname = \"long\"\n";
    let mut running = study(&folder, &data, &text).start();
    let run = running.first_in(&folder.join("out/runs")).expect("it ended before it began");
    assert!(running.until_there(&run.join("epochs.csv")), "it ended before its first epoch did");
    running.interrupt();
    let _ = running.wait().exits(130).says("the same command goes on from there");
    let _ = study(&folder, &data, &text).run().exits(0).says("1 of them begun").says("going on with epoch");
    assert_eq!(csv(&run.join("epochs.csv")).len(), 20);
}

#[test]
fn what_is_wrong_is_said_before_any_work() {
    let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "study-wrong");
    let data = data_set(&folder, 4);
    let wrong = SETTINGS.to_owned() + "[[variant]]\nname = \"a\"\n[variant.settings]\n\"loss.backgroud_weight\" = 1\n";
    let ended = study(&folder, &data, &wrong).run().exits(2).says("mine.toml, variant `a`");
    let _ = ended.says("did you mean `loss.background_weight`?");
    let folds = SETTINGS.replacen('\n', "\nfolds = [0, 1]\n", 1) + "[[variant]]\nname = \"a\"\n";
    let _ = study(&folder, &data, &folds).run().exits(2).says("folds 0 and 1 are the same images");
    assert!(!folder.join("out").exists(), "something was written");
}
