use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use histomask_core::picture_file::name::{is_litter, is_other_picture, is_picture};
use histomask_core::{MethodKind, Segmenter, outline};
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder as _};
use serde_json::json;

use crate::arguments::Predict;
use crate::atomic;
use crate::console::{Console, Exit, told_once};
use crate::data::image::EXTENSIONS as IMAGE_EXTENSIONS;
use crate::data::{LeftOut, Reason, nfc};
use crate::evaluate::segment_file;
use crate::interrupt;
use crate::job::ModelFile;
use crate::report::{OverlayStyle, mask_png, overlay, soft_png};
use crate::trust::flip_stability;

pub(crate) fn run(args: &Predict, console: &Console) -> anyhow::Result<Exit> {
    if !(0.0..=1.0).contains(&args.opacity) {
        bail!("--opacity {} is not between 0 and 1", args.opacity);
    }
    if args.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        bail!("--threshold must be between 0 and 1");
    }
    let mut left_out = LeftOut::default();
    let images = expand(&args.inputs, &mut left_out)?;
    refuse_folder_of_inputs(&args.out, &images)?;
    let model = ModelFile::open(args.model.as_deref())?;
    let chosen = super::open_device(&args.device, console)?;
    let segmenter = model.segmenter(&chosen.device, args.method)?;
    let card = segmenter.card().clone();
    console.say(&format!(
        "model: {} ({}; classes {}; {})",
        model.name(),
        card.model.method.title(),
        card.classes.join(", "),
        card.intended_use
    ));
    let threshold = args.threshold.unwrap_or(card.threshold);
    let style = OverlayStyle {
        threshold: threshold as f32,
        opacity: args.opacity as f32,
        colormap: args.colormap,
        contour: true,
    };

    let mut header: Vec<String> = ["path", "class", "probability"].map(String::from).to_vec();
    if card.model.method.names_class() {
        header.extend(card.classes.iter().map(|class| format!("p_{class}")));
    }
    header.extend(["foreground_percent", "background_uncertainty", "mask", "overlay"].map(String::from));
    header.extend(args.geojson.then(|| String::from("geojson")));
    header.extend(args.trust.then(|| String::from("flip_stability")));
    let mut table = vec![header];
    let mut failed = Vec::new();
    let bar = console.bar(images.len(), "images");
    for (done, input) in images.iter().enumerate() {
        if interrupt::asked() {
            break;
        }
        match predict_one(input, args, &segmenter, &style) {
            Ok(row) => {
                bar.line(&row.line());
                table.push(row.cells());
            }
            // a full disk stops the command, with what was done in the table; a bad image or name is one image fewer
            Err(error) if error.downcast_ref().is_some_and(stops) => {
                // as far as it can be written; the error that stopped the command is the one to tell
                let _ = write_table(&args.out, &table);
                let done = table.len() - 1;
                let _ = write_run(args, &model, card.model.method, &chosen.name, threshold, done, &failed);
                return Err(error);
            }
            Err(error) => {
                let error = told_once(&error);
                bar.line(&format!("skipped: {error}"));
                failed.push(json!({ "path": input.path, "error": error }));
            }
        }
        bar.set(done + 1, "");
        if done % 50 == 49 {
            write_table(&args.out, &table)?;
        }
    }
    bar.finish();
    write_table(&args.out, &table)?;
    write_run(args, &model, card.model.method, &chosen.name, threshold, table.len() - 1, &failed)?;
    console.say(&format!("{} images in {}", table.len() - 1, args.out.display()));
    left_out.lines().iter().for_each(|line| console.say(line));
    if interrupt::asked() {
        return Ok(Exit::Interrupted);
    }
    if args.strict && left_out.matters() {
        bail!("--strict: files were left out, which are named above");
    }
    if !failed.is_empty() {
        console.warn(&format!("{} of {} images failed; run.json lists them", failed.len(), images.len()));
        return Ok(Exit::SomeFailed);
    }
    Ok(Exit::Fine)
}

/// Whether nothing more can be written, rather than a file of this one name.
fn stops(error: &atomic::WriteError) -> bool {
    !matches!(error.source.kind(), std::io::ErrorKind::InvalidFilename | std::io::ErrorKind::InvalidInput)
}

/// An image to predict, and the name its results begin with.
struct Input {
    path: PathBuf,
    stem: String,
}

struct Row {
    path: String,
    class: Option<String>,
    probability: Option<f32>,
    probabilities: Vec<f32>,
    foreground: f64,
    uncertainty: Option<f32>,
    mask: String,
    overlay: String,
    geojson: Option<String>,
    stability: Option<f64>,
    nearly_black: bool,
}

impl Row {
    fn line(&self) -> String {
        let class = self.class.as_ref().zip(self.probability);
        let class = class.map_or_else(String::new, |(class, p)| format!("{class} ({:.1} %), ", 100.0 * p));
        let caution = if self.nearly_black { "; of its 16 bits the upper ones are unused: scale it" } else { "" };
        format!("{}: {class}foreground {:.1} %{caution}", self.path, self.foreground)
    }

    fn cells(self) -> Vec<String> {
        let mut cells = vec![self.path, self.class.unwrap_or_default()];
        cells.push(self.probability.map_or_else(String::new, |p| format!("{p:.6}")));
        cells.extend(self.probabilities.iter().map(|p| format!("{p:.6}")));
        cells.push(format!("{:.4}", self.foreground));
        cells.push(self.uncertainty.map_or_else(String::new, |u| format!("{u:.6}")));
        cells.extend([self.mask, self.overlay]);
        cells.extend(self.geojson);
        cells.extend(self.stability.map(|iou| format!("{iou:.4}")));
        cells
    }
}

fn predict_one(input: &Input, args: &Predict, segmenter: &Segmenter, style: &OverlayStyle) -> anyhow::Result<Row> {
    let out = &args.out;
    let (image, notes, result) = segment_file(segmenter, &input.path)?;
    let (width, height) = image.dimensions();
    let file = |suffix: &str| format!("{}_{suffix}.png", input.stem);
    let (mask, soft, over) = (file("mask"), file("soft"), file("overlay"));
    write_png(&out.join(&mask), &mask_png(&result.mask, width, height, style.threshold)?.into())?;
    write_png(&out.join(&soft), &soft_png(&result.mask, width, height)?.into())?;
    write_png(&out.join(&over), &overlay(&image, &result.mask, None, style)?.into())?;
    let class = result.class.and_then(|class| segmenter.card().classes.get(class).cloned());
    let geojson = args.geojson.then(|| format!("{}.geojson", input.stem));
    if let Some(file) = &geojson {
        let name = class.as_deref().unwrap_or("foreground");
        let outlines = outline::geojson(&result.mask, width as usize, height as usize, style.threshold, name);
        atomic::write(&out.join(file), outlines.as_bytes())?;
    }
    let stability = if args.trust {
        Some(flip_stability(segmenter, &image, &result.mask, result.class, style.threshold)?)
    } else {
        None
    };
    let foreground = result.mask.iter().filter(|&&value| value >= style.threshold).count();
    Ok(Row {
        path: input.path.display().to_string(),
        class,
        probability: result.class.and_then(|class| result.probabilities.get(class).copied()),
        foreground: 100.0 * foreground as f64 / result.mask.len().max(1) as f64,
        uncertainty: result.background_uncertainty,
        probabilities: result.probabilities,
        mask,
        overlay: over,
        geojson,
        stability,
        nearly_black: notes.unused_bits.is_some(),
    })
}

/// Writes a PNG whole or not at all.
fn write_png(path: &Path, image: &DynamicImage) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(image.as_bytes(), image.width(), image.height(), image.color().into())
        .with_context(|| path.display().to_string())?;
    Ok(atomic::write(path, &bytes)?)
}

fn write_table(out: &Path, table: &[Vec<String>]) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in table {
        writer.write_record(row)?;
    }
    Ok(atomic::write(&out.join("predictions.csv"), &writer.into_inner()?)?)
}

fn write_run(
    args: &Predict,
    model: &ModelFile,
    method: MethodKind,
    device: &str,
    threshold: f64,
    images: usize,
    failed: &[serde_json::Value],
) -> anyhow::Result<()> {
    let run = json!({
        "schema": 1,
        "histomask": env!("CARGO_PKG_VERSION"),
        "command": std::env::args().collect::<Vec<_>>(),
        "model": model.name(),
        "model_sha256": crate::weights::sha256(&model.bytes),
        "method": method,
        "device": device,
        "threshold": threshold,
        "images": images,
        "failed": failed,
    });
    Ok(atomic::write(&args.out.join("run.json"), &serde_json::to_vec_pretty(&run)?)?)
}

/// Files, folders (their images, sorted) and globs, each image once, each with a name of its own.
fn expand(inputs: &[PathBuf], left_out: &mut LeftOut) -> anyhow::Result<Vec<Input>> {
    let mut paths = Vec::new();
    for input in inputs {
        if input.is_dir() {
            paths.extend(images_in(input, left_out)?);
        } else if input.exists() {
            paths.push(input.clone());
        } else {
            let pattern = input.to_string_lossy();
            let matches =
                glob::glob(&pattern_of(input)).with_context(|| format!("{pattern}: neither a file nor a pattern"))?;
            let mut found: Vec<_> = matches.collect::<Result<_, _>>()?;
            found.retain(|path| {
                let hidden = is_litter(&path.file_name().unwrap_or_default().to_string_lossy());
                if hidden {
                    left_out.add(Reason::Hidden, path);
                }
                !hidden
            });
            if found.is_empty() {
                bail!("{pattern}: no such file, and nothing matches it as a pattern");
            }
            paths.extend(found);
        }
    }
    if paths.is_empty() {
        bail!("no images found; image files end in {}", IMAGE_EXTENSIONS.join(", "));
    }
    let mut seen = BTreeSet::new();
    // `a.png` and `./a.png` are one
    let plain = |path: &Path| -> PathBuf { std::path::absolute(path).unwrap_or_else(|_| path.to_owned()) };
    paths.retain(|path| seen.insert(plain(path)));
    let mut taken = BTreeSet::new();
    let named = paths.into_iter().map(|path| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        // an insert that succeeds is a name nobody has, also where letters of either case or form are the same
        let plain = |name: &str| nfc(name).to_lowercase();
        let free = std::iter::once(stem.clone()).chain(numbered).find(|name| taken.insert(plain(name)));
        Input { path, stem: free.unwrap_or(stem) }
    });
    Ok(named.collect())
}

/// Results named after the inputs must not lie among them: `x_mask.png` may be the true mask of `x.png`.
fn refuse_folder_of_inputs(out: &Path, images: &[Input]) -> anyhow::Result<()> {
    let Ok(out) = out.canonicalize() else { return Ok(()) };
    let folder = |input: &Input| input.path.canonicalize().ok()?.parent().map(Path::to_owned);
    if images.iter().any(|input| folder(input).as_ref() == Some(&out)) {
        bail!(
            "{}: images to predict lie in this folder, and results could replace files of yours; name another --out",
            out.display()
        );
    }
    Ok(())
}

/// The part of a pattern that names an existing folder stands for itself, whatever characters it has.
fn pattern_of(input: &Path) -> String {
    let folder = input.ancestors().skip(1).find(|folder| !folder.as_os_str().is_empty() && folder.is_dir());
    let Some(folder) = folder else { return input.to_string_lossy().into_owned() };
    let rest = input.strip_prefix(folder).unwrap_or(input).to_string_lossy().into_owned();
    let escaped = glob::Pattern::escape(&folder.to_string_lossy());
    format!("{}/{rest}", escaped.trim_end_matches('/'))
}

/// The images of a folder and of those below it, by name.
fn images_in(folder: &Path, left_out: &mut LeftOut) -> anyhow::Result<Vec<PathBuf>> {
    let paths =
        walk(folder, left_out, &mut BTreeSet::new()).with_context(|| format!("{}: cannot list", folder.display()))?;
    if paths.is_empty() {
        bail!("{}: no images in this folder; image files end in {}", folder.display(), IMAGE_EXTENSIONS.join(", "));
    }
    Ok(paths)
}

/// Folders already seen are not entered again: a link may lead back to one above.
fn walk(folder: &Path, left_out: &mut LeftOut, seen: &mut BTreeSet<PathBuf>) -> std::io::Result<Vec<PathBuf>> {
    if !seen.insert(folder.canonicalize()?) {
        return Ok(Vec::new());
    }
    let mut entries = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    let mut paths = Vec::new();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_litter(&name) {
            left_out.add(Reason::Hidden, &path);
        } else if path.is_dir() {
            let below = walk(&path, left_out, seen)?;
            // a folder that is named as an image and holds none was meant to be one
            if below.is_empty() && is_picture(&name) {
                paths.push(path);
            }
            paths.extend(below);
        } else if is_picture(&name) {
            paths.push(path);
        } else if is_other_picture(&name) {
            left_out.add(Reason::Unreadable, &path);
        }
    }
    Ok(paths)
}
