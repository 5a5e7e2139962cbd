use std::fmt::Write as _;
use std::fs::File;

use anyhow::Context as _;
use histomask_core::slide::{Level, Slide};
use serde_json::{Value, json};

use crate::arguments::{Slides, SlidesInfo};
use crate::atomic::{self, WriteError};
use crate::console::{Console, Exit};
use crate::data::slides::{SlideFile, find, open, why_not};
use crate::job::png;
use crate::plain_text;
use crate::told_once::told_once;

/// Longest side of a thumbnail in pixels.
const THUMBNAIL: u32 = 1024;

pub(crate) fn run(args: &Slides, console: &Console) -> anyhow::Result<Exit> {
    match args {
        Slides::Info(args) => info(args, console),
    }
}

fn info(args: &SlidesInfo, console: &Console) -> anyhow::Result<Exit> {
    let found = find(&args.inputs)?;
    found.left_out.lines().iter().for_each(|line| console.say(line));
    for other in &found.others {
        console.warn(&format!("{}: {}", other.display(), why_not(other)));
    }
    anyhow::ensure!(!found.slides.is_empty(), "no slides found; slide files end in svs, tif or tiff");
    let (mut failed, mut listed) = (!found.others.is_empty(), Vec::new());
    for file in &found.slides {
        match one(file, args) {
            Ok(slide) if args.json => listed.push(as_json(file, &slide)),
            Ok(slide) => console.print(&as_text(file, &slide)?)?,
            // a full disk stops the command
            Err(error) if error.downcast_ref().is_some_and(WriteError::stops) => return Err(error),
            Err(error) => {
                console.warn(&told_once(&error));
                failed = true;
            }
        }
    }
    if args.json {
        console.print(&serde_json::to_string_pretty(&listed)?)?;
    }
    Ok(if failed { Exit::SomeFailed } else { Exit::Fine })
}

/// Opens a slide and writes what was asked for.
fn one(file: &SlideFile, args: &SlidesInfo) -> anyhow::Result<Slide<File>> {
    let slide = open(&file.path)?;
    let named = || file.path.display().to_string();
    if let Some(folder) = &args.thumbnails {
        let thumbnail = slide.thumbnail(THUMBNAIL).with_context(named)?;
        atomic::write(&folder.join(format!("{}.png", file.name)), &png(&thumbnail)?)?;
    }
    if let Some(folder) = &args.associated {
        for name in slide.associated() {
            let image = slide.associated_image(name).with_context(named)?;
            // a name comes from the file: no part of it may lead elsewhere
            let plain: String = name.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
            atomic::write(&folder.join(format!("{}_{plain}.png", file.name)), &png(&image)?)?;
        }
    }
    Ok(slide)
}

fn as_text(file: &SlideFile, slide: &Slide<File>) -> Result<String, std::fmt::Error> {
    let mut text = format!("{}\n", file.path.display());
    let mut line = |name: &str, value: String| writeln!(text, "  {name:<16} {value}");
    let [width, height] = slide.size();
    line("format", slide.vendor().name().into())?;
    line("size", format!("{width} × {height} pixels"))?;
    line(
        "scale",
        match (slide.mpp(), slide.magnification()) {
            (None, None) => "not said; name it with --slide-mpp".into(),
            (None, Some(times)) => format!("{times}×, microns per pixel not said"),
            (Some([x, y]), times) => {
                let mpp = if (x - y).abs() < 1e-6 { format!("{x:.4}") } else { format!("{x:.4} across, {y:.4} down") };
                format!("{mpp} µm per pixel{}", times.map_or_else(String::new, |times| format!(", {times}×")))
            }
        },
    )?;
    for (index, level) in slide.levels().iter().enumerate() {
        let mut value = format!("{} × {}, 1:{:.2}", level.width, level.height, level.downsample[0]);
        if let Some([width, height]) = tile(level) {
            let kind = if level.tiled { "tiles" } else { "strips" };
            write!(value, ", {kind} of {width} × {height}, {}", level.codec)?;
        }
        line(&format!("level {index}"), value)?;
    }
    let associated: Vec<_> = slide.associated().collect();
    if !associated.is_empty() {
        line("beside it", associated.join(", "))?;
    }
    Ok(text.trim_end().to_owned())
}

/// Sides of a tile; another reader does not tell.
fn tile(level: &Level) -> Option<[u32; 2]> {
    Some(level.tile).filter(|tile| tile[0] > 0)
}

fn as_json(file: &SlideFile, slide: &Slide<File>) -> Value {
    let levels = slide.levels().iter().map(|level| {
        json!({
            "width": level.width, "height": level.height, "downsample": level.downsample, "tile": tile(level),
            "tiled": level.tiled, "codec": level.codec,
        })
    });
    json!({
        "path": plain_text::of_path(&file.path), "name": file.name, "format": slide.vendor().name(), "size": slide.size(),
        "mpp": slide.mpp(), "magnification": slide.magnification(), "levels": levels.collect::<Vec<_>>(),
        "associated": slide.associated().collect::<Vec<_>>(),
    })
}
