use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use histomask_core::MethodKind;

use crate::arguments::Reproduce;
use crate::atomic::Room;
use crate::console::{Console, Exit};
use crate::device::Trial;
use crate::job::{announce, make, open};
use crate::method::MethodChoice;
use crate::reproduce::{Artefact, MaterialError, Recipe, Source, Study, Sweeps, quick_data};

pub(crate) fn run(args: &Reproduce, console: &Console) -> anyhow::Result<Exit> {
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
    let recipe = Recipe { profile: args.profile.clone(), settings: args.settings.clone(), quick: args.quick };
    let Some(paths) = paths(args, &artefacts)? else { return Ok(Exit::Interrupted) };
    // their method and, unless it is changed for all, their backbone
    let profile = recipe.base(Source::Glas, MethodChoice::Of(MethodKind::MaxMin))?;
    let classes = ["benign", "malignant"].map(str::to_owned);
    let chosen = super::open_device(&args.device, || Ok(Trial::untrained(&profile, &classes)), console)?;
    let materials = open(&recipe, &paths, &args.folds, args.split, console)?;
    let study = Study {
        recipe,
        seeds: args.seeds.clone(),
        folds: args.folds.clone(),
        split: args.split,
        out: args.out.clone(),
        chosen,
        materials,
        failed: BTreeMap::new().into(),
    };
    let sweeps = Sweeps { parameters: args.sweeps.clone(), depths: args.depths.clone(), quick: args.quick };
    announce(&study, &artefacts, &sweeps, console)?;
    if args.dry_run {
        return Ok(if left_out { Exit::SomeFailed } else { Exit::Fine });
    }
    let mut page = None;
    drop(Room::set_aside(&args.out, 65_536)?);
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

/// Where each data set lies that is needed; refuses the first that is not there, before any work. Nothing if the user
/// stopped it.
fn paths(args: &Reproduce, artefacts: &[Artefact]) -> anyhow::Result<Option<BTreeMap<Source, PathBuf>>> {
    let mut paths = BTreeMap::new();
    for artefact in artefacts {
        let Some(needed) = artefact.source() else { continue };
        let path = if args.quick {
            let path = args.out.join("synthetic").join(needed.flag().trim_start_matches('-'));
            if !quick_data(&path, needed)? {
                return Ok(None);
            }
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
    Ok(Some(paths))
}
