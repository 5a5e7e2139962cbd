use anyhow::Context as _;
use histomask_core::weights::{Precision, read_checkpoint, write_checkpoint, write_weights};

use crate::arguments::Weights;
use crate::atomic;
use crate::console::{Console, Exit};
use crate::job::ModelFile;
use crate::weights::{backbone_names, backbone_of, get, read_file};

pub(crate) fn run(args: &Weights, console: &Console) -> anyhow::Result<Exit> {
    match args {
        Weights::Get { out, url, .. } => {
            console.say(&format!("fetching {url}"));
            let sha256 = get(url, out)?;
            console.print(&format!("{}  sha256 {sha256}", out.display()))?;
        }
        Weights::Shrink { model, output } => {
            let file = ModelFile::open(Some(model))?;
            let (card, state) = read_checkpoint(&file.bytes).with_context(|| file.name())?;
            let bytes = write_checkpoint(&state, &card, Precision::Half).with_context(|| file.name())?;
            atomic::write(output, &bytes)?;
            console.print(&format!("{} to {} bytes: {}", file.bytes.len(), bytes.len(), output.display()))?;
        }
        Weights::Convert { input, output, half } => {
            let (state, sha256) = read_file(input)?;
            let state = backbone_names(state);
            // nothing is written that `--weights` would refuse
            let backbone = backbone_of(&state).with_context(|| format!("{}: not converted", input.display()))?;
            let precision = if *half { Precision::Half } else { Precision::Full };
            let bytes = write_weights(&state, None, precision).with_context(|| input.display().to_string())?;
            atomic::write(output, &bytes)?;
            console.print(&format!(
                "{} tensors of {} from {} (sha256 {sha256}) to {}",
                state.len(),
                backbone.name(),
                input.display(),
                output.display()
            ))?;
        }
    }
    Ok(Exit::Fine)
}
