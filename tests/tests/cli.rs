//! Usage: help, mistakes in flags, profiles, completions, manual pages.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use histomask_tests::program::Program;

const COMMANDS: [&[&str]; 22] = [
    &["demo"],
    &["train"],
    &["evaluate"],
    &["predict"],
    &["slides"],
    &["slides", "info"],
    &["tiles"],
    &["camelyon16"],
    &["camelyon16", "sample"],
    &["demo", "camelyon"],
    &["serve"],
    &["doctor"],
    &["inspect"],
    &["profile"],
    &["weights"],
    &["weights", "get"],
    &["weights", "convert"],
    &["study"],
    &["reproduce"],
    &["bench"],
    &["completions"],
    &["man"],
];

fn histomask(line: &str) -> histomask_tests::program::Ended {
    Program::new(line.split_whitespace()).run()
}

#[test]
fn every_command_explains_itself() {
    let overview = histomask("--help").exits(0);
    for command in COMMANDS {
        let help = Program::new(command).args(["--help"]).run().exits(0);
        assert!(help.stdout.contains("Usage: histomask") && help.stdout.contains("--quiet"), "{help}");
        assert!(overview.stdout.contains(&format!("  {} ", command[0])), "{overview}");
    }
    let train = histomask("train --help").exits(0).says("--resume <RUN>").says("--device <DEVICE>");
    let _ = train.says("--train.epochs <WHOLE>").says("--loss.background-weight <NUMBER>");
    let _ = histomask("predict --help").exits(0).says("--threshold <THRESHOLD>").says("--opacity");
    let _ = histomask("evaluate --help").exits(0).says("--split <SPLIT>").says("--evaluation.threshold");
    let _ = histomask("--version").exits(0).says("histomask 0.");
}

#[test]
fn mistakes_are_answered_with_the_nearest_name() {
    for (line, nearest) in [
        ("tran", "'train'"),
        ("train --data x --resum y", "'--resume'"),
        ("train --data x --loss.backgrund-weight 1", "'--loss.background-weight'"),
        ("train --data x --epochs 1", "'--train.epochs'"),
        ("train --data x --profile released-gals", "did you mean `released-glas`"),
        ("train --data x --loss.background smm", "`sem`"),
        ("profile paper-gals", "did you mean `paper-glas`"),
        ("evaluate --data x --splt all", "'--split'"),
        ("predict x --modle y", "'--model'"),
    ] {
        let _ = histomask(line).exits(2).says(nearest);
    }
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    for (line, part) in [
        ("train --data x --train.epochs 0", "train.epochs"),
        ("train --data x --train.epochs -3", "train.epochs"),
        ("train --data x --train.batch-size 0", "train.batch_size"),
        ("train --data x --input.crop 9999999", "input.crop"),
        ("train --data x --model.mask.omega NaN", "model.mask.omega"),
        ("train --data x --train.learning-rate.initial inf", "train.learning_rate.initial"),
        ("train --data x --data.fold 5", "data.fold"),
        ("train", "--data"),
        ("train --resume x --out y", "--out"),
        ("train --data x --device gpux", "gpux"),
        ("predict", "<INPUTS>"),
        ("predict x --threshold 1.5", "--threshold"),
        ("predict x --threshold NaN", "--threshold"),
        ("predict x --opacity 1.5", "--opacity"),
        ("evaluate --data x --split some", "some"),
        ("bench --backbones resnet17 --device cpu", "resnet17"),
        ("bench --methods all-ones --device cpu", "all-ones"),
        ("bench --methods unet --device cpu", "unet"),
        ("bench --crop 0 --device cpu", "--crop"),
        ("bench --backbones efficientnet-lite0 --crop 64 --repeats 0 --device cpu", "--repeats"),
    ] {
        let _ = histomask(line).exits(2).says(part);
    }
}

#[test]
fn bench_times_a_step_and_a_prediction_of_each_method() {
    let line =
        "bench --methods max-min,cam-avg,u-net --backbones efficientnet-lite0 --crop 64 --repeats 1 --device cpu";
    let table = histomask(line).exits(0).stdout;
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["max-min", "cam-avg", "u-net"], "{table}");
    let number = |cell: &str| cell.trim_end_matches(" s").parse::<f64>().unwrap_or_else(|_| panic!("{cell}: {table}"));
    for row in &rows {
        // 67 images in batches of four
        assert!((number(row[5]) - number(row[2]) * 67.0 / 4.0).abs() < 0.1, "{table}");
        assert!(number(row[4]) > 0.0 && number(row[6]) > 0.0, "{table}");
    }
}

#[test]
fn bench_measures_layers_and_what_the_machine_can_do() {
    let table = histomask("bench layers --repeats 1").exits(0).says("G multiply-adds/s from registers").stdout;
    let rows: Vec<_> = table.lines().filter(|line| line.contains("×")).collect();
    assert!(rows.len() > 10, "{table}");
    for row in rows {
        let time = row.split('|').nth(2).and_then(|cell| cell.trim().strip_suffix(" ms")?.parse::<f64>().ok());
        assert!(time.is_some_and(|time| time > 0.0), "{row}");
    }
}

#[test]
fn printed_profiles_are_accepted_back() {
    let folder = tempfile::tempdir().unwrap();
    let names = histomask("profile --list").exits(0).stdout;
    assert!(names.lines().count() >= 5, "{names}");
    for name in names.lines() {
        let printed = Program::new(["profile", name]).run().exits(0).stdout;
        let file = folder.path().join(format!("{name}.toml"));
        std::fs::write(&file, &printed).unwrap();
        let again = Program::new(["profile"]).args([&file]).run().exits(0).stdout;
        assert_eq!(again, printed, "{name}");
    }
    // a file of one's own, of which all settings are printed
    let own = folder.path().join("mine.toml");
    std::fs::write(&own, "extends = \"paper-camelyon\"\n[loss]\nbackground_weight = 0.3\n").unwrap();
    let printed = Program::new(["profile"]).args([&own]).run().exits(0).says("background_weight = 0.3").stdout;
    std::fs::write(&own, &printed).unwrap();
    assert_eq!(Program::new(["profile"]).args([&own]).run().exits(0).stdout, printed);
}

#[test]
fn mistakes_in_a_profile_file_name_file_line_and_setting() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("[train]\nepochs = 3\nepoch = 3\n", "mine.toml, line 3: there is no setting `train.epoch`"),
        ("[train]\nepochs = \"many\"\n", "mine.toml, line 2: `train.epochs` cannot be \"many\""),
        ("[input]\nsize = -1\n", "mine.toml, line 2: `input.size` cannot be -1; give a whole number at least 32"),
        ("[input]\nmean = [0.5, 0.5]\n", "mine.toml, line 2: `input.mean` cannot be [0.5, 0.5]; give three numbers"),
        ("extends = \"glas\"\n", "mine.toml, line 1: `extends`"),
        ("[train\n", "mine.toml: not valid TOML"),
    ] {
        let file = folder.path().join("mine.toml");
        std::fs::write(&file, text).unwrap();
        let _ = Program::new(["profile"]).args([&file]).run().exits(2).says(part);
    }
    let _ = Program::new(["profile"]).args([folder.path().join("none.toml")]).run().exits(2).says("none.toml");
}

#[test]
fn completions_and_manual_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let _ = Program::new(["completions", shell]).run().exits(0).says("evaluate").says("resume");
    }
    let folder = tempfile::tempdir().unwrap();
    let _ = Program::new(["man"]).args([folder.path()]).run().exits(0);
    let pages: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|page| page.unwrap().path()).collect();
    for command in ["histomask", "train", "predict"] {
        let page = pages.iter().find(|page| page.file_stem().unwrap().to_string_lossy().ends_with(command));
        let text = std::fs::read_to_string(page.unwrap_or_else(|| panic!("no page of {command}: {pages:?}"))).unwrap();
        assert!(text.contains(".TH") && text.contains(command), "{command}:\n{text}");
    }
}
