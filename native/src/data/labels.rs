//! From class names to label indices.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;

use super::DataError;

/// Similarity (Jaro-Winkler, 0 to 1) from which a name is offered as "did you mean".
const SIMILAR: f64 = 0.7;

/// The classes of a data set: the order the user asked for, else the names found, sorted.
pub(super) fn class_list(wanted: &[String], found: BTreeSet<String>) -> Vec<String> {
    if !wanted.is_empty() {
        return wanted.iter().map(|name| nfc(name)).collect();
    }
    let mut classes: Vec<_> = found.into_iter().collect();
    classes.sort_by(|a, b| natural(a, b).then_with(|| a.cmp(b)));
    classes
}

/// Two class names that were found, not asked for, and are one but for the case of their letters.
pub(super) fn alike(wanted: &[String], classes: &[String]) -> Option<String> {
    let lower: Vec<_> = classes.iter().map(|name| name.to_lowercase()).collect();
    let pair = (0..classes.len()).find_map(|second| {
        let first = lower[..second].iter().position(|name| *name == lower[second])?;
        Some((classes.get(first)?, classes.get(second)?))
    });
    let (first, second) = pair.filter(|_| wanted.is_empty())?;
    Some(format!(
        "the classes `{first}` and `{second}` differ in the case of letters alone; write them alike, or name both with \
         --data.class-names if they are two"
    ))
}

/// One form of letters that look the same: an accent may be a character of its own (macOS) or not.
pub(crate) fn nfc(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// The order of names in which numbers count as such: 1, 2, 10.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let number = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (digits_a, digits_b) = (number(a), number(b));
        if digits_a > 0 && digits_b > 0 {
            let (first, rest_a) = a.split_at(digits_a);
            let (second, rest_b) = b.split_at(digits_b);
            let plain = [first, second].map(|digits| digits.trim_start_matches('0'));
            let order = plain[0].len().cmp(&plain[1].len()).then_with(|| plain[0].cmp(plain[1]));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest_a, rest_b);
            continue;
        }
        let (mut letters_a, mut letters_b) = (a.chars(), b.chars());
        match (letters_a.next(), letters_b.next()) {
            (None, None) => return Ordering::Equal,
            (first, second) if first != second => return first.cmp(&second),
            _ => (a, b) = (letters_a.as_str(), letters_b.as_str()),
        }
    }
}

/// The label of the class called `name`.
///
/// # Errors
/// [`DataError::UnknownLabel`] with the most similar class; `place` says where the name stands.
pub(super) fn label_of(name: &str, classes: &[String], place: impl FnOnce() -> String) -> Result<usize, DataError> {
    let wanted = nfc(name);
    classes.iter().position(|class| *class == wanted).ok_or_else(|| DataError::UnknownLabel {
        place: place(),
        label: name.to_owned(),
        hint: nearest(name, classes.iter().map(String::as_str))
            .map_or_else(String::new, |class| format!(", did you mean `{class}`?")),
        known: classes.join(", "),
    })
}

/// The candidate most similar to `name`, if any is similar at all.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    candidates
        .map(|candidate| (strsim::jaro_winkler(&name, &candidate.to_lowercase()), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let names = ["10", "2", "1", "grade 10", "grade 9", "Grade 1", "grade 09b"];
        let sorted = class_list(&[], names.map(str::to_owned).into());
        assert_eq!(sorted, ["1", "2", "10", "Grade 1", "grade 9", "grade 09b", "grade 10"]);
    }

    #[test]
    fn letters_that_look_the_same_are_the_same() {
        let classes = class_list(&[], [nfc("papilla\u{308}r")].into());
        assert_eq!(label_of("papill\u{e4}r", &classes, String::new).ok(), Some(0));
        assert_eq!(label_of("papilla\u{308}r", &classes, String::new).ok(), Some(0));
    }
}
