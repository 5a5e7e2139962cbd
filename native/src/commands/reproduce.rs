use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::progress::Progress;
use crate::arguments::Reproduce;
use crate::console::{Console, Exit};
use crate::data::SplitChoice;
use crate::evaluate::{evaluate, write_results};
use crate::method::MethodChoice;
use crate::reproduce::{
    Artefact, Estimator, Made, Material, MaterialError, Plan, Recipe, Run, Source, State, Study, Sweeps, draw,
    in_words, mask_state, plan, quick_data, text, write,
};
use crate::train::{Outcome, TrainError};
use crate::{interrupt, job};

pub(crate) fn run(args: &Reproduce, keys: Option<&clap::ArgMatches>, console: &Console) -> anyhow::Result<Exit> {
    let asked = |name: &str| args.artefacts.iter().any(|artefact| artefact.eq_ignore_ascii_case(name));
    if asked("list") {
        let line = |artefact: Artefact| {
            let data = artefact.source().map_or("no data", Source::name);
            format!("{:<8}{:<60}{data}", artefact.name(), artefact.title())
        };
        console.print(&Artefact::ALL.map(line).join("\n"))?;
        return Ok(Exit::Fine);
    }
    let (artefacts, left_out) = if asked("all") {
        with_data(args, console)
    } else {
        let named: BTreeSet<_> = args.artefacts.iter().filter_map(|name| Artefact::named(name)).collect();
        (named.into_iter().collect(), false)
    };
    let recipe = Recipe { profile: args.profile.as_deref(), keys, quick: args.quick };
    let paths = paths(args, &artefacts)?;
    let chosen = super::open_device(&args.device, console)?;
    let study = Study {
        recipe,
        seeds: args.seeds.clone(),
        folds: args.folds.clone(),
        split: args.split,
        out: args.out.clone(),
        chosen: &chosen,
        materials: open(args, &recipe, &paths, console)?,
        failed: BTreeMap::new().into(),
    };
    let sweeps = Sweeps { parameters: args.sweeps.clone(), quick: args.quick };
    announce(&study, &artefacts, &sweeps, console)?;
    if args.dry_run {
        return Ok(if left_out { Exit::SomeFailed } else { Exit::Fine });
    }
    let mut page = None;
    for &artefact in &artefacts {
        match make(&study, artefact, &sweeps, console)? {
            Some(path) => page = Some(path),
            None => {
                console.say("stopped; the same command goes on from there");
                return Ok(Exit::Interrupted);
            }
        }
    }
    if let Some(page) = page {
        console.say(&format!("report: {}", page.display()));
    }
    let some_failed = left_out || !study.failed.borrow().is_empty();
    Ok(if some_failed { Exit::SomeFailed } else { Exit::Fine })
}

/// The artefacts whose data was named, and whether others are left out.
fn with_data(args: &Reproduce, console: &Console) -> (Vec<Artefact>, bool) {
    let given = |source| args.quick || named(args, source).is_some();
    let (with, without): (Vec<_>, Vec<_>) =
        Artefact::ALL.into_iter().partition(|artefact| artefact.source().is_none_or(given));
    let sources: BTreeSet<_> = without.iter().filter_map(|artefact| artefact.source()).collect();
    for source in sources {
        let names: Vec<_> =
            without.iter().filter(|artefact| artefact.source() == Some(source)).map(|a| a.name()).collect();
        console.warn(&format!("left out for want of {}: {}; {}", source.name(), names.join(", "), source.directions()));
    }
    (with, !without.is_empty())
}

fn named(args: &Reproduce, source: Source) -> Option<&PathBuf> {
    match source {
        Source::Glas => args.data.as_ref(),
        Source::Camelyon => args.camelyon.as_ref(),
    }
}

/// Where each data set lies that is needed; refuses the first that is not there, before any work.
fn paths(args: &Reproduce, artefacts: &[Artefact]) -> anyhow::Result<BTreeMap<Source, PathBuf>> {
    let mut paths = BTreeMap::new();
    for artefact in artefacts {
        let Some(needed) = artefact.source() else { continue };
        let path = if args.quick {
            let path = args.out.join("synthetic").join(needed.flag().trim_start_matches('-'));
            quick_data(&path, needed)?;
            path
        } else {
            let artefact = artefact.name();
            let path = named(args, needed).ok_or(MaterialError::NotGiven { artefact, needed })?;
            if !path.exists() {
                return Err(MaterialError::Missing { artefact, needed, path: path.clone() }.into());
            }
            path.clone()
        };
        paths.insert(needed, path);
    }
    Ok(paths)
}

fn open(
    args: &Reproduce,
    recipe: &Recipe<'_>,
    paths: &BTreeMap<Source, PathBuf>,
    console: &Console,
) -> anyhow::Result<BTreeMap<Source, Material>> {
    let mut materials = BTreeMap::new();
    for (&source, path) in paths {
        console.say(&format!("checking {} in {}", source.name(), path.display()));
        let config = recipe.base(source, MethodChoice::MaxMin)?.data;
        let material = Material::open(source, path, &config, &args.folds)?;
        if args.split.is_none() && material.judged(None) == SplitChoice::Valid {
            console.warn(&format!(
                "{}: no test images here; results are on the validation images, which also choose the epoch (--split)",
                path.display()
            ));
        }
        materials.insert(source, material);
    }
    Ok(materials)
}

/// Says what each artefact trains, and how long that takes, before anything is trained.
fn announce(study: &Study<'_>, artefacts: &[Artefact], sweeps: &Sweeps, console: &Console) -> anyhow::Result<()> {
    let plans: Vec<(Artefact, Option<Plan>)> = artefacts.iter().map(|&a| (a, plan(a, sweeps))).collect();
    let runs = |plan: &Option<Plan>| plan.as_ref().map_or_else(|| Ok(vec![]), |plan| study.all_runs(plan));
    let mut estimator = Estimator::default();
    for (_, plan) in &plans {
        estimator.learn(&runs(plan)?);
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
            let of_run = estimator.seconds(study, run)?;
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
        console.say(&format!("{}: {work}", artefact.name()));
        for ((method, epochs), (runs, seconds)) in methods {
            console.say(&format!("  {method}: {runs} x {epochs} epochs, about {}", in_words(seconds)));
        }
    }
    if left > 0 {
        console.say(&format!("{left} runs to train on {}, about {} in all", study.chosen.name, in_words(total)));
    }
    Ok(())
}

/// Trains and evaluates what is missing, then writes the artefact; none if the user stopped it.
fn make(study: &Study<'_>, artefact: Artefact, sweeps: &Sweeps, console: &Console) -> anyhow::Result<Option<PathBuf>> {
    let plan = plan(artefact, sweeps);
    if let Some(plan) = &plan {
        let splits = study.splits(plan)?;
        for run in study.all_runs(plan)? {
            if !trained(study, &run, console)? {
                return Ok(None);
            }
            for &split in &splits {
                if run.state() == State::Ready && !evaluated(study, &run, split, console)? {
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
    console.print(&format!("{}{stand_in}", artefact.title()))?;
    for table in &drawn.tables {
        console.print(&text(table))?;
    }
    console.print(&format!("files: {}\n", study.out.join(artefact.name()).display()))?;
    Ok(Some(page))
}

/// Brings a run to its end; false if the user stopped it.
fn trained(study: &Study<'_>, run: &Run, console: &Console) -> anyhow::Result<bool> {
    let state = run.state();
    if state == State::Ready || study.failed.borrow().contains_key(run.folder.path()) {
        return Ok(true);
    }
    let material = study.material(run.source)?;
    let (dataset, summary) = material.folds.get(&run.fold()).context("a fold that was not opened")?;
    let job = job::Run {
        profile: &run.profile,
        dataset,
        summary,
        data: &material.path,
        chosen: study.chosen,
        folder: &run.folder,
        resume: state == State::Begun,
    };
    let watch = Progress::new(console, run.profile.train.epochs);
    match job::run_job(&job, &watch) {
        Ok(Outcome::Interrupted) => Ok(false),
        Ok(_) => {
            run.tidy();
            Ok(true)
        }
        Err(error) => match error.downcast_ref() {
            // this run cannot be had; the others can
            Some(TrainError::NoMasks | TrainError::NoLoss | TrainError::Diverged { .. }) => {
                console.warn(&format!("{}: {error}", run.folder.path().display()));
                study.failed.borrow_mut().insert(run.folder.path().to_owned(), error.to_string());
                Ok(true)
            }
            _ => Err(error),
        },
    }
}

/// Judges a run on a split unless that was done; false if the user stopped it.
fn evaluated(study: &Study<'_>, run: &Run, split: SplitChoice, console: &Console) -> anyhow::Result<bool> {
    let samples = study.samples(run, split)?;
    let failed = study.failed.borrow().contains_key(run.folder.path());
    if samples.is_empty() || failed || study.scores(run, split)?.is_some() {
        return Ok(true);
    }
    let segmenter = study.segmenter(run)?;
    let bar = console.bar(samples.len(), &format!("{} on {}", run.read_as, split.name()));
    let evaluation = evaluate(&segmenter, &samples, &run.profile.evaluation, &|done, _| bar.set(done, ""));
    bar.finish();
    if interrupt::asked() {
        return Ok(false);
    }
    for (path, error) in &evaluation.failed {
        console.warn(&format!("{}: {error}", path.display()));
    }
    if let Some((path, _)) = evaluation.failed.first() {
        let (count, of) = (evaluation.failed.len(), evaluation.samples);
        let reason = format!("{count} of {of} {} images failed (first {})", split.name(), path.display());
        study.failed.borrow_mut().insert(run.folder.path().to_owned(), reason);
    }
    let context = json!({
        "histomask": env!("CARGO_PKG_VERSION"),
        "command": std::env::args().collect::<Vec<_>>(),
        "model": run.folder.best(),
        "data": study.material(run.source)?.path,
        "split": split.name(),
        "device": study.chosen.name,
        "threshold": run.profile.evaluation.threshold,
        "mask_state": mask_state(&samples),
    });
    write_results(&run.evaluation(split), &evaluation, &context)?;
    Ok(true)
}

/// How an artefact was made, for people and for programs.
fn circumstances(study: &Study<'_>, artefact: Artefact) -> anyhow::Result<(Made, Value)> {
    let list = |numbers: &[String]| numbers.join(", ");
    let seeds: Vec<String> = study.seeds.iter().map(ToString::to_string).collect();
    let folds: Vec<String> = study.folds.iter().map(ToString::to_string).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let command = std::env::args().collect::<Vec<_>>();
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
        let profile = study.recipe.base(source, MethodChoice::MaxMinSem)?;
        made.extend([
            ("Data".into(), format!("{} ({})", material.path.display(), hashes.join(", "))),
            ("Images reported on".into(), judged.into()),
            ("Seeds".into(), list(&seeds)),
            ("Folds".into(), list(&folds)),
            ("Training".into(), study.recipe.profile.unwrap_or("each method's published settings").into()),
            ("Backbone".into(), format!("{} from {} weights", profile.model.backbone.name(), profile.weights)),
        ]);
        data = json!({ "path": material.path, "hashes": hashes, "reported_on": judged });
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
