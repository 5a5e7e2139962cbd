//! HTTP/1.1 on one connection, as far as handing out files needs it: requests without a body, one after the other.

use std::fmt::Write as _;
use std::io::{Error, Read as _, Result, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant, SystemTime};

use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode, Version};

/// A request must be complete this long after the one before, and an answer taken.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a browser may go on sending after the last answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// Longest request, in bytes.
const LONGEST: usize = 16 << 10;

/// Most header lines of a request.
const MOST_HEADERS: usize = 64;

/// Answers requests until the browser closes the connection or says nothing more.
///
/// # Errors
///
/// What the connection does: it is to be dropped then.
pub(super) fn serve<'a>(mut stream: TcpStream, answer: impl Fn(&Request<()>) -> Response<&'a [u8]>) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut buffer = Vec::new();
    while let Some(request) = receive(&mut stream, &mut buffer)? {
        match request {
            Ok(request) => {
                let last = is_last(&request);
                send(&mut stream, &answer(&request), request.method() == Method::HEAD, last)?;
                if !last {
                    continue;
                }
            }
            Err(status) => {
                let mut refusal = Response::new(&[][..]);
                *refusal.status_mut() = status;
                refusal.headers_mut().insert(CONTENT_LENGTH, 0.into());
                send(&mut stream, &refusal, false, true)?;
            }
        }
        return leave(&mut stream);
    }
    Ok(())
}

/// The next request, or the status that refuses it; none where there is no further one in time. `buffer` holds what
/// has come beyond the request before.
fn receive(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> Result<Option<std::result::Result<Request<()>, StatusCode>>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some((parsed, length)) = parse(buffer) {
            buffer.drain(..length);
            return Ok(Some(parsed));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        stream.set_read_timeout(Some(left))?;
        let mut part = [0; 4096];
        let length = stream.read(&mut part)?;
        if length == 0 {
            return Ok(None);
        }
        buffer.extend_from_slice(&part[..length]);
    }
}

/// A request and its length, or the status that refuses it; none of a part.
fn parse(buffer: &[u8]) -> Option<(std::result::Result<Request<()>, StatusCode>, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let refused = |status| Some((Err(status), 0));
    match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => Some((build(&head).ok_or(StatusCode::BAD_REQUEST), length)),
        Ok(httparse::Status::Partial) if buffer.len() <= LONGEST => None,
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
        }
        Err(_) => refused(StatusCode::BAD_REQUEST),
    }
}

fn build(head: &httparse::Request) -> Option<Request<()>> {
    let version = if head.version? == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let request = Request::builder().method(head.method?).uri(head.path?).version(version);
    head.headers.iter().fold(request, |request, header| request.header(header.name, header.value)).body(()).ok()
}

/// Whether the connection ends with this request. One with a body also ends it: nobody reads the body, and what
/// follows it must not be taken for a request.
fn is_last(request: &Request<()>) -> bool {
    let headers = request.headers();
    let closes = |value: &http::HeaderValue| {
        value.to_str().is_ok_and(|value| value.split(',').any(|word| word.trim().eq_ignore_ascii_case("close")))
    };
    request.version() == Version::HTTP_10
        || headers.get_all(CONNECTION).iter().any(closes)
        || headers.contains_key(TRANSFER_ENCODING)
        || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

fn send(stream: &mut TcpStream, response: &Response<&[u8]>, head_alone: bool, last: bool) -> Result<()> {
    let status = response.status();
    let date = httpdate::fmt_http_date(SystemTime::now());
    let mut head =
        format!("HTTP/1.1 {} {}\r\ndate: {date}\r\n", status.as_str(), status.canonical_reason().unwrap_or(""));
    for (name, value) in response.headers() {
        let value = value.to_str().map_err(Error::other)?;
        write!(head, "{name}: {value}\r\n").map_err(Error::other)?;
    }
    head.push_str(if last { "connection: close\r\n\r\n" } else { "\r\n" });
    stream.write_all(head.as_bytes())?;
    if !head_alone {
        stream.write_all(response.body())?;
    }
    stream.flush()
}

/// Closes the connection such that the last answer arrives: where unread bytes are left, the system would take it back.
fn leave(stream: &mut TcpStream) -> Result<()> {
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(FAREWELL))?;
    let deadline = Instant::now() + FAREWELL;
    let mut part = [0; 4096];
    while stream.read(&mut part)? > 0 && Instant::now() < deadline {}
    Ok(())
}
