//! Model files that are none, are damaged, or belong to another network.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use histomask_tests::program::Program;
use histomask_tests::results::bytes;
use histomask_tests::tiny::{model, shared_folder};
use safetensors::SafeTensors;
use serde_json::{Value, json};

/// A sound model, and an image for it.
fn ready() -> &'static (PathBuf, PathBuf) {
    static READY: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    READY.get_or_init(|| {
        let folder = shared_folder(env!("CARGO_TARGET_TMPDIR"), "model-errors");
        (model(&folder), folder.join("tissue/images/regular_0000.png"))
    })
}

/// The model with its card changed; without a card if there is none.
fn with_card(model: &[u8], change: impl FnOnce(Value) -> Option<Value>) -> Vec<u8> {
    let (_, header) = SafeTensors::read_metadata(model).unwrap();
    let fields = header.metadata().clone().unwrap();
    let (key, card) = fields.iter().next().unwrap();
    let card = change(serde_json::from_str(card).unwrap());
    let fields = card.map(|card| HashMap::from([(key.clone(), card.to_string())]));
    safetensors::serialize(SafeTensors::deserialize(model).unwrap().tensors(), fields).unwrap()
}

/// The model with one entry of its card replaced.
fn with_entry(model: &[u8], pointer: &str, value: &Value) -> Vec<u8> {
    with_card(model, |mut card| {
        *card.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in the card")) = value.clone();
        Some(card)
    })
}

/// Asserts that a file is refused by name, and says why.
#[track_caller]
fn refused(folder: &Path, file: &[u8], why: &str) {
    let (_, patch) = ready();
    let (model, out) = (folder.join("bad.safetensors"), folder.join("out"));
    std::fs::write(&model, file).unwrap();
    let predict = Program::new(["predict"]).args([patch]).with("--model", &model).with("--out", &out);
    let _ = predict.on_cpu().run().exits(2).says("bad.safetensors").says(why);
    assert!(!out.exists(), "results of a bad model");
}

#[test]
fn what_is_no_model_file() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(&ready().0);
    let noise: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for file in [&b""[..], b"a text file", &noise, &[0xff; 64], &whole[..8], &whole[..3000], &whole[..whole.len() - 1]]
    {
        refused(folder.path(), file, "not a complete safetensors file");
        let model = folder.path().join("bad.safetensors");
        let _ = Program::new(["inspect"]).args([&model]).run().exits(2).says("bad.safetensors");
    }
    let missing = folder.path().join("missing.safetensors");
    let _ = Program::new(["inspect"]).args([&missing]).run().exits(2).says("missing.safetensors");
    // a folder that holds no run
    let _ = Program::new(["inspect"]).args([folder.path()]).run().exits(2).says("best.safetensors");
}

#[test]
fn models_of_another_kind() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(&ready().0);
    refused(folder.path(), &with_card(&whole, |_| None), "no histomask model card");
    refused(folder.path(), &with_card(&whole, |_| Some(json!({ "epoch": 3 }))), "no histomask model card");
    refused(folder.path(), &with_entry(&whole, "/format", &json!(99)), "update histomask");
    refused(folder.path(), &with_entry(&whole, "/model/backbone", &json!("resnet18")), "another architecture");
    refused(folder.path(), &with_entry(&whole, "/model/backbone", &json!("vgg16")), "vgg16");
    refused(folder.path(), &with_entry(&whole, "/classes", &json!(["a", "b", "c"])), "other classes");
    refused(folder.path(), &with_entry(&whole, "/model/pooling/modalities", &json!(6)), "shape");
    // NaN at the end of the last tensor
    let (sound, _) = whole.split_at(whole.len() - 4);
    refused(folder.path(), &[sound, &[0xff, 0xff, 0xff, 0x7f]].concat(), "not finite");
}

#[test]
fn cards_with_absurd_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(&ready().0);
    // each outside the range of its setting, and none that would take long if it were let through
    for (pointer, value) in [
        ("/classes", json!([])),
        ("/classes", json!(["one"])),
        ("/model/pooling/modalities", json!(0)),
        ("/model/pooling/modalities", json!(u64::MAX)),
        ("/model/pooling/kmax", json!(-1.0)),
        ("/model/pooling/kmin", json!(7.0)),
        ("/model/mask/classifier_scale", json!(3.0)),
        ("/model/mask/classifier_scale", json!(-1.0)),
        ("/input/size", json!(0)),
        ("/input/size", json!(u64::MAX)),
        ("/input/std", json!([0.5, 0.0, 0.5])),
        ("/threshold", json!(3.0)),
    ] {
        println!("{pointer} = {value}");
        refused(folder.path(), &with_entry(&whole, pointer, &value), "");
    }
}

#[test]
fn initial_weights_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let whole = bytes(&ready().0);
    let (weights, run) = (folder.path().join("first.safetensors"), folder.path().join("run"));
    let data = ready().1.ancestors().nth(2).unwrap();
    for (file, why) in [(&whole[..100], "not a complete safetensors file"), (&whole[..], "another architecture")] {
        std::fs::write(&weights, file).unwrap();
        let train = Program::new(["train", "--profile", "demo", "--model.backbone", "resnet18"]).with("--data", data);
        let _ = train
            .with("--weights", &weights)
            .with("--out", &run)
            .on_cpu()
            .run()
            .exits(2)
            .says("first.safetensors")
            .says(why);
    }
    let pickle = folder.path().join("first.pth");
    std::fs::write(&pickle, b"\x80\x02cos\nsystem\nq\x00X\x02\x00\x00\x00lsq\x01\x85q\x02Rq\x03.").unwrap();
    let converted = folder.path().join("converted.safetensors");
    for input in [&pickle, &folder.path().join("missing.pth")] {
        let convert = Program::new(["weights", "convert"]).args([input, &converted]).run();
        let _ = convert.exits(2).says(&input.file_name().unwrap().to_string_lossy());
        assert!(!converted.exists());
    }
}
