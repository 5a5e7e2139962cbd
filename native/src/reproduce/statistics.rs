//! Mean and standard deviation over seeds and folds.

use serde_json::{Map, Value, json};

/// Several runs' values of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// Sample standard deviation (n − 1); none of a single run.
    pub(crate) deviation: Option<f64>,
    pub(crate) runs: usize,
}

impl Spread {
    /// None without a value.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let runs = values.len();
        if runs == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / runs as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (runs > 1).then(|| (squares / (runs - 1) as f64).sqrt());
        Some(Self { mean, deviation, runs })
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.mean)?;
        self.deviation.map_or(Ok(()), |deviation| write!(f, " ± {deviation:.2}"))
    }
}

/// The cell of a table; `-` where there is no value.
pub(crate) fn cell(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "-".into(), |spread| spread.to_string())
}

/// Adds `<name>`, `<name>_sd` and the paper's value of it to a record.
pub(crate) fn record(into: &mut Map<String, Value>, name: &str, spread: Option<Spread>, paper: Option<f64>) {
    into.insert(name.into(), json!(spread.map(|spread| spread.mean)));
    into.insert(format!("{name}_sd"), json!(spread.and_then(|spread| spread.deviation)));
    into.insert(format!("{name}_paper"), json!(paper));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviation_is_that_of_a_sample() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(cell(Spread::of(&[71.5])), "71.50");
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(spread.map(|spread| spread.to_string()).as_deref(), Some("5.00 ± 2.14"));
    }
}
