//! Cells of a table that a spreadsheet shows as they are.

use std::borrow::Cow;

/// The text behind an apostrophe where a spreadsheet would take it for a formula: it begins with `=`, `+`, `-`, `@`, a tab
/// or a line's end, and is no number. File and class names come from others.
#[must_use]
pub fn plain_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) && text.parse::<f64>().is_err() {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::plain_cell;

    #[test]
    fn formulas_become_text_and_numbers_stay() {
        for formula in ["=1+2", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "=HYPERLINK(\"x\")"] {
            assert_eq!(plain_cell(formula), format!("'{formula}"));
        }
        for plain in ["", "-1.5", "+2", "-1e-3", "a=1", "glands (1).png", "'=1"] {
            assert_eq!(plain_cell(plain), plain);
        }
    }
}
