//! The command line: arguments in, exit code out.

mod failure;

use std::ffi::OsString;

use clap::Parser as _;

use crate::arguments::{Cli, Command};
use crate::console::{Console, Exit};
use crate::{commands, interrupt, profile};

/// Runs the program and returns its exit code: 0 fine, 1 some inputs failed, 2 usage or configuration, 3 device lost
/// or out of memory, 101 a bug of ours, 130 interrupted.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let error = profile::with_nearest_flag(error);
            // help and version are errors to clap; a closed pipe is none to us
            let _ = error.print();
            return error.exit_code();
        }
    };
    interrupt::listen();
    let console = Console::new(cli.quiet);
    let outcome = failure::guarded(|| dispatch(cli, &console));
    failure::exit_code(outcome, &console)
}

fn dispatch(cli: Cli, console: &Console) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Demo(args) => commands::demo::run(&args, console),
        Command::Train(args) => commands::train::run(&args, console),
        Command::Evaluate(args) => commands::evaluate::run(&args, console),
        Command::Predict(args) => commands::predict::run(&args, console),
        Command::Slides(args) => commands::slides::run(&args, console),
        Command::Tiles(args) => commands::tiles::run(&args, console),
        Command::Camelyon16(args) => commands::camelyon16::run(&args, console),
        Command::Serve(args) => commands::serve::run(&args, console),
        Command::Doctor => commands::doctor::run(console),
        Command::Inspect(args) => commands::inspect::run(&args, console),
        Command::Profile(args) => commands::profile::run(&args, console),
        Command::Weights(args) => commands::weights::run(&args, console),
        Command::Reproduce(args) => commands::reproduce::run(&args, console),
        Command::Study(args) => commands::study::run(&args, console),
        Command::Bench(args) => commands::bench::run(&args, console),
        Command::Completions { shell } => commands::manual::completions(shell, console),
        Command::Man { out } => commands::manual::man(&out, console),
    }
}
