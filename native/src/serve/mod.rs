//! A web server for the browser app, on this machine alone.
//!
//! It holds the files of one folder in memory and answers GET and HEAD for these, so no request ever reaches the file
//! system. httparse reads the requests, and each connection has a thread: hyper would add an asynchronous runtime for
//! no more than that, and of tiny_http 0.12 CVE-2026-66752 and CVE-2026-66753 are not fixed.

mod connection;
mod content_type;
mod reply;
mod security;
mod site;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reply::reply;
pub use site::{Site, SiteError};

/// The port where none is asked for.
pub const DEFAULT_PORT: u16 = 7327;

/// Most connections at a time; browsers open six.
const MOST_CONNECTIONS: usize = 64;

/// How often the server looks whether it shall stop.
const TICK: Duration = Duration::from_millis(100);

/// The server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another program listens there.
    #[error(
        "port {0} of 127.0.0.1 is taken by another program; name another with --port, or --port 0 for any free one"
    )]
    Taken(u16),
    /// The system refuses.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}; name another with --port")]
    Listen {
        /// The port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
}

/// A port of 127.0.0.1 that is listened on.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    port: u16,
}

impl Server {
    /// Listens on a port; 0 is any free one.
    ///
    /// # Errors
    ///
    /// [`ServeError::Taken`] or [`ServeError::Listen`].
    pub fn bind(port: u16) -> Result<Self, ServeError> {
        let refused = |source: std::io::Error| match source.kind() {
            ErrorKind::AddrInUse => ServeError::Taken(port),
            _ => ServeError::Listen { port, source },
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refused)?;
        let port = listener.local_addr().map_err(refused)?.port();
        Ok(Self { listener, port })
    }

    /// The address to open in a browser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Hands out the files of a site until `stop` says so.
    pub fn run(self, site: Site, stop: impl Fn() -> bool) {
        let Self { listener, port } = self;
        let stopped = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stopped);
        let accepting = std::thread::spawn(move || accept(&listener, port, site, &seen));
        while !stop() {
            std::thread::sleep(TICK);
        }
        stopped.store(true, Ordering::SeqCst);
        // one last connection, so that the thread looks
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            let _ = accepting.join();
        }
    }
}

/// Gives each connection a thread of its own.
fn accept(listener: &TcpListener, port: u16, site: Site, stopped: &AtomicBool) {
    let site = Arc::new(site);
    for stream in listener.incoming() {
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else {
            // no socket left, or the browser gave up: others may do better a little later
            std::thread::sleep(TICK);
            continue;
        };
        // of one too many, or where the system has no thread left, the browser tries again
        if Arc::strong_count(&site) > MOST_CONNECTIONS {
            continue;
        }
        let site = Arc::clone(&site);
        let _ = std::thread::Builder::new().spawn(move || {
            // what goes wrong on a connection is the browser's to notice
            let _ = connection::serve(stream, |request| reply(&site, port, request));
        });
    }
}
