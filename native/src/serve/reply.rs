//! One request, one answer.

use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HOST, HeaderName,
    HeaderValue, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;

use super::security;
use super::site::{File, Site};

/// The answer of a site that listens on this port.
pub(super) fn reply<'a>(site: &'a Site, port: u16, request: &Request<()>) -> Response<&'a [u8]> {
    let mut response = if !is_ours(request, port) {
        refusal(StatusCode::MISDIRECTED_REQUEST, "This server answers to 127.0.0.1 and localhost alone.")
    } else if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refused = refusal(StatusCode::METHOD_NOT_ALLOWED, "This server only hands out files.");
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        refused
    } else if let Some(file) = find(site, request.uri().path()) {
        file_response(file, request.headers())
    } else {
        refusal(StatusCode::NOT_FOUND, "There is no such file.")
    };
    response.headers_mut().extend(security::HEADERS.iter().cloned());
    response
}

/// Whether a request is meant for this server: a page elsewhere whose name suddenly resolves to 127.0.0.1 (DNS
/// rebinding) sends that name.
fn is_ours(request: &Request<()>, port: u16) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let is = |host: &str| {
        let (name, given) = host.rsplit_once(':').unwrap_or((host, "80"));
        given.parse() == Ok(port) && ["127.0.0.1", "localhost"].iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    host.to_str().is_ok_and(is) && request.uri().authority().is_none_or(|authority| is(authority.as_str()))
}

/// The file that a path names. A site knows its files by name, so a path that climbs out of it names none.
fn find<'a>(site: &'a Site, path: &str) -> Option<&'a File> {
    let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8().ok()?;
    site.get(&path)
}

fn file_response<'a>(file: &'a File, asked: &HeaderMap) -> Response<&'a [u8]> {
    let coded = file.compressed.iter().find(|(coding, _)| accepts(asked, coding));
    let coding = coded.map_or_else(String::new, |(coding, _)| format!("-{coding}"));
    let tag = format!("\"{}{coding}\"", file.tag);
    let known =
        asked.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok()).any(|tags| tags.contains(&tag));

    let bytes = coded.map_or(&file.bytes, |(_, bytes)| bytes);
    let mut response = Response::new(if known { &[] } else { bytes.as_slice() });
    let mut set = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    set(
        CACHE_CONTROL,
        HeaderValue::from_static(match file.hashed {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        }),
    );
    // made of hexadecimal digits: always a value
    if let Ok(tag) = HeaderValue::try_from(tag) {
        set(ETAG, tag);
    }
    if !file.compressed.is_empty() {
        set(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if let Some((coding, _)) = coded {
        set(CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    set(CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    set(CONTENT_LENGTH, bytes.len().into());
    response
}

/// Whether `Accept-Encoding` names a coding and does not rule it out by `q=0`.
fn accepts(asked: &HeaderMap, coding: &str) -> bool {
    let values = asked.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|accepted| {
        let (name, weight) = accepted.split_once(';').unwrap_or((accepted, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case(coding) && weight.is_some_and(|weight| weight > 0.0)
    })
}

fn refusal(status: StatusCode, why: &'static str) -> Response<&'static [u8]> {
    let mut response = Response::new(why.as_bytes());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_LENGTH, why.len().into());
    response
}
