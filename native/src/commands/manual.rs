use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::arguments::Cli;
use crate::atomic;
use crate::console::{Console, Exit};

pub(crate) fn completions(shell: Shell, console: &Console) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "histomask", &mut script);
    console.print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Fine)
}

pub(crate) fn man(folder: &Path, console: &Console) -> anyhow::Result<Exit> {
    let command = Cli::command();
    page(&command, "histomask", folder, console)?;
    for subcommand in command.get_subcommands() {
        page(subcommand, &format!("histomask-{}", subcommand.get_name()), folder, console)?;
    }
    Ok(Exit::Fine)
}

fn page(command: &clap::Command, name: &str, folder: &Path, console: &Console) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(name).render(&mut text)?;
    let path = folder.join(format!("{name}.1"));
    atomic::write(&path, &text)?;
    console.say(&format!("wrote {}", path.display()));
    Ok(())
}
