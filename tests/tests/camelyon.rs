//! `histomask camelyon16 sample` on slides painted here, where the right patches can be told by hand; bad slides and
//! annotations; Ctrl-C; and the synthetic set from slides to both Camelyon profiles.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use histomask_tests::program::Program;
use histomask_tests::pyramid::{Page, tiff};
use histomask_tests::results::{bytes, csv, json, mask, number};
use histomask_tests::vectors;

/// Side of the patches here.
const SIZE: u64 = 64;

/// Tissue in two tones that alternate, left of `edge`; glass beyond.
fn slide(width: u32, height: u32, edge: u32) -> Vec<u8> {
    slide_in([150, 60, 160], width, height, edge)
}

/// The same in another tone.
fn slide_in(tone: [u8; 3], width: u32, height: u32, edge: u32) -> Vec<u8> {
    let paint = move |x: u32, y: u32| match (x < edge, (x / 3 + y / 5) % 2) {
        (false, _) => [243, 243, 244],
        (true, 0) => tone,
        (true, _) => tone.map(|value| value + 10),
    };
    tiff(&[Page::new(width, height, 64, paint)], false)
}

fn square([left, top]: [i64; 2], [right, bottom]: [i64; 2]) -> Vec<[i64; 2]> {
    vec![[left, top], [right, top], [right, bottom], [left, bottom]]
}

fn annotation(polygons: &[(&str, Vec<[i64; 2]>)]) -> String {
    let one = |(group, points): &(&str, Vec<[i64; 2]>)| {
        let points: String =
            points.iter().map(|[x, y]| format!("<Coordinate X=\"{x}.25\" Y=\"{y}.25\" Order=\"0\"/>")).collect();
        format!("<Annotation Name=\"a\" PartOfGroup=\"{group}\"><Coordinates>{points}</Coordinates></Annotation>")
    };
    let all: String = polygons.iter().map(one).collect();
    format!("<?xml version=\"1.0\"?><ASAP_Annotations><Annotations>{all}</Annotations></ASAP_Annotations>")
}

/// A file with the folders above it.
fn put(path: &Path, contents: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// Six slides: tumour in the square from (100, 100) to (299, 259) with a hole, and a smaller square inside it.
fn slides(root: &Path) -> PathBuf {
    let slides = root.join("slides");
    let tumour = annotation(&[
        ("_0", square([100, 100], [299, 259])),
        ("Tumor", square([110, 110], [120, 120])),
        ("_2", square([180, 160], [219, 199])),
    ]);
    for (folder, name) in [("training/tumor", "tumor_a"), ("training/tumor", "tumor_b"), ("testing/images", "test_a")] {
        put(&slides.join(folder).join(format!("{name}.tif")), slide(640, 512, 340));
        put(&slides.join(folder.split('/').next().unwrap()).join(format!("lesion_annotations/{name}.xml")), &tumour);
    }
    for (folder, name) in
        [("training/normal", "normal_a"), ("training/normal", "normal_b"), ("testing/images", "test_b")]
    {
        put(&slides.join(folder).join(format!("{name}.tif")), slide(512, 512, 200));
    }
    slides
}

fn sample(slides: &Path, out: &Path) -> Program {
    Program::new(["camelyon16", "sample"]).args([slides]).with("--out", out).with("--size", SIZE.to_string())
}

/// `x`, `y` and pixels of tumour of the patches that a slide's list of candidates names.
fn candidates(out: &Path, name: &str) -> Vec<(u64, u64, u64)> {
    let folder = out.join("folds/camelyon16/w-64xh-64/patches-level-first-pass");
    let rows = csv(&folder.join(format!("{name}.csv")));
    let pixels = |row: &_, column| (number(row, column) * (SIZE * SIZE) as f64).round() as u64;
    rows.iter()
        .map(|row| {
            assert_eq!(pixels(row, "Tissue percentage"), SIZE * SIZE);
            (number(row, "x") as u64, number(row, "y") as u64, pixels(row, "Percentage of cancerous pixels"))
        })
        .collect()
}

#[test]
fn patches_begin_where_a_fifth_is_tumour_and_follow_without_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, out) = (slides(folder.path()), folder.path().join("out"));
    let ended = sample(&slides, &out).with("--rounds", "1").run().exits(0);
    // the region reaches from (36, 68) to (363, 323); its first row holds 32 lines of tumour, the others are full
    let first = [(62, 68, 26 * 32), (126, 68, 64 * 32), (190, 68, 64 * 32), (254, 68, 46 * 32)];
    let row = |y| [(49, y, 13 * 64), (113, y, 64 * 64), (177, y, 64 * 64), (241, y, 59 * 64)];
    let expected: Vec<_> = first.into_iter().chain(row(132)).chain(row(196)).collect();
    for name in ["training/tumor/tumor_a", "training/tumor/tumor_b", "testing/images/test_a"] {
        assert_eq!(candidates(&out, name), expected, "{name}");
    }
    // per slide: six with a fifth to half of tumour, six with more, which six rounds are enough to keep
    let summary = json(&out.join("summary.json"));
    assert_eq!(
        (summary["tumour"][0]["category_a"].as_u64(), summary["tumour"][0]["category_b"].as_u64()),
        (Some(12), Some(12))
    );
    assert_eq!(
        (summary["tumour"][1]["category_a"].as_u64(), summary["tumour"][1]["category_b"].as_u64()),
        (Some(6), Some(6))
    );

    let metastatic = out.join("camelyon16/w-64xh-64/metastatic-patches/training/tumor/tumor_a");
    let tag = "file_training-tumor-tumor_a.tif_reg_0_row_1_patch_2_x_177_y_132_tissue_1.0_metastatic_1.0_w_64_h_64.png";
    assert_eq!(mask(&metastatic.join(format!("mask_{tag}"))), ((64, 64), 100.0));
    let patch = image::open(metastatic.join(format!("Patch_{tag}"))).unwrap().into_rgb8();
    assert_eq!((patch.get_pixel(0, 0).0, patch.get_pixel(3, 0).0), ([160, 70, 170], [150, 60, 160]));

    // the lists as published, and the one that `train` takes
    let fold = out.join("folds/camelyon16/w-64xh-64/patches-level-fourth-pass/split_0/fold_0");
    let lines: Vec<_> = ["train", "valid", "test"]
        .iter()
        .flat_map(|set| {
            let text = String::from_utf8(bytes(&fold.join(format!("{set}_s_0_f_0.csv")))).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(lines.len(), 2 * 3 * 12);
    for line in &lines {
        let cells: Vec<_> = line.split(',').collect();
        assert!(out.join(cells[0]).is_file(), "{line}");
        assert!(cells[2] == "normal" && cells[1].is_empty() || cells[2] == "tumor" && out.join(cells[1]).is_file());
    }
    let rows = csv(&out.join("labels.csv"));
    let slides_of = |split: &str| -> BTreeSet<_> {
        rows.iter().filter(|row| row["split"] == split).map(|row| row["group"].clone()).collect()
    };
    assert_eq!(slides_of("test"), BTreeSet::from(["test_a".into(), "test_b".into()]));
    assert!(slides_of("train").is_disjoint(&slides_of("valid")));
    let normal: Vec<_> = rows.iter().filter(|row| row["group"] == "test_b").collect();
    let places: BTreeSet<_> = normal.iter().map(|row| (row["x"].clone(), row["y"].clone())).collect();
    assert_eq!((normal.len(), places.len()), (12, 12), "no place twice");
    for row in normal {
        let (x, y) = (number(row, "x") as u64, number(row, "y") as u64);
        assert!(x % 64 == 0 && y % 64 == 0 && x <= 192, "({x}, {y})");
        assert_eq!(mask(&out.join(&row["mask"])), ((64, 64), 0.0));
    }

    // All-ones as the summary has it is All-ones as `evaluate` has it
    let all_ones = summary["sets"][2]["all_ones_f1_plus"].as_f64().unwrap();
    let by_hand =
        expected.iter().map(|&(_, _, pixels)| pixels as f64 / 4096.0).map(|p| 200.0 * p / (1.0 + p)).sum::<f64>();
    assert!((all_ones - by_hand / 12.0).abs() < 1e-9);
    let _ = ended.says(&format!("{all_ones:.4}")).says("59.4406").says("10089");
    let judged = folder.path().join("all-ones");
    let _ = Program::new(["evaluate", "--method", "all-ones", "--split", "test", "--profile", "paper-camelyon"])
        .with("--data", &out)
        .with("--out", &judged)
        .on_cpu()
        .run()
        .exits(0);
    let masks = &json(&judged.join("evaluation.json"))["masks"];
    assert!((masks["f1_plus"].as_f64().unwrap() - all_ones).abs() < 1e-6, "{masks}");
    assert_eq!(masks["f1_minus"].as_f64(), Some(0.0));
}

#[test]
fn holes_are_cut_and_one_patch_a_round_is_kept_where_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, out) = (slides(folder.path()), folder.path().join("out"));
    let run = sample(&slides, &out).with("--rounds", "0.5").with("--calibration", "documented").with("--holes", "cut");
    let _ = run.run().exits(0);
    // twelve from a fifth to half in training: six rounds
    let kept = |out: &Path| json(&out.join("summary.json"))["tumour"][0]["category_b"].as_u64();
    assert_eq!(kept(&out), Some(6));

    // the hole of 40 × 40 pixels lies in the third patch of two rows; enough rounds keep all
    let third: Vec<_> = candidates(&out, "training/tumor/tumor_a").into_iter().filter(|one| one.0 == 177).collect();
    assert_eq!(third, [(177, 132, 4096 - 40 * 36), (177, 196, 4096 - 40 * 4)]);
    let all = sample(&slides, &out).with("--rounds", "1").with("--calibration", "documented").with("--holes", "cut");
    let _ = all.run().exits(0).says("tumor_a: 12 patches with tumour, from before");
    assert_eq!(kept(&out), Some(12));
    let tag =
        "file_training-tumor-tumor_a.tif_reg_0_row_1_patch_2_x_177_y_132_tissue_1.0_metastatic_0.6484375_w_64_h_64";
    let folder = out.join("camelyon16/w-64xh-64/metastatic-patches/training/tumor/tumor_a");
    let picture = image::open(folder.join(format!("mask_{tag}.png"))).unwrap().into_luma8();
    let on = |x: u32, y: u32| picture.get_pixel(x - 177, y - 132).0[0] == 255;
    assert!(on(179, 170) && !on(180, 160) && !on(219, 195) && on(220, 170) && on(200, 159));
}

#[test]
fn a_lack_of_tissue_is_passed_on_or_told() {
    let folder = tempfile::tempdir().unwrap();
    let slides = folder.path().join("slides");
    let tumour = annotation(&[("_0", square([100, 100], [299, 259]))]);
    put(&slides.join("tumor_a.tif"), slide(640, 512, 340));
    put(&slides.join("tumor_b.tif"), slide(640, 512, 340));
    ["a", "b"].iter().for_each(|name| put(&slides.join(format!("tumor_{name}.xml")), &tumour));
    // of the first two at least one trains; a slide of one column of tissue has eight places
    ["a", "b", "c"].iter().for_each(|name| put(&slides.join(format!("normal_{name}.tif")), slide(512, 512, 60)));
    put(&slides.join("normal_d.tif"), slide(512, 512, 500));
    let normals = |out: &Path| csv(&out.join("labels.csv")).iter().filter(|row| row["label"] == "normal").count();
    let (apart, chained) = (folder.path().join("apart"), folder.path().join("chained"));
    let run = |out: &Path| sample(&slides, out).with("--rounds", "1").with("--p0", "0.05").run().exits(0);
    let _ = run(&apart);
    let _ = sample(&slides, &chained).with("--rounds", "1").with("--p0", "0.05").with("--chains", "1").run().exits(0);
    assert!(normals(&chained) >= normals(&apart));
    let _ = fs::remove_file(slides.join("normal_d.tif"));
    let none = folder.path().join("none");
    let _ = sample(&slides, &none).with("--p0", "0.05").with("--rounds", "1").run().exits(0).says("for want of tissue");
}

#[test]
fn the_same_slides_give_the_same_patches_however_often_the_run_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, whole, parts) = (slides(folder.path()), folder.path().join("whole"), folder.path().join("parts"));
    let _ = sample(&slides, &whole).with("--rounds", "1").run().exits(0);
    let mut running = sample(&slides, &parts).with("--rounds", "1").start();
    let _ = running.until_there(&parts.join("records/tumour"));
    running.interrupt();
    let stopped = running.wait();
    assert!(matches!(stopped.code, Some(130 | 0)), "{stopped}");
    let mut running = sample(&slides, &parts).with("--rounds", "1").start();
    let _ = running.until_there(&parts.join("records/split_0/fold_0/train/normal_a.json"));
    running.kill();
    let _ = sample(&slides, &parts).with("--rounds", "1").run().exits(0).says(", from before");
    for file in ["labels.csv", "summary.json"] {
        assert_eq!(bytes(&whole.join(file)), bytes(&parts.join(file)), "{file}");
    }
    let first = csv(&whole.join("labels.csv"));
    assert_eq!(bytes(&whole.join(&first[0]["path"])), bytes(&parts.join(&first[0]["path"])));
    let pictures =
        |out: &Path| fs::read_dir(out.join("camelyon16/w-64xh-64/normal-patches/split_1/fold_0/test")).unwrap().count();
    assert_eq!((pictures(&whole), pictures(&parts)), (12, 12));

    let other = folder.path().join("other");
    let _ = sample(&slides, &other).with("--rounds", "1").with("--seed", "1").run().exits(0);
    assert_ne!(bytes(&whole.join("labels.csv")), bytes(&other.join("labels.csv")));
}

#[test]
fn a_slide_that_was_written_again_is_sampled_again() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, out) = (slides(folder.path()), folder.path().join("out"));
    let run = || sample(&slides, &out).with("--rounds", "1").run().exits(0);
    let _ = run();
    let _ =
        run().says("tumor_a: 12 patches with tumour, from before").says("tumor_a: 12 patches, 12 of them from before");
    put(&slides.join("training/tumor/tumor_a.tif"), slide_in([130, 50, 140], 640, 512, 340));
    put(&slides.join("training/normal/normal_a.tif"), slide_in([130, 50, 140], 512, 512, 200));
    let ended =
        run().says("tumor_a: 12 patches, 0 of them from before").says("tumor_b: 12 patches with tumour, from before");
    assert!(!ended.text().contains("tumor_a: 12 patches with tumour, from before"), "{ended}");
    // places are the same, so are the names
    let rows = csv(&out.join("labels.csv"));
    for (group, tone) in [("tumor_a", 130), ("tumor_b", 150), ("normal_a", 130), ("normal_b", 150)] {
        let own = rows.iter().filter(|row| row["group"] == group);
        let reds =
            own.map(|row| image::open(out.join(&row["path"])).unwrap().into_rgb8().pixels().map(|p| p.0[0]).min());
        assert!(reds.clone().count() > 0 && reds.clone().all(|red| red == Some(tone)), "{group}");
    }
}

#[test]
fn what_cannot_be_sampled_is_named_and_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, out) = (slides(folder.path()), folder.path().join("out"));
    let training = slides.join("training");
    let add = |name: &str, xml: &str| {
        put(&training.join(format!("tumor/{name}.tif")), slide(640, 512, 340));
        put(&training.join(format!("lesion_annotations/{name}.xml")), xml);
    };
    add("tumor_broken", "<ASAP_Annotations><Annotations><Annotation");
    add("tumor_outside", &annotation(&[("_0", square([100, 100], [1299, 259]))]));
    add("tumor_015", &annotation(&[("_0", square([100, 100], [299, 259]))]));
    put(&training.join("tumor/tumor_alone.tif"), slide(640, 512, 340));
    let whole = slide(512, 512, 200);
    put(&training.join("normal/normal_cut.tif"), &whole[..whole.len() - 99]);
    put(&training.join("normal/normal_086.tif"), &whole);
    put(&slides.join("testing/images/test_049.tif"), &whole);
    put(&slides.join("testing/images/test_001.tif"), &whole);
    put(&slides.join("testing/images/other.tif"), &whole);
    put(&slides.join("masks/tumor_a_Mask.tif"), &whole);
    let ended = sample(&slides, &out).with("--rounds", "1").run().exits(1);
    let ended = ended
        .says("tumor_broken.xml: no well-formed XML")
        .says("tumor_outside.xml: the point (1299.25, 100.25) of `a` lies outside the slide of 640 × 512 pixels")
        .says("tumor_outside is left out")
        .says("no tumor_alone.xml")
        .says("normal_cut.tif: ")
        .says("normal_086.tif: left out: it was found to have tumour")
        .says("test_049.tif: left out: it is a copy")
        .says("no test_001.xml")
        .says("not all tumour of tumor_015 is annotated")
        .says("slides have no name of Camelyon16 (first normal_a)")
        .says("other.tif")
        .says("1 files that end in _mask");
    let groups: BTreeSet<_> = csv(&out.join("labels.csv")).iter().map(|row| row["group"].clone()).collect();
    let expected = ["normal_a", "normal_b", "test_a", "test_b", "tumor_015", "tumor_a", "tumor_b"];
    assert_eq!(groups, expected.map(str::to_owned).into(), "{ended}");

    // repaired, it goes on with the one slide
    put(&training.join("lesion_annotations/tumor_broken.xml"), annotation(&[("_1", square([100, 100], [299, 259]))]));
    let again = sample(&slides, &out).with("--rounds", "1").run().exits(1);
    let _ = again.says("tumor_broken: 12 patches").says("tumor_a: 12 patches with tumour, from before");

    put(&slides.join("again/tumor_a.tif"), &whole);
    let _ = sample(&slides, &out).run().exits(2).says("two files for the slide tumor_a");
    let _ = sample(&slides, &out).with("--p0", "0.7").run().exits(2);
    let _ = sample(&folder.path().join("none"), &out).run().exits(2).says("no such file or folder");
}

#[test]
fn the_published_test_list_adds_up() {
    let list = &vectors()["camelyon_test_list"];
    let of = |name: &str| list[name].as_f64().unwrap();
    assert_eq!((of("metastatic"), of("n_0.2<=p<=0.5")), (7832.0, 4823.0));
    // of normals counted as zero, and of all pixels pooled
    let all_ones = of("all_ones_F1_plus_metastatic_only_percent");
    assert!((all_ones - 59.4406).abs() < 5e-5);
    assert!((all_ones / 2.0 - of("all_ones_if_normals_counted_as_zero_percent")).abs() < 1e-9);
    let foreground = of("p_mean") / 2.0;
    assert!((200.0 * foreground / (1.0 + foreground) - of("all_ones_pooled_percent")).abs() < 1e-9);

    // the list itself is not ours to ship; with it at hand, its names say the same
    let Some(path) = std::env::var_os("HISTOMASK_CAMELYON_TEST_LIST") else {
        println!("skipped: HISTOMASK_CAMELYON_TEST_LIST names no copy of the published test_s_0_f_0.csv");
        return;
    };
    let text = String::from_utf8(bytes(Path::new(&path))).unwrap();
    let share = |line: &str| line.split("_metastatic_").nth(1)?.split('_').next()?.parse::<f64>().ok();
    let shares: Vec<_> = text.lines().filter_map(share).collect();
    let mean = shares.iter().map(|p| 200.0 * p / (1.0 + p)).sum::<f64>() / shares.len() as f64;
    assert_eq!((shares.len(), format!("{mean:.4}")), (7832, "59.4406".to_owned()));
}

/// Slides of 1024 pixels of a micron each and patches of 128: the scale of Camelyon16's patches, a quarter of the work.
#[test]
fn synthetic_slides_train_both_camelyon_profiles() {
    let folder = tempfile::tempdir().unwrap();
    let (slides, out) = (folder.path().join("synthetic"), folder.path().join("patches"));
    let demo = |out: &Path| {
        let demo = Program::new(["demo", "camelyon", "--slides", "2", "--side", "1024", "--mpp", "1"]);
        demo.with("--out", out).run()
    };
    let _ = demo(&slides).exits(0).says("6 synthetic slides").says("--size 128");
    let _ = demo(&slides).exits(2).says("is there already");
    let info = Program::new(["slides", "info"]).args([slides.join("training/tumor")]).run().exits(0);
    let _ = info.says("1024 × 1024 pixels").says("1.0000 µm").says("level 6").says("JPEG");
    let sampled = Program::new(["camelyon16", "sample", "--size", "128", "--rounds", "0.5", "--chains", "1"]);
    let _ = sampled.args([&slides]).with("--out", &out).run().exits(0);

    let rows = csv(&out.join("labels.csv"));
    for split in ["train", "valid", "test"] {
        let count = |label: &str| rows.iter().filter(|row| row["split"] == split && row["label"] == label).count();
        assert!(count("tumor") >= 4 && count("normal") >= 4, "{split}: {} and {}", count("tumor"), count("normal"));
    }
    for profile in ["paper-camelyon", "released-camelyon"] {
        let run = folder.path().join(profile);
        let _ = Program::new(["train", "--profile", profile, "--weights", "none", "--train.epochs", "1"])
            .args(["--train.batch-size", "4", "--input.crop", "128", "--input.size", "128"])
            .with("--data", &out)
            .with("--out", &run)
            .on_cpu()
            .run()
            .exits(0);
        let judged = folder.path().join(format!("{profile}-test"));
        let evaluate = Program::new(["evaluate", "--split", "test"]).with("--data", &out).with("--model", &run);
        let _ = evaluate.with("--out", &judged).on_cpu().run().exits(0);
        let evaluation = json(&judged.join("evaluation.json"));
        assert_eq!(evaluation["masks"]["empty_masks"].as_str(), Some("skip-empty"), "{profile}");
        let images = csv(&judged.join("images.csv"));
        let empty: Vec<_> = images.iter().filter(|row| number(row, "truth_percent") == 0.0).collect();
        assert_eq!(empty.len(), rows.iter().filter(|row| row["split"] == "test" && row["label"] == "normal").count());
        assert!(empty.iter().all(|row| row["f1_plus"].is_empty() && !row["f1_minus"].is_empty()), "{profile}");
    }
}
