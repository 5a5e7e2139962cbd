use crate::arguments::ProfileArgs;
use crate::console::{Console, Exit};
use crate::profile::Profile;

pub(crate) fn run(args: &ProfileArgs, console: &Console) -> anyhow::Result<Exit> {
    let text = if args.list { Profile::names().join("\n") } else { Profile::resolve(&args.profile)?.to_toml()? };
    console.print(text.trim_end())?;
    Ok(Exit::Fine)
}
