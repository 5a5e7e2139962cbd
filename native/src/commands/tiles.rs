use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use serde::Serialize;

use crate::arguments::Tiles;
use crate::atomic::{self, Room, WriteError};
use crate::console::{Console, Exit};
use crate::csv_text::write_csv;
use crate::data::slides::{SlideFile, find, why_not};
use crate::job::{Count as _, TileSettings, cut_slide};
use crate::told_once::told_once;

/// Label of patches whose slide has none.
const UNLABELLED: &str = "unlabelled";

/// A row of `labels.csv`, as `train` takes it.
#[derive(Serialize)]
struct Row {
    path: String,
    label: String,
    group: String,
    x: i64,
    y: i64,
    mpp: f64,
    tissue: f64,
}

pub(crate) fn run(args: &Tiles, console: &Console) -> anyhow::Result<Exit> {
    ensure!(args.mpp.is_finite() && args.mpp > 0.0, "--mpp {} is no size of a pixel", args.mpp);
    ensure!(args.slide_mpp.is_none_or(|mpp| mpp.is_finite() && mpp > 0.0), "--slide-mpp is no size of a pixel");
    ensure!((0.0..=1.0).contains(&args.tissue), "--tissue {} is not between 0 and 1", args.tissue);
    let found = find(&args.inputs)?;
    found.left_out.lines().iter().for_each(|line| console.say(line));
    for other in &found.others {
        console.warn(&format!("{}: {}", other.display(), why_not(other)));
    }
    ensure!(!found.slides.is_empty(), "no slides found; slide files end in svs, tif or tiff");
    let labels = args.labels.as_deref().map(read_labels).transpose()?;
    let labelled: Vec<_> = found.slides.iter().map(|slide| (slide, label_of(slide, labels.as_ref()))).collect();
    if let Some((slide, _)) = labelled.iter().find(|(_, label)| labels.is_some() && label.is_none()) {
        bail!("{}: --labels has no row for this slide; add one", slide.path.display());
    }

    let settings = TileSettings {
        mpp: args.mpp,
        slide_mpp: args.slide_mpp,
        size: args.size,
        stride: args.stride.unwrap_or(args.size),
        tissue: args.tissue,
    };
    let (mut rows, mut failed) = (Vec::new(), !found.others.is_empty());
    // for labels.csv
    let room = Room::set_aside(&args.out, 1 << 20)?;
    let mut stopped = None;
    let bar = console.bar(labelled.len(), "slides");
    for (index, (slide, label)) in labelled.iter().enumerate() {
        let cut = match cut_slide(slide, &settings, &args.out) {
            Ok(Some(cut)) => cut,
            Ok(None) => {
                drop(bar);
                console.say("stopped; the same command goes on with the slides that are not finished");
                return Ok(Exit::Interrupted);
            }
            // a full disk stops the command, with the finished slides in the table
            Err(error) if error.downcast_ref().is_some_and(WriteError::stops) => {
                stopped = Some(error);
                break;
            }
            Err(error) => {
                bar.line(&format!("warning: {}", told_once(&error)));
                failed = true;
                continue;
            }
        };
        let pen = if cut.pen > 0.001 { format!(", {:.1} % under pen marks", 100.0 * cut.pen) } else { String::new() };
        bar.line(&format!(
            "{}: {} of {} positions, {:.1} % tissue{pen}",
            slide.name,
            cut.patches.len(),
            cut.positions,
            100.0 * cut.tissue
        ));
        bar.set(index + 1, &slide.name);
        rows.extend(cut.patches.into_iter().map(|patch| Row {
            path: format!("{}/{}", slide.name, patch.file),
            label: label.clone().unwrap_or_else(|| UNLABELLED.to_owned()),
            group: slide.name.clone(),
            x: patch.x,
            y: patch.y,
            mpp: settings.mpp,
            tissue: patch.tissue,
        }));
    }
    drop((bar, room));
    if let Some(error) = stopped {
        if !rows.is_empty() {
            // as far as it can be written; the error that stopped the command is the one to tell
            let _ = atomic::write(&args.out.join("labels.csv"), &write_csv(&rows)?);
        }
        return Err(error);
    }
    if rows.is_empty() && failed {
        console.warn("no slide could be cut; the reasons stand above");
        return Ok(Exit::SomeFailed);
    }
    ensure!(!rows.is_empty(), "no patch with enough tissue; a lower --tissue or a smaller --size may find some");
    let table = args.out.join("labels.csv");
    atomic::write(&table, &write_csv(&rows)?)?;
    if labelled.iter().any(|(_, label)| label.is_none()) {
        console.warn(&format!(
            "slides without a class are labelled `{UNLABELLED}` in {}; name classes with --labels, or put slides into \
             one folder per class",
            table.display()
        ));
    }
    console.print(&format!("{} patches of {} slides: {}", rows.len(), labelled.len(), table.display()))?;
    Ok(if failed { Exit::SomeFailed } else { Exit::Fine })
}

fn label_of(slide: &SlideFile, labels: Option<&BTreeMap<String, String>>) -> Option<String> {
    let Some(labels) = labels else { return slide.folder.clone() };
    let file = slide.path.file_name().unwrap_or_default().to_string_lossy();
    labels.get(file.as_ref()).or_else(|| labels.get(&slide.name)).cloned()
}

/// Labels by slide, each named as its file with or without the ending.
fn read_labels(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let named = || path.display().to_string();
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).with_context(named)?;
    let header = reader.headers().with_context(named)?.clone();
    let column = |names: &[&str]| header.iter().position(|name| names.contains(&name.to_lowercase().as_str()));
    let (Some(slide), Some(label)) = (column(&["slide", "path"]), column(&["label"])) else {
        bail!("{}, line 1: the header must have the columns slide,label", path.display());
    };
    let mut labels = BTreeMap::new();
    for record in reader.records() {
        let record = record.with_context(named)?;
        let cell = |column: usize| record.get(column).filter(|cell| !cell.is_empty());
        let (Some(slide), Some(label)) = (cell(slide), cell(label)) else {
            let line = record.position().map_or(0, csv::Position::line);
            bail!("{}, line {line}: slide or label is empty", path.display());
        };
        let name = Path::new(slide).file_name().unwrap_or_default().to_string_lossy().into_owned();
        labels.insert(name, label.to_owned());
    }
    Ok(labels)
}
