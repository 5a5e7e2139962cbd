use anyhow::bail;

use crate::arguments::Predict;
use crate::console::{Console, Exit};
use crate::data::LeftOut;
use crate::interrupt;
use crate::job::{self, ModelFile, inputs, refuse_folder_of_inputs};
use crate::report::OverlayStyle;

pub(crate) fn run(args: &Predict, console: &Console) -> anyhow::Result<Exit> {
    let mut left_out = LeftOut::default();
    let job = resolve(args, &mut left_out, console)?;
    let predicted = job.run(console)?;
    console.say(&format!("{} images in {}", predicted.images(), job.out.display()));
    left_out.lines().iter().for_each(|line| console.say(line));
    if interrupt::asked() {
        return Ok(Exit::Interrupted);
    }
    args.using.images.refuse(&left_out, "were")?;
    if predicted.failed() > 0 {
        console.warn(&format!("{} of {} images failed; run.json lists them", predicted.failed(), job.images.len()));
        return Ok(Exit::SomeFailed);
    }
    Ok(Exit::Fine)
}

fn resolve(args: &Predict, left_out: &mut LeftOut, console: &Console) -> anyhow::Result<job::Predict> {
    if !(0.0..=1.0).contains(&args.opacity) {
        bail!("--opacity {} is not between 0 and 1", args.opacity);
    }
    if args.threshold.is_some_and(|threshold| !(0.0..=1.0).contains(&threshold)) {
        bail!("--threshold must be between 0 and 1");
    }
    let images = inputs(&args.inputs, left_out)?;
    refuse_folder_of_inputs(&args.out, &images)?;
    let model = ModelFile::open(args.using.model.as_deref())?;
    let read = model.read(args.using.method)?;
    let chosen = super::open_device(&args.using.images.device, || Ok(read.clone()), console)?;
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
    let style = OverlayStyle {
        threshold: threshold as f32,
        opacity: args.opacity as f32,
        colormap: args.colormap,
        contour: true,
    };
    Ok(job::Predict {
        images,
        model,
        segmenter,
        device: chosen.name,
        style,
        threshold,
        geojson: args.geojson,
        trust: args.using.trust,
        out: args.out.clone(),
    })
}
