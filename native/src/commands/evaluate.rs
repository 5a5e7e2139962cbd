use anyhow::bail;
use histomask_core::{MethodKind, ModelCard, Segmenter};

use crate::arguments::Evaluate;
use crate::console::{Console, Exit};
use crate::data::Dataset;
use crate::job::{self, ModelFile, refuse_folder_of_inputs, summary};
use crate::profile::Profile;
use crate::train::RunFolder;
use crate::weights::sha256;
use crate::{interrupt, trust};

pub(crate) fn run(args: &Evaluate, console: &Console) -> anyhow::Result<Exit> {
    let job = resolve(args, console)?;
    let Some((evaluation, trust)) = job.run(console)? else { return Ok(Exit::Interrupted) };
    evaluation.cautions.iter().for_each(|caution| console.warn(caution));
    console.print(&summary(&evaluation, job.split.name()))?;
    if let Some(trust) = &trust {
        console.print(&trust::text(trust))?;
    }
    job.dataset.left_out.lines().iter().for_each(|line| console.say(line));
    args.using.images.refuse(&job.dataset.left_out, "were")?;
    console.say(&format!("results and report.html in {}", job.out.display()));
    for (path, error) in &evaluation.failed {
        console.warn(&format!("{}: {error}", path.display()));
    }
    let some_failed = !evaluation.failed.is_empty() || trust.is_some_and(|trust| !trust.failed.is_empty());
    Ok(match (interrupt::asked(), some_failed) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::SomeFailed,
        (false, false) => Exit::Fine,
    })
}

fn resolve(args: &Evaluate, console: &Console) -> anyhow::Result<job::Evaluate> {
    let using = &args.using;
    let all_ones = using.method.is_some_and(|method| method.kind() == MethodKind::AllOnes);
    if all_ones && using.model.is_some() {
        bail!("all-ones is no model: leave --model out");
    }
    let model = ModelFile::open(using.model.as_deref())?;
    let of_run = RunFolder::new(model.folder()).profile();
    let base = match &args.profile {
        Some(name) => Profile::resolve(name)?,
        None if model.path.is_some() && of_run.exists() => Profile::from_file(&of_run)?,
        None => Profile::default(),
    };
    let profile = args.settings.apply(base)?;
    let known = if all_ones { Vec::new() } else { model.classes()? };
    let dataset = Dataset::open_for(&args.data, &profile.data, &known)?;
    dataset.warnings.iter().for_each(|warning| console.warn(warning));
    let split = args.split.name();
    if args.split.samples(&dataset).is_empty() {
        bail!("{}: the {split} split has no images; choose another --split", args.data.display());
    }
    let read = model.read(using.method.filter(|_| !all_ones))?;
    let chosen = super::open_device(&using.images.device, || Ok(read.clone()), console)?;
    let segmenter = if all_ones {
        let card = ModelCard::all_ones(dataset.classes.clone(), profile.input.preprocess());
        Segmenter::new(card.model.init(card.classes.len(), &chosen.device), card, &chosen.device)
    } else {
        model.segmenter(read, &chosen.device)?
    };
    if segmenter.card().classes != dataset.classes {
        bail!(
            "{}: the model knows the classes {}, the data set has {}; evaluate it on data of its own classes",
            model.name(),
            segmenter.card().classes.join(", "),
            dataset.classes.join(", "),
        );
    }
    let model_folder = model.folder();
    let (folder, model) = if all_ones {
        (format!("evaluation-all-ones-{split}"), (MethodKind::AllOnes.title().to_owned(), None))
    } else {
        (format!("evaluation-{split}"), (model.name(), Some(sha256(&model.bytes))))
    };
    let out = args.out.clone().unwrap_or_else(|| model_folder.join(folder));
    refuse_folder_of_inputs(&out, dataset.samples().map(|(_, sample)| sample.image.as_path()))?;
    Ok(job::Evaluate { profile, dataset, split: args.split, chosen, segmenter, model, trust: using.trust, out })
}
