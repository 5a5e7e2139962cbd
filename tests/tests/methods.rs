//! The baselines' formulas against their vectors, the parameter counts of Table 3, and every method from end to end.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use histomask::method::MethodChoice;
use histomask::profile::Profile;
use histomask::weights::default_model;
use histomask_core::config::{BackboneKind, BarrierOn, LossConfig, ModelConfig};
use histomask_core::loss::Term;
use histomask_core::method::{AttentionHead, Decision, Method as _, Target, fill, grad_cam, heat, peak, size_penalty};
use histomask_core::pooling::{average, log_sum_exp, maximum};
use histomask_core::resample::nearest_double;
use histomask_core::weights::{StateDict, load_state_dict, read_card, state_dict};
use histomask_core::{MethodKind, Segmenter};
use histomask_tests::program::Program;
use histomask_tests::results::{csv, json, number, tensors};
use histomask_tests::tiny::{data_set, shared_folder, train};
use histomask_tests::{assert_close, assert_numbers, numbers, shape, tensor, values, vectors};
use serde_json::{Value, json};

const F32: f64 = 1e-5;

#[test]
fn poolings_of_the_cam_methods() {
    let (v, device) = (&vectors()["cam_avg_max_lse"], Device::flex());
    let maps = tensor::<4>(&v["maps"], &device);
    assert_close("average", average(maps.clone()), &v["avg"], F32);
    assert_close("maximum", maximum(maps.clone()), &v["max"], F32);
    for (r, expected) in v["lse"].as_object().unwrap() {
        assert_close("log-sum-exp", log_sum_exp(maps.clone(), r.parse().unwrap()), expected, F32);
    }
    // exp(10 * 100) is no 32-bit float
    let huge = log_sum_exp(maps * 100.0, 10.0);
    assert!(values(huge).iter().all(|value| value.is_finite()));
}

/// Tensors of a vector under the names of a module's weights.
fn state(v: &Value, named: &[(&str, &str, &[usize])]) -> StateDict {
    let entry = |&(theirs, ours, shape): &(&str, &str, &[usize])| {
        let values: Vec<f32> = numbers(&v[theirs]).iter().map(|&value| value as f32).collect();
        (ours.to_owned(), TensorData::new(values, shape.to_vec()))
    };
    named.iter().map(entry).collect()
}

#[test]
fn attention_of_deep_mil() {
    let (v, device) = (&vectors()["deep_mil_multi"], Device::flex());
    let mut weights = state(
        v,
        &[
            ("W_attn1 (L x C)", "hidden.weight", &[4, 3, 1, 1]),
            ("b_attn1", "hidden.bias", &[4]),
            ("W_attn2 (classes x L)", "attention.weight", &[2, 4, 1, 1]),
            ("b_attn2", "attention.bias", &[2]),
        ],
    );
    for class in 0..2 {
        let row = numbers(&v["W_cls (row k used for class k only)"][class]);
        let row = row.iter().map(|&value| value as f32).collect::<Vec<_>>();
        let bias = numbers(&v["b_cls"])[class] as f32;
        weights.insert(format!("classifiers.{class}.weight"), TensorData::new(row, [3, 1]));
        weights.insert(format!("classifiers.{class}.bias"), TensorData::new(vec![bias], [1]));
    }
    let head = load_state_dict(AttentionHead::new(3, 4, 2, &device), &weights).unwrap();
    let features = tensor::<4>(&v["features_1x3x2x2"], &device);
    let attention = head.attention(features.clone());
    assert_close("attention", attention.clone(), &v["attention"], F32);
    assert_close("logits", head.scores(features, attention.clone()), &v["logits"], F32);
    // above 1 / numel
    let limit = numbers(&v["mask_threshold = 1/numel(attention tensor incl. class axis)"])[0];
    let mask = values(attention.clone().narrow(1, 1, 1).greater_elem(limit).float());
    assert_numbers("mask", &mask, &numbers(&v["mask_for_class_1_before_interpolation"]), 0.0);
    assert_eq!(limit, 1.0 / attention.shape().num_elements() as f64);
}

#[test]
fn gradients_give_the_grad_cam_of_the_vector() {
    let (v, device) = (&vectors()["grad_cam_equals_cam"], Device::flex());
    let features = tensor::<4>(&json!([v["A (last feature map, CxHxW)"]]), &device);
    let weights = state(v, &[("W_1x1", "weight", &[2, 3, 1, 1]), ("b", "bias", &[2])]);
    let conv: Conv2d = Conv2dConfig::new([3, 2], [1, 1]).init(&device);
    let conv = load_state_dict(conv, &weights).unwrap();
    let scores = average(conv.forward(features.clone()));
    assert_close("score", scores, &json!([v["score = mean(cam)"]]), F32);
    let maps = grad_cam(features, 2, |features| average(conv.forward(features)));
    assert_close("Grad-CAM", maps, &json!([v["grad_cam = relu(sum alpha A)"]]), F32);
}

#[test]
fn grad_cam_is_the_positive_cam_of_a_gap_network() {
    let device = Device::flex();
    let model = |method| ModelConfig { method, ..ModelConfig::default() }.init(2, &device);
    let cam = model(MethodKind::CamAvg);
    let mut weights = state_dict(&cam);
    // ReLU(CAM - bias): without a bias the maps can be compared as they are
    weights.insert("head.conv.bias".into(), TensorData::new(vec![0f32; 2], [2]));
    // one class has positive maps whatever was drawn: features are not negative
    let drawn = &weights["head.conv.weight"];
    let (shape, mut head) = (drawn.shape().to_vec(), drawn.iter::<f32>().collect::<Vec<_>>());
    let of_one = head.len() / 2;
    head[..of_one].iter_mut().for_each(|weight| *weight = weight.abs());
    weights.insert("head.conv.weight".into(), TensorData::new(head, shape));
    let cam = load_state_dict(cam, &weights).unwrap();
    let grad_cam = load_state_dict(model(MethodKind::GradCam), &weights).unwrap();
    let image = Tensor::<4>::random([1, 3, 96, 64], Distribution::Uniform(-1.0, 1.0), &device);
    let (cam, grad_cam) = (cam.read(image.clone(), 0.0), grad_cam.read(image, 0.0));
    let expected: Vec<f64> = values(cam.maps).into_iter().map(|value| value.max(0.0)).collect();
    assert!(expected.iter().any(|&value| value > 0.0), "no positive value to compare");
    assert_numbers("Grad-CAM", &values(grad_cam.maps), &expected, 1e-4);
    assert_numbers("scores", &values(grad_cam.scores.unwrap()), &values(cam.scores.unwrap()), 1e-6);
}

/// The released Camelyon16 code's: a barrier on the foreground of what is not normal, no foreground on what is.
#[test]
fn terms_of_camelyon_choose_their_images() {
    let device = Device::flex();
    device.seed(5);
    let model = ModelConfig { backbone: BackboneKind::Resnet18, ..ModelConfig::default() }.init_max_min(2, &device);
    let output = model.forward(Tensor::random([3, 3, 64, 64], Distribution::Uniform(-1.0, 1.0), &device), 0.15);
    let loss =
        LossConfig { barrier_on: BarrierOn::AbnormalForeground, normal_empty_weight: 0.5, ..LossConfig::default() };
    // sizes are thousands of pixels, far above the tangent of the barrier
    let barriers: Vec<f64> = values(output.sizes.foreground.clone()).iter().map(|size| -size.ln() / 5.0).collect();
    let maps = values(output.raw_map());
    let empty = |map: &[f64]| 0.5 * map.iter().map(|x| x.exp().ln_1p()).sum::<f64>() / map.len() as f64;
    let empty: Vec<f64> = maps.chunks_exact(64 * 64).map(empty).collect();
    for (labels, normal, barrier, normal_term) in [
        ([1, 0, 1], Some(0), Some((barriers[0] + barriers[2]) / 2.0), Some(empty[1])),
        ([0, 0, 1], Some(0), Some(barriers[2]), Some((empty[0] + empty[1]) / 2.0)),
        ([1, 1, 1], Some(1), None, Some(empty.iter().sum::<f64>() / 3.0)),
        ([0, 1, 0], None, Some(barriers.iter().sum::<f64>() / 3.0), None),
    ] {
        let indices = Tensor::<1, Int>::from_ints(labels.map(|label| label as i32), &device);
        let terms = loss.terms(&output, &indices, &labels, 5.0, normal);
        for (term, expected) in [(Term::Barrier, barrier), (Term::EmptyNormal, normal_term)] {
            let found = terms.iter().find(|(found, _)| *found == term).map(|(_, value)| values(value.clone()));
            let what = format!("{term:?} of {labels:?}, normal {normal:?}");
            assert_numbers(&what, &found.unwrap_or_default(), &Vec::from_iter(expected), F32);
        }
    }
}

#[test]
fn size_penalty_of_pn() {
    let (v, device) = (&vectors()["pn_size_penalty"], Device::flex());
    let pixels = v["omega"].as_u64().unwrap() as usize;
    for case in v["cases"].as_array().unwrap() {
        let size = tensor::<2>(&json!([[case["V"]]]), &device);
        let present = Tensor::<2>::full([1, 1], f64::from(u8::from(case["present"] == true)), &device);
        let penalty = size_penalty(size, present, pixels);
        assert_close("penalty", penalty.clone(), &json!([case["penalty"]]), F32);
        assert_close("over omega", penalty / pixels as f64, &json!([case["penalty_over_omega"]]), F32);
    }
}

#[test]
fn erasing_takes_the_peak_in_both_readings() {
    let (v, device) = (&vectors()["erase_step"], Device::flex());
    let expected = &v["heatmap_normalised_by_max"];
    assert_close(
        "heat of small values",
        heat(tensor::<4>(&json!([[expected]]), &device) * 1e-3),
        &json!([[expected]]),
        F32,
    );
    let nothing = heat(Tensor::full([1, 1, 2, 2], -3.0, &device));
    assert_numbers("heat of negative values", &values(nothing), &[0.0; 4], 0.0);
    // of any scale, with negative values beside it
    let map = tensor::<4>(&json!([[expected]]), &device) * 2.0;
    let map = Tensor::cat(vec![map.clone() - 5.0, map], 3);
    let heat = heat(map).narrow(3, 3, 3);
    assert_close("heat", heat.clone(), &json!([[expected]]), F32);
    for (key, threshold) in [("reading_A erase >= 0.8*max", 0.8), ("reading_B erase >= 0.2*max", 0.2)] {
        assert_close(key, peak(heat.clone(), threshold), &json!([[v[key]]]), 0.0);
    }
    let image = Tensor::<4>::ones([1, 3, 2, 3], &device);
    let colour = Tensor::from_data(TensorData::new(vec![2f32, 3.0, 4.0], [3]), &device);
    let erased = values(fill(image, peak(heat, 0.8), colour));
    let rows = |value: f64| [1.0, 1.0, 1.0, value, value, value];
    assert_numbers("erased", &erased, &[rows(2.0), rows(3.0), rows(4.0)].concat(), 0.0);
}

/// Erased on the device, the mask's foreground on the host: one rule, written twice.
#[test]
fn what_is_erased_is_what_the_mask_shows() {
    let device = Device::flex();
    device.seed(27);
    let size = [9, 13];
    let random = Tensor::<4>::random([1, 1, size[0], size[1]], Distribution::Uniform(-1.0, 3.0), &device);
    // 2.4 is 0.8 of 3 or not, by how a share is rounded
    let steps: Vec<f32> = (0..117).map(|i| (i as f32 * 0.3).min(3.0)).collect();
    let at_the_share = Tensor::<4>::from_data(TensorData::new(steps, [1, 1, size[0], size[1]]), &device);
    for map in [random.clone(), random - 4.0, at_the_share] {
        let slice: Vec<f32> = map.to_data().iter().collect();
        for share in [0.2_f32, 0.8, 1.0] {
            let erased = values(peak(heat(map.clone()), f64::from(share)));
            let mask = Decision::Peak(share).mask(&slice, size, 1, Target::Class(0), size, true);
            let shown: Vec<f64> = mask.into_iter().map(|soft| f64::from(u8::from(soft >= 0.5))).collect();
            assert_numbers("erased and shown", &erased, &shown, 0.0);
        }
    }
}

#[test]
fn u_net_resamples_by_the_nearest_pixel() {
    for (size, to) in [([3, 4], [6, 8]), ([3, 4], [5, 7]), ([14, 21], [27, 41])] {
        let maps = Tensor::<1>::from_data(
            TensorData::new((0..size[0] * size[1]).map(|i| i as f32).collect(), [size[0] * size[1]]),
            &Device::flex(),
        );
        let resampled = values(nearest_double(maps.reshape([1, 1, size[0], size[1]]), to));
        let source = |i: usize| (i / to[1] * size[0] / to[0]) * size[1] + i % to[1] * size[1] / to[1];
        let expected: Vec<f64> = (0..to[0] * to[1]).map(|i| source(i) as f64).collect();
        assert_numbers("nearest", &resampled, &expected, 0.0);
    }
}

#[test]
fn parameter_counts_of_table_3() {
    let v = &vectors()["param_counts"];
    let rows: [(MethodChoice, BackboneKind, &str); 11] = [
        (MethodChoice::Of(MethodKind::Pn), BackboneKind::Resnet18DeepStem, "pn"),
        (MethodChoice::Of(MethodKind::Erase), BackboneKind::Resnet18DeepStem, "erase"),
        (MethodChoice::Of(MethodKind::CamMax), BackboneKind::Resnet18, "cam_avg_max_lse_gradcam"),
        (MethodChoice::Of(MethodKind::CamLse), BackboneKind::Resnet18, "cam_avg_max_lse_gradcam"),
        (MethodChoice::Of(MethodKind::GradCam), BackboneKind::Resnet18, "cam_avg_max_lse_gradcam"),
        (MethodChoice::Of(MethodKind::CamAvg), BackboneKind::Resnet18, "cam_avg_max_lse_gradcam"),
        (MethodChoice::Of(MethodKind::Wildcat), BackboneKind::Resnet18, "wildcat_M4"),
        (MethodChoice::Of(MethodKind::DeepMil), BackboneKind::Resnet18, "deep_mil_multi"),
        (MethodChoice::MaxMinEem, BackboneKind::Resnet18DeepStem, "ours_glas"),
        (MethodChoice::MaxMinSem, BackboneKind::Resnet18DeepStem, "ours_glas"),
        (MethodChoice::Of(MethodKind::UNet), BackboneKind::Resnet18, "unet_base16"),
    ];
    for (choice, backbone, key) in rows {
        let profile = choice.apply(Profile::named(choice.default_profile()).unwrap());
        let model = ModelConfig { backbone, ..profile.model }.init(2, &Device::flex());
        assert_eq!(learned(&model), v[key].as_u64().unwrap() as usize, "{choice}");
    }
}

/// Parameters that train: running statistics are none.
fn learned<M: Module>(module: &M) -> usize {
    let state = state_dict(module);
    state.iter().filter(|(name, _)| !name.contains("running_")).map(|(_, data)| data.num_elements()).sum()
}

#[test]
fn a_card_from_before_there_were_methods_is_a_max_min_model() {
    let card = read_card(default_model()).unwrap();
    assert_eq!(card.model.method, MethodKind::MaxMin);
    let segmenter = Segmenter::from_safetensors(default_model(), &Device::flex()).unwrap();
    assert_eq!(segmenter.card(), &card);
}

/// Data set of the runs below.
fn data() -> &'static PathBuf {
    static DATA: OnceLock<PathBuf> = OnceLock::new();
    DATA.get_or_init(|| data_set(&shared_folder(env!("CARGO_TARGET_TMPDIR"), "methods"), 4))
}

fn train_method(method: &str, out: &Path, epochs: usize) -> Program {
    train(data(), out, epochs).with("--method", method)
}

fn evaluate(model: &Path, out: &Path) -> Program {
    Program::new(["evaluate", "--split", "all"])
        .with("--data", data())
        .with("--model", model)
        .with("--out", out)
        .on_cpu()
}

/// Trains, evaluates and predicts with a method; returns what evaluation wrote.
fn end_to_end(method: MethodChoice) -> (Value, Vec<BTreeMap<String, String>>) {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    let _ = train_method(method.name(), &run, 1).run().exits(0);
    let _ = evaluate(&run, &out).run().exits(0).says(method.kind().title()).says("F1+");
    let predicted = folder.path().join("predicted");
    let image = data().join("images/regular_0000.png");
    let predict = Program::new(["predict"]).args([&image]).with("--model", &run).with("--out", &predicted);
    let _ = predict.on_cpu().run().exits(0);
    let _ = Program::new(["inspect"]).args([&run]).run().exits(0).says(method.kind().title());

    let (summary, rows) = (json(&out.join("evaluation.json")), csv(&out.join("images.csv")));
    assert_eq!(summary["method"].as_str(), Some(method.kind().name()));
    assert_eq!(json(&predicted.join("run.json"))["method"].as_str(), Some(method.kind().name()));
    // without a label, predict draws the mask of the predicted class
    let row = rows.iter().find(|row| row["path"].ends_with("regular_0000.png")).unwrap();
    let prediction = &csv(&predicted.join("predictions.csv"))[0];
    let (found, expected) = (number(prediction, "foreground_percent"), number(row, "label_free_foreground_percent"));
    assert!((found - expected).abs() < 1e-3, "{method}: {found} is not {expected}");
    for row in &rows {
        if row["predicted"] == row["label"] {
            assert_eq!(row["label_free_f1_plus"], row["f1_plus"], "{method}: the same class has the same mask");
        }
    }
    let difference = |score: &str| {
        let percent = |masks: &str| summary[masks][score].as_f64().unwrap();
        let expected = percent("masks_label_free") - percent("masks");
        let found = summary["label_free_difference"][score].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-9, "{method}: {score}");
    };
    difference("f1_plus");
    difference("f1_minus");
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert_eq!(report.contains("label-free"), method.kind().masks_by_class(), "{method}");
    (summary, rows)
}

#[test]
fn classifiers_from_end_to_end() {
    use MethodKind::{CamAvg, CamLse, CamMax, DeepMil, Erase, GradCam, Pn, Wildcat};
    for method in [Pn, Erase, CamMax, CamLse, GradCam, CamAvg, Wildcat, DeepMil].map(MethodChoice::Of) {
        let (summary, rows) = end_to_end(method);
        assert!(summary["class_error_percent"].is_number(), "{method}");
        assert!(rows.iter().all(|row| row["background_uncertainty"].is_empty()), "{method}");
    }
}

#[test]
fn max_min_from_end_to_end() {
    for method in [MethodChoice::MaxMinEem, MethodChoice::MaxMinSem] {
        let (summary, rows) = end_to_end(method);
        assert_eq!(summary["masks"], summary["masks_label_free"], "one mask whatever the class");
        assert!(rows.iter().all(|row| !row["background_uncertainty"].is_empty()));
    }
}

#[test]
fn u_net_learns_from_masks_and_names_no_class() {
    let (summary, rows) = end_to_end(MethodChoice::Of(MethodKind::UNet));
    assert!(summary["class_error_percent"].is_null() && summary["confusion_rows_predicted"].is_null());
    assert!(summary["pixel_loss"].as_f64().unwrap() > 0.0);
    assert!(rows.iter().all(|row| row["predicted"].is_empty() && row["probability"].is_empty()));

    // some masks, then none
    let folder = tempfile::tempdir().unwrap();
    let root = data_set(folder.path(), 4);
    let table = root.join("labels.csv");
    let (mut kept, run) = (true, folder.path().join("run"));
    for expected in ["training images have none and are left out", "no training image has one"] {
        let mut rows = csv(&table);
        for row in rows.iter_mut().filter(|row| row["split"] == "train") {
            if !std::mem::replace(&mut kept, false) {
                row.insert("mask".into(), String::new());
            }
        }
        let mut writer = ::csv::Writer::from_path(&table).unwrap();
        writer.write_record(rows[0].keys()).unwrap();
        rows.iter().for_each(|row| writer.write_record(row.values()).unwrap());
        drop(writer);
        let code = if expected.starts_with("no ") { 2 } else { 0 };
        let program = train(&root, &run.join(code.to_string()), 1).with("--method", "u-net");
        let _ = program.run().exits(code).says(expected);
    }
}

#[test]
fn all_ones_needs_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let program = Program::new(["evaluate", "--method", "all-ones", "--split", "all"]).with("--data", data());
    let _ = program.with("--out", &out).on_cpu().run().exits(0).says("classification error -");
    let summary = json(&out.join("evaluation.json"));
    let masks = &summary["masks"];
    assert_eq!((&masks["f1_plus"], masks["f1_minus"].as_f64()), (&masks["all_ones_f1_plus"], Some(0.0)));
    assert_eq!(summary["mean_foreground_percent"].as_f64(), Some(100.0));
    let _ = train_method("all-ones", &folder.path().join("run"), 1).run().exits(2).says("nothing to learn");
}

#[test]
fn a_model_of_cam_avg_is_one_of_grad_cam_and_of_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    let _ = train_method("cam-avg", &run, 1).run().exits(0);
    let _ = evaluate(&run, &out).with("--method", "grad-cam").run().exits(0).says("Grad-CAM");
    assert_eq!(json(&out.join("evaluation.json"))["method"].as_str(), Some("grad-cam"));
    let _ = evaluate(&run, &out).with("--method", "wildcat").run().exits(2).says("cannot be used as wildcat");
}

#[test]
fn masks_of_the_abnormal_region_ask_for_no_label() {
    let folder = tempfile::tempdir().unwrap();
    let (run, out) = (folder.path().join("run"), folder.path().join("out"));
    let _ = train_method("cam-max", &run, 1)
        .args(["--model.mask-of", "abnormal", "--loss.normal-class", "irregular"])
        .run()
        .exits(0);
    let _ = Program::new(["inspect"]).args([&run]).run().exits(0).says("of every class but irregular");
    let _ = evaluate(&run, &out).run().exits(0);
    let summary = json(&out.join("evaluation.json"));
    assert_eq!(summary["masks"], summary["masks_label_free"]);
    assert!(!std::fs::read_to_string(out.join("report.html")).unwrap().contains("label-free"));
}

#[test]
fn erase_resumes_to_the_last_bit_from_any_round() {
    let folder = tempfile::tempdir().unwrap();
    let (reference, run) = (folder.path().join("reference"), folder.path().join("run"));
    let erase = |out: &Path, epochs| train_method("erase", out, epochs).with("--model.erase.round-epochs", "1");
    let _ = erase(&reference, 3).run().exits(0);
    let _ = erase(&run, 1).run().exits(0);
    assert!(!run.join("erased").exists(), "nothing is erased in the first round");
    for epochs in ["2", "3"] {
        let _ = Program::new(["train", "--train.epochs", epochs]).with("--resume", &run).on_cpu().run().exits(0);
    }
    for round in ["round-1", "round-2"] {
        assert_eq!(std::fs::read_dir(run.join("erased").join(round)).unwrap().count(), 4, "one file a training image");
    }
    assert!(tensors(&run.join("state.safetensors")) == tensors(&reference.join("state.safetensors")));
}

#[test]
fn vectors_have_the_shapes_this_file_expects() {
    assert_eq!(shape(&vectors()["cam_avg_max_lse"]["maps"]), [2, 2, 2, 3]);
}
