//! The demo, small, to its very end.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use histomask_tests::program::Program;
use histomask_tests::results::{bytes, csv, json};

#[test]
fn the_demo_runs_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("demo");
    let demo = || Program::new(["demo", "--per-class", "10", "--epochs", "2"]).with("--out", &out).on_cpu();
    let ended = demo().run().says("4/4").says("report.html").says("histomask predict");
    // so few patches may teach nothing, and then it says so
    match ended.code {
        Some(1) => drop(ended.says("do not clearly beat")),
        code => assert_eq!(code, Some(0), "{ended}"),
    }
    let evaluation = json(&out.join("evaluation/evaluation.json"));
    assert_eq!((evaluation["complete"].as_bool(), evaluation["images"].as_u64()), (Some(true), Some(4)));
    assert_eq!(csv(&out.join("run/epochs.csv")).len(), 2);
    let page = String::from_utf8(bytes(&out.join("report.html"))).unwrap();
    assert!(page.contains("--per-class 10 --epochs 2") && page.trim_end().ends_with("</html>"));
    let _ = Program::new(["inspect"]).args([out.join("run/best.safetensors")]).run().exits(0).says("regular");
    // nothing of it is written over
    let _ = demo().run().exits(2).says("holds an earlier demo");
}
