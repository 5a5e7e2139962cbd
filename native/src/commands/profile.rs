use crate::cli::{Console, Exit, ProfileArgs};
use crate::profile::Profile;

pub(crate) fn run(args: &ProfileArgs, console: &Console) -> anyhow::Result<Exit> {
    let text = if args.list { Profile::names().join("\n") } else { Profile::resolve(&args.profile)?.to_toml()? };
    console.print(text.trim_end())?;
    Ok(Exit::Fine)
}
