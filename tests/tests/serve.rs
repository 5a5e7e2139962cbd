//! `histomask serve`: what a browser gets, and what nobody gets.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use histomask_tests::program::{Program, Running};
use tempfile::TempDir;

/// What no answer may hold.
const SECRET: &str = "patient 4711";

const FILES: [(&str, &str); 11] = [
    ("site/index.html", "<!doctype html>page"),
    ("site/sw.js", "worker"),
    ("site/manifest.webmanifest", "{}"),
    ("site/assets/app-Ab1_-xyz.js", "script, not compressed"),
    ("site/assets/app-Ab1_-xyz.js.br", "script, compressed"),
    ("site/assets/app-Ab1_-xyz.js.gz", "script, by gzip"),
    ("site/assets/program-Ab1_-xyz.wasm", "wasm"),
    ("site/assets/model-Ab1_-xyz.safetensors", "model"),
    ("site/help/index.html", "help"),
    ("site/.hidden", SECRET),
    ("secret.txt", SECRET),
];

/// A site on a free port.
struct Served {
    running: Option<Running>,
    port: u16,
    _folder: TempDir,
}

impl Served {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in FILES {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        #[cfg(unix)]
        for (from, to) in [("secret.txt", "link.txt"), ("", "up"), ("secret.txt", "assets/link-Ab1_-xyz.js")] {
            std::os::unix::fs::symlink(folder.path().join(from), folder.path().join("site").join(to)).unwrap();
        }
        let mut running = Program::new(["serve", "--port", "0"]).with("--dir", folder.path().join("site")).start();
        let url = running.first_line().unwrap_or_default();
        let port = url.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix('/')?.parse().ok());
        Self { running: Some(running), port: port.unwrap_or_else(|| panic!("no address: {url:?}")), _folder: folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends bytes as they are and reads to the end; `{port}` is the server's.
    fn raw(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.replace("{port}", &self.port.to_string()).as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::parse(&String::from_utf8(answer).unwrap())
    }

    /// A request as browsers make it, with more header lines.
    fn request(&self, method: &str, path: &str, lines: &str) -> Answer {
        self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\n{lines}\r\n"))
    }

    fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.kill();
        }
    }
}

/// An answer in parts.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| line.split_once(": ").unwrap());
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status, headers, body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    fn is_secure(&self) {
        for line in include_str!("../../web/page/headers.txt").lines() {
            let (name, value) = line.split_once(": ").unwrap();
            assert_eq!(self.header(&name.to_ascii_lowercase()), Some(value), "{self:?}");
        }
    }
}

#[test]
fn files_have_their_type_their_lifetime_and_the_security_headers() {
    let served = Served::start();
    for (path, body, kind, kept) in [
        ("/", "<!doctype html>page", "text/html; charset=utf-8", false),
        ("/index.html?from=app", "<!doctype html>page", "text/html; charset=utf-8", false),
        ("/help/", "help", "text/html; charset=utf-8", false),
        ("/sw.js", "worker", "text/javascript; charset=utf-8", false),
        ("/manifest.webmanifest", "{}", "application/manifest+json", false),
        ("/assets/app-Ab1_-xyz.js", "script, not compressed", "text/javascript; charset=utf-8", true),
        ("/assets/program-Ab1_-xyz.wasm", "wasm", "application/wasm", true),
        ("/assets/model%2DAb1_-xyz.safetensors", "model", "application/octet-stream", true),
    ] {
        let answer = served.get(path);
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("content-length"), Some(body.len().to_string().as_str()), "{path}");
        let lifetime = if kept { "public, max-age=31536000, immutable" } else { "no-cache" };
        assert_eq!(answer.header("cache-control"), Some(lifetime), "{path}");
        answer.is_secure();

        let head = served.request("HEAD", path, "");
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), answer.header(name), "{path}");
        }
    }
}

#[test]
fn browsers_get_the_smallest_that_they_know_and_nothing_is_sent_twice() {
    let served = Served::start();
    let script = |lines: &str| served.request("GET", "/assets/app-Ab1_-xyz.js", lines);
    for (accepted, compressed) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br;q=0.5", Some("br")),
        ("gzip;q=1, BR", Some("br")),
        ("gzip", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("br;q=0", None),
    ] {
        let body = match compressed {
            Some("br") => "script, compressed",
            Some(_) => "script, by gzip",
            None => "script, not compressed",
        };
        let answer = script(&format!("Accept-Encoding: {accepted}\r\n"));
        assert_eq!(answer.body, body, "{accepted}: {answer:?}");
        assert_eq!(answer.header("content-encoding"), compressed, "{accepted}");
        assert_eq!(answer.header("vary"), Some("Accept-Encoding"), "{accepted}");
        assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));

        let tag = answer.header("etag").unwrap();
        let again = script(&format!("Accept-Encoding: {accepted}\r\nIf-None-Match: \"x\", {tag}\r\n"));
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{accepted}");
        assert_eq!(script(&format!("If-None-Match: {tag}\r\n")).status, if compressed.is_some() { 200 } else { 304 });
    }
    assert_eq!(served.get("/assets/app-Ab1_-xyz.js.br").status, 404, "only as an encoding of the original");
    assert_eq!(served.request("GET", "/sw.js", "Accept-Encoding: br\r\n").header("content-encoding"), None);
}

#[test]
fn nothing_outside_the_folder_can_be_reached() {
    let served = Served::start();
    for path in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/%252e%252e/secret.txt",
        "/assets/../../secret.txt",
        "/assets/..;/../secret.txt",
        "/./../secret.txt",
        "//../secret.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/.hidden",
        "/link.txt",
        "/up/secret.txt",
        "/assets/link-Ab1_-xyz.js",
        "/index.html%00",
        "/index.html/../../secret.txt",
        "/%ff%fe",
        "/assets",
        "/assets/",
        "/help",
        "/missing.html",
        "*",
        "secret.txt",
        "http://127.0.0.1:{port}/../secret.txt",
    ] {
        let answer = served.get(path);
        assert!([400, 404, 421].contains(&answer.status) && !answer.body.contains(SECRET), "{path}: {answer:?}");
    }
    assert_eq!(served.get("http://127.0.0.1:{port}/sw.js").body, "worker");
}

#[test]
fn other_hosts_and_other_methods_are_refused() {
    let served = Served::start();
    let with = |hosts: &str| served.raw(&format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"));
    for host in ["127.0.0.1:{port}", "localhost:{port}", "LocalHost:{port}"] {
        assert_eq!(with(&format!("Host: {host}\r\n")).status, 200, "{host}");
    }
    for hosts in [
        "Host: evil.example:{port}\r\n",
        "Host: evil.example\r\n",
        "Host: localhost\r\n",
        "Host: 127.0.0.1:1\r\n",
        "Host: 127.0.0.1.evil.example:{port}\r\n",
        "Host: localhost:{port}@evil.example\r\n",
        "Host: localhost:{port}\r\nHost: evil.example\r\n",
        "Host: \r\n",
        "",
    ] {
        let answer = with(hosts);
        assert_eq!(answer.status, 421, "{hosts:?}: {answer:?}");
        answer.is_secure();
    }
    assert_eq!(served.get("http://evil.example/").status, 421);

    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "BREW"] {
        let answer = served.request(method, "/", "Content-Length: 0\r\n");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method}");
        answer.is_secure();
    }
}

#[test]
fn a_connection_is_used_again_and_a_broken_one_harms_no_other() {
    let served = Served::start();
    let mut stream = served.connect();
    let request = format!("GET /sw.js HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", served.port);
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"worker") {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "closed after {:?}", String::from_utf8_lossy(&answer));
            answer.extend_from_slice(&part[..length]);
        }
        assert_eq!(Answer::parse(&String::from_utf8(answer).unwrap()).status, 200);
    }
    // two requests at once, the second in two parts
    let (first, rest) = request.split_at(20);
    stream.write_all(format!("{request}{first}").as_bytes()).unwrap();
    stream.write_all(rest.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");

    // idle, half a request, gone at once
    let idle = [served.connect(), served.connect()];
    (&idle[0]).write_all(b"GET / HT").unwrap();
    drop(served.connect());
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn nothing_is_made_of_what_is_no_request() {
    let served = Served::start();
    let local = "Host: localhost:{port}\r\n";
    let long = "x".repeat(20_000);
    for (request, status) in [
        ("\u{1}\u{2}nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/2.0\r\n\r\n".to_owned(), 400),
        (format!("GET /\u{1} HTTP/1.1\r\n{local}\r\n"), 400),
        (format!("GET /?{long} HTTP/1.1\r\n{local}"), 431),
        (format!("GET / HTTP/1.1\r\n{local}{}\r\n", "A: b\r\n".repeat(200)), 431),
        (format!("GET /sw.js HTTP/1.0\r\n{local}\r\n"), 200),
    ] {
        assert_eq!(served.raw(&request).status, status, "{request:?}");
    }
    // what looks like a request inside a body is none
    let inner = format!("GET /sw.js HTTP/1.1\r\n{local}\r\n");
    for length in ["Content-Length: 5000", "Content-Length: 1", "Transfer-Encoding: chunked", "Transfer-Encoding: x"] {
        for (method, status) in [("POST", 405), ("GET", 200)] {
            let answer = served.raw(&format!("{method} / HTTP/1.1\r\n{local}{length}\r\n\r\n{inner}"));
            assert!(answer.status == status && !answer.body.contains("worker"), "{method} {length}: {answer:?}");
        }
    }
}

#[test]
fn ctrl_c_ends_it() {
    let mut served = Served::start();
    let open = served.connect();
    let running = served.running.take().unwrap();
    running.interrupt();
    let ended = running.wait().exits(130);
    assert_eq!(ended.stdout, format!("http://127.0.0.1:{}/\n", served.port));
    #[cfg(unix)]
    let _ = ended.says("link.txt");
    drop(open);
}

#[test]
fn the_usual_port_gives_way_to_a_free_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "page").unwrap();
    // whoever has it, it is taken
    let _taken = TcpListener::bind(("127.0.0.1", 7327));
    let mut running = Program::new(["serve"]).with("--dir", folder.path()).start();
    let url = running.first_line().unwrap_or_default();
    running.interrupt();
    let _ = running.wait().exits(130).says("port 7327 is taken");
    assert!(url.starts_with("http://127.0.0.1:") && url != "http://127.0.0.1:7327/", "{url}");
}

#[test]
fn a_taken_port_and_a_folder_without_a_page_are_named() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let serve = |dir: &Path| Program::new(["serve"]).with("--dir", dir);
    std::fs::write(folder.path().join("index.html"), "page").unwrap();
    let taken = serve(folder.path()).with("--port", served.port.to_string()).run().exits(2);
    let _ = taken.says(&format!("port {} of 127.0.0.1 is taken", served.port)).says("--port 0");

    std::fs::remove_file(folder.path().join("index.html")).unwrap();
    let _ = serve(folder.path()).run().exits(2).says("no index.html here").says("scripts/web.sh");
    let _ = serve(&folder.path().join("none")).run().exits(2).says("none").says("scripts/web.sh");
    // neither beside the program nor below the folder of these tests
    let _ = Program::new(["serve"]).run().exits(2).says("scripts/web.sh").says("--dir");
    let _ = Program::new(["serve", "--port", "70000"]).run().exits(2).says("--port");
}
