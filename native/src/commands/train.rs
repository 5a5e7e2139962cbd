use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::arguments::Train;
use crate::console::{Console, Exit};
use crate::data::Dataset;
use crate::device::Trial;
use crate::job::{Run, check_data, refuse_folder_of_inputs};
use crate::method;
use crate::profile::Profile;
use crate::train::RunFolder;

pub(crate) fn run(args: &Train, console: &Console) -> anyhow::Result<Exit> {
    Ok(resolve(args, console)?.run(console)?.into())
}

fn resolve(args: &Train, console: &Console) -> anyhow::Result<Run> {
    let resumed = args.resume.as_deref().map(RunFolder::new);
    let base = match &resumed {
        Some(folder) => Profile::from_file(&folder.profile())
            .with_context(|| format!("{}: no run to resume here", folder.path().display()))?,
        None => method::profile(args.method, args.profile.as_deref())?,
    };
    let profile = args.settings.apply(base)?;
    let data = match (&args.data, &resumed) {
        (Some(data), _) => data.clone(),
        (None, Some(folder)) => data_of(folder)?,
        (None, None) => anyhow::bail!("--data names the folder of labelled patches"),
    };
    if !profile.model.method.is_trained() {
        anyhow::bail!(
            "all-ones has nothing to learn: evaluate it with `histomask evaluate --method all-ones --data {}`",
            data.display()
        );
    }
    let dataset = Dataset::open(&data, &profile.data)?;
    let summary = check_data(&dataset, console)?;
    args.images.refuse(&dataset.left_out, "are")?;
    if let Some(out) = &args.out {
        refuse_folder_of_inputs(out, dataset.samples().map(|(_, sample)| sample.image.as_path()))?;
    }
    if let Some(out) = args.out.as_ref().filter(|out| RunFolder::new(*out).state().exists()) {
        anyhow::bail!(
            "{0} holds a run already; name another --out, or go on with it: histomask train --resume {0}",
            out.display()
        );
    }
    let chosen = super::open_device(&args.images.device, || Ok(Trial::untrained(&profile, &dataset.classes)), console)?;
    let resume = resumed.is_some();
    let folder = resumed.unwrap_or_else(|| RunFolder::new(args.out.clone().unwrap_or_else(|| free_folder(&dataset))));
    Ok(Run { profile, dataset, summary, data, chosen, folder, resume })
}

/// `runs/<name of the data>`, with a number where that is taken.
fn free_folder(dataset: &Dataset) -> PathBuf {
    let name = dataset.name().replace(|c: char| !(c.is_alphanumeric() || "-_.".contains(c)), "-");
    let plain = Path::new("runs").join(&name);
    let numbered = (2..).map(|number| Path::new("runs").join(format!("{name}-{number}")));
    std::iter::once(plain.clone()).chain(numbered).find(|folder| !folder.exists()).unwrap_or(plain)
}

/// The data folder a run was started with.
fn data_of(folder: &RunFolder) -> anyhow::Result<PathBuf> {
    let path = folder.run_json();
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{}: cannot read; name --data", path.display()))?;
    let run: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{}: not valid; name --data", path.display()))?;
    let data = run.get("data").and_then(|data| data.get("path")).and_then(|path| path.as_str());
    Ok(data.with_context(|| format!("{}: names no data; name --data", path.display()))?.into())
}
