use std::ops::Bound::{self, Excluded, Included, Unbounded};

/// The range that a comment of the default profile ends with, as in `Range: above 0 and at most 1.`
#[derive(Debug)]
pub(super) struct Range {
    /// In words; empty when any finite number goes.
    pub(super) words: String,
    pub(super) bounds: (Bound<f64>, Bound<f64>),
}

impl Range {
    /// Divides a setting's comment into what it says and the range.
    pub(super) fn split(comment: &str) -> (&str, Self) {
        let (help, words) = comment.split_once(" Range: ").unwrap_or((comment, ""));
        let words = words.trim_end_matches('.');
        let bound = |names: [&str; 2]| {
            let number =
                |name: &str| words.split(" and ").find_map(|side| side.strip_prefix(name)?.trim().parse::<f64>().ok());
            number(names[0]).map(Included).or_else(|| number(names[1]).map(Excluded)).unwrap_or(Unbounded)
        };
        let bounds = (bound(["at least", "above"]), bound(["at most", "below"]));
        (help, Self { words: words.to_owned(), bounds })
    }
}
