use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::arguments::Serve;
use crate::console::{Console, Exit};
use crate::interrupt;
use crate::serve::{DEFAULT_PORT, ServeError, Server, Site};

pub(crate) fn run(args: &Serve, console: &Console) -> anyhow::Result<Exit> {
    let folder = folder(args.dir.as_deref())?;
    let site = Site::read(&folder)?;
    for link in site.skipped() {
        console.warn(&format!("{}: left out, because it is a symbolic link or no plain file", link.display()));
    }
    let server = listen(args.port, console)?;
    console.say(&format!("{} for browsers on this machine; Ctrl-C stops it", folder.display()));
    console.print(&server.url())?;
    if args.open
        && let Err(error) = open::that_detached(server.url())
    {
        console.warn(&format!("could not open a browser ({error}); open the address above in one"));
    }
    server.run(site, interrupt::asked);
    Ok(Exit::Interrupted)
}

/// The port asked for, else the usual one, or where that is taken any other.
fn listen(port: Option<u16>, console: &Console) -> Result<Server, ServeError> {
    let Some(port) = port else {
        return Server::bind(DEFAULT_PORT).or_else(|error| match error {
            ServeError::Taken(port) => {
                console.say(&format!("port {port} is taken by another program, so another one is used"));
                Server::bind(0)
            }
            other => Err(other),
        });
    };
    Server::bind(port)
}

/// The folder named, or beside the program, or where `scripts/web.sh` builds it.
fn folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let beside = std::env::current_exe().ok().and_then(|program| Some(program.parent()?.join("histomask-web")));
    let places: Vec<_> = beside.into_iter().chain([PathBuf::from("web/dist")]).collect();
    if let Some(place) = places.iter().find(|place| place.join("index.html").is_file()) {
        return Ok(place.clone());
    }
    let looked: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    bail!(
        "the browser app is not here (looked for {}); `scripts/web.sh` in a checkout of histomask builds it into \
         web/dist; or name its folder with --dir",
        looked.join(" and ")
    )
}
