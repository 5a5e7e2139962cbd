//! The runs that the paper's artefacts need: said beforehand, trained and judged where they are missing, then drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use histomask_core::MethodKind;
use serde_json::{Value, json};

use super::finish::{Trained, finish};
use super::judge::{Judge, Judged};
use super::watch::Watch;
use crate::atomic;
use crate::data::SplitChoice;
use crate::interrupt;
use crate::method::MethodChoice;
use crate::plain_text;
use crate::reproduce::{
    Artefact, Asked, Estimator, Made, Material, Plan, Recipe, Run, Source, State, Study, Sweeps, draw, in_words, plan,
    text, write,
};
use crate::trust::{Options, probe};

/// Checks every data set before any work; `split` is the one asked for.
pub(crate) fn open(
    recipe: &Recipe,
    paths: &BTreeMap<Source, PathBuf>,
    folds: &[usize],
    split: Option<SplitChoice>,
    watch: &dyn Watch,
) -> anyhow::Result<BTreeMap<Source, Material>> {
    let mut materials = BTreeMap::new();
    for (&source, path) in paths {
        watch.say(&format!("checking {} in {}", source.name(), path.display()));
        let config = recipe.base(source, MethodChoice::Of(MethodKind::MaxMin))?.data;
        let material = Material::open(source, path, &config, folds)?;
        if split.is_none() && material.judged(None) == SplitChoice::Valid {
            watch.warn(&format!(
                "{}: no test images here; results are on the validation images, which also choose the epoch (--split)",
                path.display()
            ));
        }
        materials.insert(source, material);
    }
    Ok(materials)
}

/// Says what each artefact trains, and how long that takes, before anything is trained.
pub(crate) fn announce(
    study: &Study,
    artefacts: &[Artefact],
    sweeps: &Sweeps,
    watch: &dyn Watch,
) -> anyhow::Result<()> {
    let plans: Vec<(Artefact, Option<Plan>)> = artefacts.iter().map(|&a| (a, plan(a, sweeps))).collect();
    let runs = |plan: &Option<Plan>| plan.as_ref().map_or_else(|| Ok(vec![]), |plan| study.all_runs(plan));
    let mut estimator = Estimator::default();
    for (_, plan) in &plans {
        for run in runs(plan)? {
            let (folder, profile, dataset) = (&run.folder, &run.profile, &study.opened(&run)?.0);
            estimator.learn(Asked { folder, profile, dataset });
        }
    }
    let (mut seen, mut total, mut left) = (BTreeSet::new(), 0.0, 0);
    for (artefact, plan) in &plans {
        let mut new = runs(plan)?;
        let all = new.iter().map(|run| run.folder.path().to_owned()).collect::<BTreeSet<_>>().len();
        new.retain(|run| run.state() != State::Ready && seen.insert(run.folder.path().to_owned()));
        let (mut seconds, mut methods) = (0.0, BTreeMap::<(&str, usize), (usize, f64)>::new());
        for run in &new {
            if interrupt::asked() {
                return Ok(());
            }
            let (folder, profile, dataset) = (&run.folder, &run.profile, &study.opened(run)?.0);
            let of_run = estimator.left(Asked { folder, profile, dataset }, &study.chosen)?;
            seconds += of_run;
            let sum = methods.entry((run.profile.model.method.name(), run.profile.train.epochs)).or_default();
            *sum = (sum.0 + 1, sum.1 + of_run);
        }
        total += seconds;
        left += new.len();
        let work = match (all, new.len()) {
            (0, _) => "nothing to train".to_owned(),
            (all, 0) => format!("{all} runs, none of them to train here"),
            (all, new) => format!("{all} runs, {new} to train: about {}", in_words(seconds)),
        };
        watch.say(&format!("{}: {work}", artefact.name()));
        for ((method, epochs), (runs, seconds)) in methods {
            watch.say(&format!("  {method}: {runs} x {epochs} epochs, about {}", in_words(seconds)));
        }
    }
    if left > 0 {
        watch.say(&format!("{left} runs to train on {}, about {} in all", study.chosen.name, in_words(total)));
    }
    Ok(())
}

/// Trains and evaluates what is missing, then writes the artefact; none if the user stopped it.
pub(crate) fn make(
    study: &Study,
    artefact: Artefact,
    sweeps: &Sweeps,
    watch: &dyn Watch,
) -> anyhow::Result<Option<PathBuf>> {
    let plan = plan(artefact, sweeps);
    if let Some(plan) = &plan {
        let splits = study.splits(plan)?;
        for run in study.all_runs(plan)? {
            if !trained(study, &run, watch)? {
                return Ok(None);
            }
            if run.state() != State::Ready {
                continue;
            }
            for run in std::iter::once(run.clone()).chain(run.on_the_way().filter(|_| plan.followed)) {
                for &split in &splits {
                    if !evaluated(study, &run, split, watch)? {
                        return Ok(None);
                    }
                }
                if plan.followed && !probed(study, &run, watch)? {
                    return Ok(None);
                }
            }
        }
    }
    let mut drawn = draw(study, artefact, sweeps)?;
    if interrupt::asked() {
        return Ok(None);
    }
    if let Some(plan) = &plan {
        drawn.notes.extend(study.failures(plan)?.into_iter().map(|failure| format!("Left out: {failure}")));
    }
    if study.recipe.quick {
        drawn.notes.insert(0, "A quick look on synthetic tissue: the numbers say nothing about the paper's.".into());
    }
    let (made, context) = circumstances(study, artefact)?;
    let page = write(&study.out, artefact, &drawn, &made, &context)?;
    let stand_in = if study.recipe.quick { " (quick look on synthetic tissue)" } else { "" };
    watch.show(&format!("{}{stand_in}", artefact.title()))?;
    for table in &drawn.tables {
        watch.show(&text(table))?;
    }
    watch.show(&format!("files: {}\n", study.out.join(artefact.name()).display()))?;
    Ok(Some(page))
}

/// Brings a run to its end; false if the user stopped it.
fn trained(study: &Study, run: &Run, watch: &dyn Watch) -> anyhow::Result<bool> {
    if run.state() == State::Ready || study.failed.borrow().contains_key(run.folder.path()) {
        return Ok(true);
    }
    let (dataset, summary) = study.opened(run)?;
    let job = super::Run {
        profile: run.profile.clone(),
        dataset: dataset.clone(),
        summary: summary.clone(),
        data: study.material(run.source)?.path.clone(),
        chosen: study.chosen.clone(),
        folder: run.folder.clone(),
        resume: false,
    };
    match finish(job, watch)? {
        Trained::Interrupted => return Ok(false),
        Trained::Finished => {}
        Trained::Failed(reason) => {
            watch.warn(&format!("{}: {reason}", run.folder.path().display()));
            study.failed.borrow_mut().insert(run.folder.path().to_owned(), reason);
        }
    }
    Ok(true)
}

/// Judges a run on a split unless that was done; false if the user stopped it.
fn evaluated(study: &Study, run: &Run, split: SplitChoice, watch: &dyn Watch) -> anyhow::Result<bool> {
    let samples = study.samples(run, split)?;
    let failed = study.failed.borrow().contains_key(run.folder.path());
    if samples.is_empty() || failed || study.scores(run, split)?.is_some() {
        return Ok(true);
    }
    let judge = Judge {
        segmenter: &study.segmenter(run)?,
        samples: &samples,
        split: split.name(),
        config: &run.profile.evaluation,
        model: run.model(),
        data: &study.material(run.source)?.path,
        device: &study.chosen.name,
        folder: &run.evaluation(split),
    };
    let of_epoch = run.epoch.map(|epoch| format!(" after epoch {epoch}")).unwrap_or_default();
    match judge.run(&format!("{}{of_epoch} on {}", run.read_as, split.name()), watch)? {
        Judged::Stopped => return Ok(false),
        Judged::Whole(_) => {}
        Judged::Failed(reason) => {
            study.failed.borrow_mut().insert(run.folder.path().to_owned(), reason);
        }
    }
    Ok(true)
}

/// Has probes judge the masks of the reported images unless that was done; false if the user stopped it.
fn probed(study: &Study, run: &Run, watch: &dyn Watch) -> anyhow::Result<bool> {
    let split = study.judged(run.source)?;
    let (path, samples) = (run.probes(split), study.samples(run, split)?);
    if path.exists() || study.failed.borrow().contains_key(run.folder.path()) {
        return Ok(true);
    }
    let count = watch.count(samples.len(), &format!("probes on {}", split.name()));
    let folds = Options::default().folds;
    let found = probe(&study.segmenter(run)?, &study.chosen.device, &samples, folds, &|done| count.set(done, ""))?;
    drop(count);
    if interrupt::asked() {
        return Ok(false);
    }
    // too few images for probes are none, and stay so
    atomic::write(&path, &serde_json::to_vec_pretty(&found)?)?;
    Ok(true)
}

/// How an artefact was made, for people and for programs.
fn circumstances(study: &Study, artefact: Artefact) -> anyhow::Result<(Made, Value)> {
    let list = |numbers: &[String]| numbers.join(", ");
    let seeds: Vec<String> = study.seeds.iter().map(ToString::to_string).collect();
    let folds: Vec<String> = study.folds.iter().map(ToString::to_string).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let command = plain_text::command();
    let mut made: Made = vec![
        ("Command".into(), command.join(" ")),
        ("Device".into(), format!("{}, {threads} threads", study.chosen.name)),
        ("Version".into(), env!("CARGO_PKG_VERSION").into()),
    ];
    let mut data = Value::Null;
    if let Some(source) = artefact.source() {
        let material = study.material(source)?;
        let hashes: Vec<_> = material.folds.values().map(|(_, summary)| summary.hash.clone()).collect();
        let judged = study.judged(source)?.name();
        let own = artefact.profile();
        let profile = match own {
            Some(own) => study.recipe.from(own)?,
            None => study.recipe.base(source, MethodChoice::MaxMinSem)?,
        };
        made.extend([
            ("Data".into(), format!("{} ({})", material.path.display(), hashes.join(", "))),
            ("Images reported on".into(), judged.into()),
            ("Seeds".into(), list(&seeds)),
            ("Folds".into(), list(&folds)),
            (
                "Training".into(),
                study.recipe.profile.as_deref().or(own).unwrap_or("each method's published settings").into(),
            ),
            ("Backbone".into(), format!("{} from {} weights", profile.model.backbone.name(), profile.weights)),
        ]);
        data = json!({ "path": plain_text::of_path(&material.path), "hashes": hashes, "reported_on": judged });
    }
    let context = json!({
        "histomask": env!("CARGO_PKG_VERSION"),
        "command": command,
        "device": study.chosen.name,
        "threads": threads,
        "quick": study.recipe.quick,
        "seeds": study.seeds,
        "folds": study.folds,
        "data": data,
    });
    Ok((made, context))
}
