//! Imports point one way: each crate's folders in layers, and no circle between files. ARCHITECTURE.md states the rule.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The layers of `native/src`, highest first: a file may use its own layer's folder and what stands below it. Names on
/// one line do not use each other.
const NATIVE: [&[&str]; 12] = [
    &["cli"],
    &["commands"],
    &["arguments", "console"],
    &["job"],
    &["study"],
    &["reproduce"],
    &["train", "trust"],
    &["evaluate"],
    &["method", "device"],
    &["profile", "camelyon"],
    &["data", "report", "serve", "synth", "weights"],
    &["augment", "csv_text", "atomic", "interrupt", "panics", "plain_text", "told_once"],
];

/// Parts that nobody else of their layer may use: one command never calls another.
const APART: [(&str, &[&str]); 1] = [("commands", &["mod", "progress"])];

/// Crates whose files may use only these others of ours.
const CRATES: [(&str, &[&str]); 4] = [
    ("shaders", &[]),
    ("core", &["histomask_shaders"]),
    ("native", &["histomask_core", "histomask_shaders"]),
    ("web", &["histomask_core", "histomask_shaders"]),
];

struct Arrow {
    from: Vec<String>,
    to: Vec<String>,
    line: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `a/b.rs` as `[a, b]`, `a/mod.rs` as `[a]`, `lib.rs` as `[]`.
fn module(path: &Path, source: &Path) -> Vec<String> {
    let mut parts: Vec<String> = path
        .strip_prefix(source)
        .unwrap()
        .with_extension("")
        .iter()
        .map(|part| part.to_str().unwrap().into())
        .collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The paths that a line of code names after `crate::` or `super::`: of `a::{b, c::d}` both `a::b` and `a::c::d`.
fn expand(text: &str) -> Vec<Vec<String>> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = &text[name.len()..];
    if let Some(group) = rest.strip_prefix('{').filter(|_| name.is_empty()) {
        let (mut depth, mut start, mut parts) = (0_usize, 0, vec![]);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => {
                    parts.push(&group[start..at]);
                    break;
                }
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(&group[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        return parts.iter().flat_map(|part| expand(part.trim())).collect();
    }
    if name.is_empty() {
        return vec![];
    }
    let inner = rest.strip_prefix("::").map(expand).unwrap_or_default();
    let prefixed = |tail: Vec<String>| std::iter::once(name.clone()).chain(tail).collect();
    if inner.is_empty() { vec![vec![name]] } else { inner.into_iter().map(prefixed).collect() }
}

/// Every arrow between files of a crate; unit tests, comments and arrows to a file's own parent are left out.
fn arrows(name: &str) -> Vec<Arrow> {
    let source = root().join(name).join("src");
    let mut files = vec![];
    sources(&source, &mut files);
    let modules: BTreeSet<_> = files.iter().map(|path| module(path, &source)).collect();
    let mut arrows = vec![];
    for path in &files {
        let from = module(path, &source);
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code: String =
            text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned() + "\n").collect();
        for word in ["crate::", "super::"] {
            for (at, _) in code.match_indices(word) {
                if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$') {
                    continue;
                }
                let base = if word == "crate::" { vec![] } else { from[..from.len().saturating_sub(1)].to_vec() };
                for tail in expand(code[at + word.len()..].trim_start()) {
                    let full: Vec<String> = base.iter().cloned().chain(tail).collect();
                    let to =
                        (0..=full.len()).rev().map(|n| full[..n].to_vec()).find(|to| modules.contains(to)).unwrap();
                    let line = code[..at].matches('\n').count() + 1;
                    if to != from && !from.starts_with(&to) {
                        arrows.push(Arrow { from: from.clone(), to, line });
                    }
                }
            }
        }
    }
    arrows
}

fn shown(name: &str, module: &[String]) -> String {
    let base = format!("{name}/src/{}", module.join("/"));
    let file = root().join(format!("{base}.rs"));
    if file.exists() { format!("{base}.rs") } else { format!("{base}/mod.rs") }
}

#[test]
fn the_folders_of_native_use_only_what_lies_below_them() {
    let layer = |name: &str| NATIVE.iter().position(|layer| layer.contains(&name));
    let mut wrong = vec![];
    for Arrow { from, to, line } in arrows("native") {
        let (Some(upper), Some(lower)) = (from.first(), to.first()) else { continue };
        let place = format!("{}, line {line}", shown("native", &from));
        let (Some(a), Some(b)) = (layer(upper), layer(lower)) else {
            wrong.push(format!("{place}: give `{upper}` and `{lower}` a layer in NATIVE"));
            continue;
        };
        if upper != lower && a >= b {
            wrong.push(format!("{place}: `{upper}` must not use `{lower}`, which does not lie below it"));
        }
        for (folder, shared) in APART {
            let (Some(mine), Some(other)) = (from.get(1), to.get(1)) else { continue };
            if upper == folder && lower == folder && mine != other && !shared.contains(&other.as_str()) {
                wrong.push(format!("{place}: `{folder}::{mine}` must not use `{folder}::{other}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "imports that do not point down:\n{}", wrong.join("\n"));
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let mut wrong = vec![];
    for (name, _) in CRATES {
        let arrows = arrows(name);
        let mut to: BTreeMap<&[String], Vec<&Arrow>> = BTreeMap::new();
        for arrow in arrows.iter().filter(|arrow| !arrow.to.starts_with(&arrow.from)) {
            to.entry(&arrow.from).or_default().push(arrow);
        }
        for arrow in to.values().flatten() {
            let (mut seen, mut open) = (BTreeSet::new(), vec![arrow.to.as_slice()]);
            while let Some(file) = open.pop() {
                if seen.insert(file) {
                    open.extend(to.get(file).into_iter().flatten().map(|next| next.to.as_slice()));
                }
            }
            if seen.contains(arrow.from.as_slice()) {
                let (from, to) = (shown(name, &arrow.from), shown(name, &arrow.to));
                wrong.push(format!("{from}, line {}: uses {to}, which leads back to it", arrow.line));
            }
        }
    }
    assert!(wrong.is_empty(), "files in a circle:\n{}", wrong.join("\n"));
}

#[test]
fn jobs_and_what_lies_below_know_no_command_line() {
    let source = root().join("native/src");
    let (mut files, mut wrong) = (vec![], vec![]);
    sources(&source, &mut files);
    for path in files {
        let module = module(&path, &source);
        let above = module.first().is_none_or(|name| {
            ["cli", "commands", "arguments", "console", "method", "profile"].contains(&name.as_str())
        });
        for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let parses = !above && code.contains("clap") && code != "use clap::ValueEnum;";
            let prints = module.first().is_some_and(|name| name == "job") && code.contains("println!(");
            if parses || prints {
                wrong.push(format!("{}, line {}", shown("native", &module), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "only a choice's names may be clap's, and no job prints:\n{}", wrong.join("\n"));
}

#[test]
fn crates_use_only_those_below_them() {
    for (name, below) in CRATES {
        let mut files = vec![];
        sources(&root().join(name).join("src"), &mut files);
        for path in files {
            for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for other in ["histomask_shaders", "histomask_core", "histomask_web"] {
                    let allowed = below.contains(&other) || other == format!("histomask_{name}");
                    assert!(
                        allowed || !code.contains(&format!("{other}::")),
                        "{}, line {}: {name} must not use {other}",
                        path.display(),
                        number + 1
                    );
                }
            }
        }
    }
}
