use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use serde_json::json;

use crate::arguments::{Demo, DemoCamelyon, DemoOther};
use crate::atomic;
use crate::console::{Console, Exit};
use crate::data::{Dataset, Sample};
use crate::device::Trial;
use crate::evaluate::{Evaluation, evaluate, write_results};
use crate::job::{
    Count as _, ModelFile, Run, check_data, confusions, curves, gallery, mask_table, summary as in_lines,
    threshold_curve, verdict,
};
use crate::profile::Profile;
use crate::report::{Report, render};
use crate::synth::{SlideSetConfig, SynthConfig, write_dataset, write_slides};
use crate::train::{EpochRow, Outcome, RunFolder};
use crate::{interrupt, train};

/// The synthetic set: the patches' side in pixels, and the zoom that leaves a few glands on each.
const SIZE: u32 = 192;
const ZOOM: u32 = 2;

/// Percent points by which the masks must beat a mask that is foreground everywhere, in F1+ and in F1-.
const CLEARLY: f64 = 5.0;

pub(crate) fn run(args: &Demo, console: &Console) -> anyhow::Result<Exit> {
    if let Some(DemoOther::Camelyon(args)) = &args.other {
        return camelyon(args, console);
    }
    let start = Instant::now();
    let data = args.out.join("data");
    let folder = RunFolder::new(args.out.join("run"));
    if data.exists() || folder.path().exists() {
        bail!("{} holds an earlier demo; remove it, or name another folder with --out", args.out.display());
    }
    let mut profile = Profile::named("demo")?;
    profile.train.seed = profile.train.seed.wrapping_add(args.seed);
    profile.train.epochs = args.epochs.unwrap_or(profile.train.epochs);
    profile.validate()?;
    let classes = ["regular", "irregular"].map(str::to_owned);
    let chosen = super::open_device(&args.device, || Ok(Trial::untrained(&profile, &classes)), console)?;
    let per_class = usize::from(args.per_class);
    console.say(&format!("1/4 drawing {} synthetic patches", 2 * per_class));
    let config = SynthConfig { seed: args.seed, size: SIZE, zoom: ZOOM, per_class, ..SynthConfig::default() };
    write_dataset(&data, &config)?;

    console.say("2/4 training from image-level labels alone");
    let dataset = Dataset::open(&data, &profile.data)?;
    let summary = check_data(&dataset, console)?;
    let run = Run { profile, dataset, summary, data, chosen, folder, resume: false };
    if run.run(console)? == Outcome::Interrupted {
        return Ok(Exit::Interrupted);
    }

    let Run { profile, dataset, summary, data, chosen, folder, .. } = run;
    console.say(&format!("3/4 evaluating on {} unseen patches", dataset.test.len()));
    let model = ModelFile::open(Some(folder.path()))?;
    let segmenter = model.segmenter(model.read(None)?, &chosen.device)?;
    let count = console.bar(dataset.test.len(), "images");
    let evaluation = evaluate(&segmenter, &dataset.test, &profile.evaluation, &|done, _| count.set(done, ""));
    drop(count);
    evaluation.held_out()?;
    if interrupt::asked() {
        return Ok(Exit::Interrupted);
    }
    write_results(
        &args.out.join("evaluation"),
        &evaluation,
        &json!({ "data": data, "split": "test", "model": model.name() }),
    )?;

    console.say("4/4 predicting and writing the report");
    let history = train::read_history(&folder)?;
    let seconds = start.elapsed().as_secs_f64();
    let page =
        page(&segmenter, &evaluation, &dataset.test, &history, &facts(&chosen.name, &summary.hash, seconds, args))?;
    let report = args.out.join("report.html");
    atomic::write(&report, page.as_bytes())?;

    console.print(&in_lines(&evaluation, "test"))?;
    console.print(&format!("report: {}  ({seconds:.0} s)", report.display()))?;
    console.say(&next_steps(&folder, &data));
    if beats_all_ones(&evaluation) == Some(true) {
        return Ok(Exit::Fine);
    }
    console.warn("the masks do not clearly beat a mask that is foreground everywhere; another --seed may");
    Ok(Exit::SomeFailed)
}

/// Synthetic slides, and what to do with them.
fn camelyon(args: &DemoCamelyon, console: &Console) -> anyhow::Result<Exit> {
    let (training, test) = (usize::from(args.slides), usize::from(args.slides.div_ceil(2)));
    let config = SlideSetConfig { seed: args.seed, side: args.side, mpp: args.mpp, training, test };
    let count = console.bar(2 * (training + test), "slides");
    let mut done = 0;
    write_slides(&args.out, &config, |path| {
        done += 1;
        count.set(done, &path.file_name().unwrap_or_default().to_string_lossy());
        !interrupt::asked()
    })?;
    drop(count);
    if interrupt::asked() {
        console.say(&format!("stopped; remove {} before you begin again", args.out.display()));
        return Ok(Exit::Interrupted);
    }
    console.print(&format!("{done} synthetic slides: {}", args.out.display()))?;
    // patches of 128 microns, as Camelyon16's are
    let size = ((128.0 / args.mpp / 8.0).round().max(2.0) * 8.0) as u32;
    let size = if size == 512 { String::new() } else { format!(" --size {size}") };
    console.say(&format!(
        "try next:\n  histomask camelyon16 sample {}{size} --rounds 0.5 --chains 1 --out patches\n  \
         histomask train --data patches --profile paper-camelyon\n  \
         histomask reproduce table2 --camelyon patches",
        args.out.display()
    ));
    Ok(Exit::Fine)
}

/// Whether both F1 are clearly above those of a mask that is foreground everywhere.
fn beats_all_ones(evaluation: &Evaluation) -> Option<bool> {
    let masks = evaluation.masks.as_ref()?;
    Some(masks.f1_plus? > masks.all_ones_f1_plus? + CLEARLY && masks.f1_minus? > CLEARLY)
}

fn page(
    segmenter: &histomask_core::Segmenter,
    evaluation: &Evaluation,
    samples: &[Sample],
    history: &[EpochRow],
    facts: &[(String, String)],
) -> anyhow::Result<String> {
    let mut verdict = verdict(evaluation);
    verdict.push(match beats_all_ones(evaluation) {
        Some(true) => "Learnt from image-level labels alone, the masks clearly beat All-ones on both scores.".into(),
        _ => "The masks do not clearly beat All-ones in this run.".into(),
    });
    let report = Report {
        title: "histomask demo".into(),
        subtitle: "Synthetic gland-like tissue, unseen test patches".into(),
        verdict,
        tables: mask_table(evaluation).into_iter().collect(),
        confusion: confusions(evaluation, &segmenter.card().classes),
        curves: curves(history).into_iter().chain(threshold_curve(evaluation)).collect(),
        gallery: gallery(segmenter, evaluation, samples),
        facts: facts.to_vec(),
        notes: vec![
            "The tissue is drawn by a program; the numbers say that the method works, not how well on patients.".into(),
        ],
        ..Report::default()
    };
    Ok(render(&report)?)
}

fn facts(device: &str, hash: &str, seconds: f64, args: &Demo) -> Vec<(String, String)> {
    let epochs = args.epochs.map_or_else(String::new, |epochs| format!(" --epochs {epochs}"));
    let (seed, per_class, choice) = (args.seed, args.per_class, args.device.device);
    let command = format!("histomask demo --seed {seed} --per-class {per_class}{epochs} --device {choice}");
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    [
        ("Command", command),
        ("Device", format!("{device}, {threads} threads")),
        ("Duration", format!("{seconds:.0} s")),
        ("Data hash", hash.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

fn next_steps(run: &RunFolder, data: &Path) -> String {
    format!(
        "try next:\n  histomask predict {} --model {}\n  histomask train --data <your folder of labelled patches>",
        data.join("images").display(),
        run.path().display()
    )
}
