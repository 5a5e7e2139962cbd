use std::sync::LazyLock;

use http::header::{HeaderName, HeaderValue};

/// The headers that every answer has, as `Name: value` lines; the page's service worker adds the same.
const TEXT: &str = include_str!("../../../web/page/headers.txt");

/// [`TEXT`], line by line.
pub(super) static HEADERS: LazyLock<Vec<(HeaderName, HeaderValue)>> =
    LazyLock::new(|| TEXT.lines().filter_map(header).collect());

fn header(line: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = line.split_once(':')?;
    Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_header() {
        let lines = TEXT.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines >= 7);
        assert_eq!(HEADERS.len(), lines);
    }
}
