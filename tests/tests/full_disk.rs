//! A full disk and a read-only folder at every command: the file is named, what stood there stays, what was done is told.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use histomask_tests::program::{Program, can_mount};
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::results::{bytes, csv, json, mask};
use histomask_tests::tiny::{model, shared_folder, train};

/// A folder with a data set (`tissue`), a run (`run`), two slides (`slides`), four of Camelyon16 (`camelyon`) and a study
/// (`mine.toml`).
fn ready() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "full-disk");
        let _ = model(&folder);
        let mut noise = 1_u32;
        for name in ["a", "b"] {
            // tissue that PNG makes no smaller
            let mut paint = |_: u32, _: u32| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [150 + (noise >> 27) as u8, 60 + (noise >> 26 & 31) as u8, 140 + (noise >> 25 & 31) as u8]
            };
            let colours: Vec<_> = (0..600 * 600).map(|_| paint(0, 0)).collect();
            let page = Page::new(600, 600, 64, |x, y| colours[(y * 600 + x) as usize]);
            let page = Page { description: "Aperio Image Library v1\n|AppMag = 20|MPP = 0.5".into(), ..page };
            std::fs::create_dir_all(folder.join("slides/class")).unwrap();
            let file = tiff(&[page], false);
            let camelyon = folder.join("camelyon");
            std::fs::create_dir_all(&camelyon).unwrap();
            std::fs::write(folder.join("slides/class").join(format!("{name}.svs")), &file).unwrap();
            std::fs::write(camelyon.join(format!("normal_{name}.tif")), &file).unwrap();
            std::fs::write(camelyon.join(format!("tumor_{name}.tif")), &file).unwrap();
            std::fs::write(camelyon.join(format!("tumor_{name}.xml")), ANNOTATION).unwrap();
        }
        let settings = SETTINGS_OF_STUDY;
        std::fs::write(folder.join("mine.toml"), settings).unwrap();
        folder
    })
}

const ANNOTATION: &str = "<ASAP_Annotations><Annotations><Annotation Name=\"a\" PartOfGroup=\"_0\"><Coordinates>\
    <Coordinate X=\"100\" Y=\"100\" Order=\"0\"/><Coordinate X=\"500\" Y=\"100\" Order=\"1\"/>\
    <Coordinate X=\"500\" Y=\"500\" Order=\"2\"/><Coordinate X=\"100\" Y=\"500\" Order=\"3\"/>\
    </Coordinates></Annotation></Annotations></ASAP_Annotations>";

const SETTINGS_OF_STUDY: &str = "profile = \"demo\"\n[settings]\nweights = \"none\"\ninput.size = 64\ninput.crop = 64\n\
    train.batch_size = 2\ntrain.epochs = 1\n[[variant]]\nname = \"plain\"\n[[variant]]\nname = \"faster\"\n\
    [variant.settings]\ntrain.learning_rate.initial = 0.02\n";

/// Every command that writes, with its results in `out`.
fn commands(out: &Path) -> Vec<(&'static str, Program)> {
    let ready = ready();
    let (data, run) = (ready.join("tissue"), ready.join("run"));
    let slides = ready.join("slides");
    let model = run.join("best.safetensors");
    vec![
        ("train", train(&data, out, 1)),
        (
            "evaluate",
            Program::new(["evaluate"]).with("--data", &data).with("--model", &run).with("--out", out).on_cpu(),
        ),
        (
            "predict",
            Program::new(["predict"]).args([data.join("images")]).with("--model", &run).with("--out", out).on_cpu(),
        ),
        (
            "tiles",
            Program::new(["tiles"]).args([&slides]).with("--mpp", "0.5").with("--size", "256").with("--out", out),
        ),
        (
            "predict slides",
            Program::new(["predict", "--mpp", "0.5"]).args([&slides]).with("--model", &run).with("--out", out).on_cpu(),
        ),
        (
            "camelyon16 sample",
            Program::new(["camelyon16", "sample", "--size", "64"]).args([ready.join("camelyon")]).with("--out", out),
        ),
        ("slides info", Program::new(["slides", "info"]).args([&slides]).with("--thumbnails", out)),
        (
            "study",
            Program::new(["study"]).args([ready.join("mine.toml")]).with("--data", &data).with("--out", out).on_cpu(),
        ),
        ("reproduce", Program::new(["reproduce", "figB1", "--quick"]).with("--out", out).on_cpu()),
        ("demo", Program::new(["demo", "--per-class", "10", "--epochs", "1"]).with("--out", out).on_cpu()),
        ("weights shrink", Program::new(["weights", "shrink"]).args([&model, &out.join("small.safetensors")])),
        ("weights convert", Program::new(["weights", "convert"]).args([&model, &out.join("backbone.safetensors")])),
        ("man", Program::new(["man"]).args([out])),
    ]
}

/// A folder that is to lie on a disk of its own, with a file that has nothing to do with histomask.
fn folder_of_others(parent: &Path, name: &str) -> PathBuf {
    let disk = parent.join(name.replace(' ', "-"));
    std::fs::create_dir_all(&disk).unwrap();
    std::fs::write(disk.join("mine.txt"), "an older file").unwrap();
    disk
}

#[test]
fn a_read_only_folder_is_named_by_every_command() {
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = commands(Path::new("")).into_iter().map(|(name, _)| name).collect();
    for (index, name) in names.into_iter().enumerate() {
        let disk = folder_of_others(folder.path(), name);
        let (_, program) = commands(&disk.join("out")).swap_remove(index);
        let ended = program.on_read_only_disk(&disk).run().exits(2);
        let _ =
            ended.says(&disk.to_string_lossy()).says("cannot write").says("Read-only file system").says("read-only?");
        assert_eq!(std::fs::read_dir(&disk).unwrap().count(), 1, "{name}");
    }
    // a run that was begun stays as it is
    let disk = folder.path().join("begun");
    copy(&ready().join("run"), &disk);
    let before = whole(&disk);
    let resume = Program::new(["train", "--train.epochs", "2"]).with("--resume", &disk).on_cpu();
    let _ = resume.on_read_only_disk(&disk).run().exits(2).says("cannot write").says(&disk.to_string_lossy());
    assert!(whole(&disk) == before, "the run is another one");
}

#[test]
fn a_full_disk_is_told_by_every_command_and_what_stood_there_stays() {
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<_> = commands(Path::new("")).into_iter().map(|(name, _)| name).collect();
    for (index, name) in names.into_iter().enumerate() {
        let disk = folder_of_others(folder.path(), name);
        let (_, program) = commands(&disk.join("out")).swap_remove(index);
        // next to nothing beside the older file
        let ended =
            program.on_small_disk(&disk, 12).run().exits(2).says("cannot write").says("No space left on device");
        let _ = ended.says(&disk.to_string_lossy()).says("disk full");
        assert_eq!(bytes(&disk.join("mine.txt")), b"an older file", "{name}");
        no_leftovers(&disk);
    }
}

#[test]
fn a_disk_that_fills_up_leaves_the_table_of_what_was_done() {
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (ready().join("tissue"), ready().join("run"));

    let disk = folder_of_others(folder.path(), "predict");
    let out = disk.join("out");
    let predict = Program::new(["predict"]).args([data.join("images")]).with("--model", &run).with("--out", &out);
    let _ = predict.on_cpu().on_small_disk(&disk, 160).run().exits(2).says("cannot write").says(".png");
    let rows = csv(&out.join("predictions.csv"));
    assert!((1..8).contains(&rows.len()), "{} images", rows.len());
    let record = json(&out.join("run.json"));
    assert_eq!((record["images"].as_u64(), &record["complete"]), (Some(rows.len() as u64), &false.into()));
    for row in &rows {
        let _ = mask(&out.join(&row["mask"]));
        assert!(image::open(out.join(&row["overlay"])).is_ok(), "{row:?}");
    }
    no_leftovers(&disk);

    // the numbers of an evaluation are told even if their page has no room
    let disk = folder_of_others(folder.path(), "evaluate");
    let evaluate = Program::new(["evaluate", "--split", "all"]).with("--data", &data).with("--model", &run);
    let evaluate = evaluate.with("--out", disk.join("out")).on_cpu().on_small_disk(&disk, 96);
    let _ = evaluate.run().exits(2).says("report.html: cannot write").says("classification error");
    assert_eq!(json(&disk.join("out/evaluation.json"))["complete"], true);
    assert_eq!(csv(&disk.join("out/images.csv")).len(), 8);

    let disk = folder_of_others(folder.path(), "tiles");
    let tiles = Program::new(["tiles"]).args([ready().join("slides")]).with("--mpp", "0.5").with("--size", "256");
    let tiles = tiles.with("--out", disk.join("out")).on_small_disk(&disk, 1024 + 700);
    let _ = tiles.run().exits(2).says("cannot write").says(".png");
    let rows = csv(&disk.join("out/labels.csv"));
    assert!(!rows.is_empty() && rows.iter().all(|row| row["group"] == "a"), "{rows:?}");
    no_leftovers(&disk);

    // sampling ends at the first patch that has no room, though several slides are cut at once
    let disk = folder_of_others(folder.path(), "camelyon");
    let sample = Program::new(["camelyon16", "sample", "--size", "64"]).args([ready().join("camelyon")]);
    let sample = sample.with("--out", disk.join("out")).on_small_disk(&disk, 300);
    let ended = sample.run().exits(2).says("cannot write").says("No space left on device");
    assert_eq!(ended.text().matches("cannot write").count(), 1, "{ended}");
    assert!(!ended.text().contains("left out"), "{ended}");
    no_leftovers(&disk);

    // with more room the same command goes on
    let disk = folder_of_others(folder.path(), "train");
    let out = disk.join("run");
    let _ = train(&data, &out, 2).on_small_disk(&disk, 20_000).run().exits(2).says("cannot write");
    let state = json(&out.join("run.json"))["state"].clone();
    assert_eq!(state, "failed");
    let _ = Program::new(["train"]).with("--resume", &out).on_cpu().run().exits(0);
    assert_eq!(csv(&out.join("epochs.csv")).len(), 2);
}

#[test]
fn standard_output_that_takes_nothing_is_an_error() {
    let full = std::fs::File::create("/dev/full").unwrap();
    for args in [&["profile"][..], &["completions", "bash"], &["inspect"]] {
        let ended = Program::new(args).run_into(full.try_clone().unwrap());
        let _ = ended.exits(2).says("standard output").says("No space left on device");
    }
}

#[test]
fn files_have_the_permissions_that_the_umask_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let (data, run) = (ready().join("tissue"), ready().join("run"));
    for (mask, file_mode, folder_mode) in [("077", 0o600, 0o700), ("022", 0o644, 0o755), ("007", 0o660, 0o770)] {
        let out = folder.path().join(mask);
        let predict = Program::new(["predict", "--geojson"]).args([data.join("images")]).with("--model", &run);
        let _ = predict.with("--out", out.join("predict")).on_cpu().umask(mask).run().exits(0);
        let evaluate = Program::new(["evaluate"]).with("--data", &data).with("--model", &run);
        let _ = evaluate.with("--out", out.join("evaluate")).on_cpu().umask(mask).run().exits(0);
        let mut files = 0;
        for path in below(&out) {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let expected = if path.is_dir() { folder_mode } else { file_mode };
            assert_eq!(mode, expected, "{} with umask {mask}: {mode:o}", path.display());
            files += 1;
        }
        assert!(files > 8 * 4, "{files} files");
    }
}

/// Files and folders below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { [vec![path.clone()], below(&path)].concat() } else { vec![path] })
        .collect()
}

fn no_leftovers(folder: &Path) {
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let left: Vec<_> = below(folder).into_iter().filter(hidden).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for path in below(from).into_iter().filter(|path| path.is_file()) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

/// Every file with its bytes.
fn whole(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = below(folder).into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    files.into_iter().map(|path| (path.clone(), bytes(&path))).collect()
}
