use anyhow::{bail, ensure};
use histomask_core::whole_slide::SlideModel;

use crate::arguments::{Predict, WholeSlides};
use crate::console::{Console, Exit};
use crate::data::LeftOut;
use crate::device::{Chosen, Trial};
use crate::interrupt;
use crate::job::{self, Input, MapRange, ModelFile, SlideSettings, inputs, refuse_folder_of_inputs};
use crate::report::OverlayStyle;
use crate::weights::sha256;

pub(crate) fn run(args: &Predict, console: &Console) -> anyhow::Result<Exit> {
    check(args)?;
    let mut left_out = LeftOut::default();
    let all = inputs(&args.inputs, &mut left_out)?;
    refuse_folder_of_inputs(&args.out, all.iter().map(|input| input.path.as_path()))?;
    let (slides, images): (Vec<_>, Vec<_>) = shard(args, all).into_iter().partition(|input| input.slide);
    let model = ModelFile::open(args.using.model.as_deref())?;
    let read = model.read(args.using.method)?;
    let chosen = super::open_device(&args.using.images.device, || Ok(read.clone()), console)?;

    // what is wrong with the call is told before any work
    let slides = match slides.is_empty() {
        true => None,
        false => Some(slides_job(args, slides, &model, &read, &chosen, console)?),
    };
    let mut exit = Exit::Fine;
    // without any input of a shard there is still a table, of nothing
    if !images.is_empty() || slides.is_none() {
        exit = predict_images(args, images, &model, read.clone(), &chosen, console)?;
    }
    if let Some(job) = slides.filter(|_| !interrupt::asked())
        && predict_slides(&job, console)?
    {
        exit = Exit::SomeFailed;
    }
    left_out.lines().iter().for_each(|line| console.say(line));
    if interrupt::asked() {
        return Ok(Exit::Interrupted);
    }
    args.using.images.refuse(&left_out, "were")?;
    Ok(exit)
}

fn check(args: &Predict) -> anyhow::Result<()> {
    if !(0.0..=1.0).contains(&args.opacity) {
        bail!("--opacity {} is not between 0 and 1", args.opacity);
    }
    if args.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        bail!("--threshold must be between 0 and 1");
    }
    ensure!(args.simplify.is_finite() && args.simplify >= 0.0, "--simplify must be 0 or more pixels");
    for (name, mpp) in [("--mpp", args.slides.mpp), ("--slide-mpp", args.slides.slide_mpp)] {
        ensure!(mpp.is_none_or(|mpp| mpp.is_finite() && mpp > 0.0), "{name} is no size of a pixel");
    }
    let WholeSlides { tissue, roi, truth, .. } = &args.slides;
    for (name, path) in [("--tissue", tissue), ("--roi", roi), ("--truth", truth)] {
        if let Some(path) = path {
            ensure!(path.exists(), "{name} {}: no such file or folder", path.display());
        }
    }
    Ok(())
}

/// The inputs of this shard.
fn shard(args: &Predict, all: Vec<Input>) -> Vec<Input> {
    let [number, count] = args.slides.shard.unwrap_or([1, 1]);
    all.into_iter().enumerate().filter(|(index, _)| index % count + 1 == number).map(|(_, input)| input).collect()
}

/// Follows the names of a shard's tables.
fn suffix(args: &Predict) -> String {
    args.slides.shard.map_or_else(String::new, |[number, count]| format!("-{number}of{count}"))
}

fn style(args: &Predict, threshold: f64) -> OverlayStyle {
    OverlayStyle { threshold: threshold as f32, opacity: args.opacity as f32, colormap: args.colormap, contour: true }
}

fn predict_images(
    args: &Predict,
    images: Vec<Input>,
    model: &ModelFile,
    read: Trial,
    chosen: &Chosen,
    console: &Console,
) -> anyhow::Result<Exit> {
    let segmenter = model.segmenter(read, &chosen.device)?;
    let card = segmenter.card();
    console.say(&format!(
        "model: {} ({}; classes {}; {})",
        model.name(),
        card.model.method.title(),
        card.classes.join(", "),
        card.intended_use
    ));
    let threshold = args.threshold.unwrap_or(card.threshold);
    let job = job::Predict {
        images,
        model: model.clone(),
        segmenter,
        device: chosen.name.clone(),
        style: style(args, threshold),
        threshold,
        geojson: args.geojson,
        simplify: args.simplify,
        trust: args.using.trust,
        suffix: suffix(args),
        out: args.out.clone(),
    };
    let predicted = job.run(console)?;
    let seen = predicted.images() + predicted.failed();
    if seen < job.images.len() {
        console.say(&format!("stopped after {seen} of {} images", job.images.len()));
    }
    console.say(&format!("{} images in {}", predicted.images(), job.out.display()));
    if predicted.failed() > 0 {
        console.warn(&format!("{} of {} images failed; run.json lists them", predicted.failed(), job.images.len()));
        return Ok(Exit::SomeFailed);
    }
    Ok(Exit::Fine)
}

/// The prediction of slides, with all that can be said against it before it begins.
fn slides_job(
    args: &Predict,
    slides: Vec<Input>,
    file: &ModelFile,
    read: &Trial,
    chosen: &Chosen,
    console: &Console,
) -> anyhow::Result<job::PredictSlides> {
    let options = &args.slides;
    let load = |card| file.segmenter(Trial { card, weights: read.weights.clone() }, &chosen.device);
    let model = pollster::block_on(SlideModel::new(&read.card, options.tile.map(|tile| tile as usize), load))?;
    let (card, patch) = (&model.card, model.patch);
    let Some(mpp) = options.mpp.or(card.mpp) else {
        bail!(
            "{}: its card does not say at how many microns per pixel it was trained; name them with --mpp (those of the \
             training images after their resize), or train with --data.mpp",
            file.name()
        );
    };
    ensure!(
        options.range == MapRange::Patch || model.whole.is_some(),
        "--range slide: {} sees further than a window of {patch} pixels, so windows are segmented one by one and blended, \
         and there are no maps to scale over the slide; leave --range out, or train with fewer --model.backbone-blocks",
        file.name()
    );
    for (name, path) in [("--tissue", &options.tissue), ("--roi", &options.roi), ("--truth", &options.truth)] {
        if path.as_ref().is_some_and(|path| path.is_file()) && slides.len() > 1 {
            bail!("{name} names one file, but there are {} slides; name a folder with a file for each", slides.len());
        }
    }
    console.say(&format!(
        "model: {} ({}; classes {}; {}) at {mpp} µm per pixel, windows of {patch}; {}",
        file.name(),
        card.model.method.title(),
        card.classes.join(", "),
        card.intended_use,
        model.about()
    ));
    if args.using.trust {
        console.warn("--trust is measured on pictures; of slides nothing more is measured");
    }
    let threshold = args.threshold.unwrap_or(card.threshold);
    Ok(job::PredictSlides {
        slides,
        model,
        model_name: file.name(),
        model_sha256: sha256(&file.bytes),
        device: chosen.name.clone(),
        settings: SlideSettings {
            mpp,
            slide_mpp: options.slide_mpp,
            patch,
            range: options.range,
            strict: args.using.images.strict,
        },
        style: style(args, threshold),
        threshold,
        simplify: args.simplify,
        tissue: options.tissue.clone(),
        roi: options.roi.clone(),
        truth: options.truth.clone(),
        suffix: suffix(args),
        out: args.out.clone(),
    })
}

/// Whether some slide failed.
fn predict_slides(job: &job::PredictSlides, console: &Console) -> anyhow::Result<bool> {
    let predicted = job.run(console)?;
    console.say(&format!("{} slides in {}", predicted.slides(), job.out.display()));
    if let Some(scored) = predicted.scored() {
        console.say(&scored);
    }
    if interrupt::asked() {
        console.say("stopped; the same command goes on where it was");
    }
    if predicted.failed() > 0 {
        console.warn(&format!("{} of {} slides failed; slides.json lists them", predicted.failed(), job.slides.len()));
    }
    Ok(predicted.failed() > 0 || predicted.is_damaged())
}
