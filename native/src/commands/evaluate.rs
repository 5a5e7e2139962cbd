use std::path::Path;

use anyhow::bail;
use histomask_core::{Device, MethodKind, ModelCard, Segmenter};
use serde_json::json;

use crate::arguments::Evaluate;
use crate::console::{Console, Exit};
use crate::data::{Dataset, SplitChoice};
use crate::evaluate::{Evaluation, evaluate, holds_complete, write_results};
use crate::job::{ModelFile, evaluation_report, summary};
use crate::profile::{self, Profile};
use crate::train::RunFolder;
use crate::trust::{self, TemperatureFrom, Trust};
use crate::{atomic, interrupt};

pub(crate) fn run(args: &Evaluate, keys: Option<&clap::ArgMatches>, console: &Console) -> anyhow::Result<Exit> {
    let all_ones = args.method.is_some_and(|method| method.kind() == MethodKind::AllOnes);
    if all_ones && args.model.is_some() {
        bail!("all-ones is no model: leave --model out");
    }
    let model = ModelFile::open(args.model.as_deref())?;
    let of_run = RunFolder::new(model.folder()).profile();
    let base = match &args.profile {
        Some(name) => Profile::resolve(name)?,
        None if model.path.is_some() && of_run.exists() => Profile::from_file(&of_run)?,
        None => Profile::named(Profile::DEFAULT)?,
    };
    let profile = match keys {
        Some(keys) => profile::apply(keys, base)?,
        None => base,
    };
    let known = if all_ones { Vec::new() } else { model.classes()? };
    let dataset = Dataset::open_for(&args.data, &profile.data, &known)?;
    dataset.warnings.iter().for_each(|warning| console.warn(warning));
    let (split, samples) = (args.split.name(), args.split.samples(&dataset));
    if samples.is_empty() {
        bail!("{}: the {split} split has no images; choose another --split", args.data.display());
    }
    let chosen = super::open_device(&args.device, console)?;
    let segmenter = if all_ones {
        let card = ModelCard::all_ones(dataset.classes.clone(), profile.input.preprocess());
        Segmenter::new(card.model.init(card.classes.len(), &chosen.device), card, &chosen.device)
    } else {
        model.segmenter(&chosen.device, args.method)?
    };
    if segmenter.card().classes != dataset.classes {
        bail!(
            "{}: the model knows the classes {}, the data set has {}; evaluate it on data of its own classes",
            model.name(),
            segmenter.card().classes.join(", "),
            dataset.classes.join(", "),
        );
    }

    let bar = console.bar(samples.len(), "images");
    let evaluation = evaluate(&segmenter, &samples, &profile.evaluation, &|done, _| bar.set(done, ""));
    bar.finish();
    let name = if all_ones { format!("evaluation-all-ones-{split}") } else { format!("evaluation-{split}") };
    let out = args.out.clone().unwrap_or_else(|| model.folder().join(name));
    let (name, sha256) = if all_ones {
        (MethodKind::AllOnes.title().to_owned(), None)
    } else {
        (model.name(), Some(crate::weights::sha256(&model.bytes)))
    };
    let context = json!({
        "histomask": env!("CARGO_PKG_VERSION"),
        "command": std::env::args().collect::<Vec<_>>(),
        "model": name,
        "model_sha256": sha256,
        "data": dataset.root,
        "split": split,
        "device": chosen.name,
        "threshold": profile.evaluation.threshold,
    });
    if !evaluation.is_complete() && holds_complete(&out) {
        console.say(&format!("stopped; the complete evaluation in {} stays as it is", out.display()));
        return Ok(Exit::Interrupted);
    }
    write_results(&out, &evaluation, &context)?;
    let trust = match args.trust && !interrupt::asked() {
        true => Some(trust_of(&segmenter, &chosen.device, &dataset, args.split, &evaluation, &profile, console)?),
        false => None,
    };
    // a part of the images says nothing of the set
    let trust = trust.filter(|_| !interrupt::asked());
    if let Some(trust) = &trust {
        trust::write(&out, trust, &context)?;
    }
    let data = format!("{} {split}", dataset.name());
    let report = evaluation_report(&segmenter, &evaluation, &samples, &data, &context, trust.as_ref())?;
    atomic::write(&out.join("report.html"), report.as_bytes())?;
    evaluation.cautions.iter().for_each(|caution| console.warn(caution));
    console.print(&summary(&evaluation, split))?;
    if let Some(trust) = &trust {
        console.print(&trust::text(trust))?;
    }
    dataset.left_out.lines().iter().for_each(|line| console.say(line));
    if args.strict && dataset.left_out.matters() {
        bail!("--strict: files were left out, which are named above");
    }
    let exit = finish(&evaluation, &out, console)?;
    let untrusted = trust.is_some_and(|trust| !trust.failed.is_empty());
    Ok(if exit == Exit::Fine && untrusted { Exit::SomeFailed } else { exit })
}

/// `--trust`: the temperature comes from the validation images, unless they are among those measured.
fn trust_of(
    segmenter: &Segmenter,
    device: &Device,
    dataset: &Dataset,
    split: SplitChoice,
    evaluation: &Evaluation,
    profile: &Profile,
    console: &Console,
) -> anyhow::Result<Trust> {
    let samples = split.samples(dataset);
    let temperature = match split {
        SplitChoice::Train | SplitChoice::Test if !dataset.valid.is_empty() => TemperatureFrom::Samples(&dataset.valid),
        _ => TemperatureFrom::OtherFolds,
    };
    let options = trust::Options { threshold: profile.evaluation.threshold, ..trust::Options::default() };
    let groups = trust::groups(&samples);
    let bar = console.bar(samples.len(), "trust");
    let progress = |done| bar.set(done, "");
    let measured = trust::measure(segmenter, device, &samples, groups.as_deref(), temperature, options, &progress);
    bar.finish();
    let mut trust = measured?;
    trust.correlate(&evaluation.images);
    for (path, error) in &trust.failed {
        // what evaluation refused is told at the end
        if !evaluation.failed.iter().any(|(other, _)| other == path) {
            console.warn(&format!("trust: {}: {error}", path.display()));
        }
    }
    Ok(trust)
}

fn finish(evaluation: &Evaluation, out: &Path, console: &Console) -> anyhow::Result<Exit> {
    console.say(&format!("results and report.html in {}", out.display()));
    for (path, error) in &evaluation.failed {
        console.warn(&format!("{}: {error}", path.display()));
    }
    Ok(match (interrupt::asked(), evaluation.failed.is_empty()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Fine,
        (false, false) => Exit::SomeFailed,
    })
}
