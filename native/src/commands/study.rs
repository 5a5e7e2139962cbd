use anyhow::Context as _;

use crate::arguments::Study;
use crate::console::{Console, Exit};
use crate::device::Trial;
use crate::interrupt;
use crate::job::{Compare, Ended};
use crate::study::StudyFile;

pub(crate) fn run(args: &Study, console: &Console) -> anyhow::Result<Exit> {
    let study = StudyFile::read(&args.file)?;
    // with the network that the others are compared with
    let base = study.variants.first().context("a study without variants")?.profile.clone();
    let classes = ["a", "b"].map(str::to_owned);
    let chosen = super::open_device(&args.device, || Ok(Trial::untrained(&base, &classes)), console)?;
    let compare = Compare::open(study, args.data.clone(), args.out.clone(), chosen, console)?;
    compare.announce(console)?;
    let ended = match interrupt::asked() {
        true => Ended::Interrupted,
        false if args.dry_run => Ended::Finished,
        false => compare.run(console)?,
    };
    Ok(match ended {
        Ended::Finished => Exit::Fine,
        Ended::SomeFailed => Exit::SomeFailed,
        Ended::Interrupted => {
            console.say("stopped; the same command goes on from there");
            Exit::Interrupted
        }
    })
}
