//! Fig. 3: cross-entropy and the two background terms of a binary posterior, and their derivatives, in bits.
//!
//! With p the posterior of one of two classes: CE −log p (Eq. 3), EEM p log p + (1−p) log(1−p) (Eq. 4), SEM
//! −½ (log p + log(1−p)) (Eq. 6).

use std::f64::consts::LN_2;

use serde_json::json;

use super::drawn::{Drawn, Figure, Record};
use crate::report::{Axis, Chart, Series};

/// Points at 0.01, 0.02, …, 0.99.
const STEPS: u32 = 100;

/// Name, energy and derivative.
type Curve = (&'static str, fn(f64) -> f64, fn(f64) -> f64);

const CE: Curve = ("CE", |p| -p.log2(), |p| -1.0 / (p * LN_2));
const EEM: Curve = ("EEM, −H(p)", |p| p * p.log2() + (1.0 - p) * (1.0 - p).log2(), |p| (p / (1.0 - p)).log2());
const SEM: Curve =
    ("SEM, H(q, p)", |p| -0.5 * (p.log2() + (1.0 - p).log2()), |p| -0.5 / LN_2 * (1.0 / p - 1.0 / (1.0 - p)));

pub(crate) fn draw() -> Drawn {
    let record = |p: f64| {
        let mut record = Record::from_iter([("p".to_owned(), json!(p))]);
        for (name, (_, energy, gradient)) in [("ce", CE), ("eem", EEM), ("sem", SEM)] {
            record.insert(name.into(), json!(energy(p)));
            record.insert(format!("d_{name}"), json!(gradient(p)));
        }
        record
    };
    let charts = [
        panel("Cross-entropy on the foreground", "p, posterior of the true class", "Energy", &[CE], false, None),
        panel("Uncertainty on the background", "p, posterior of one class", "Energy", &[EEM, SEM], false, None),
        panel("Its gradient", "p, posterior of the true class", "Gradient", &[CE], true, None),
        panel("Their gradients", "p, posterior of one class", "Gradient", &[EEM, SEM], true, Some([0.1, 0.9])),
    ];
    let caption = "Left: certainty on the foreground is rewarded. Right: both terms are least where the posterior is \
                   uniform; SEM also punishes certainty without bound. The lower right panel leaves out the ends, where \
                   SEM's gradient grows without bound.";
    Drawn {
        figure: Some(Figure::charts(&charts, 2, caption)),
        records: (1..STEPS).map(|k| record(f64::from(k) / f64::from(STEPS))).collect(),
        ..Drawn::default()
    }
}

fn panel(title: &str, x: &str, y: &str, curves: &[Curve], gradient: bool, range: Option<[f64; 2]>) -> Chart {
    let [low, high] = range.unwrap_or([0.0, 1.0]);
    let inside = |p: &f64| *p >= low && *p <= high;
    let series = |&(name, energy, derivative): &Curve| Series {
        name: name.into(),
        points: (1..STEPS)
            .map(|k| f64::from(k) / f64::from(STEPS))
            .filter(inside)
            .map(|p| (p, Some(if gradient { derivative(p) } else { energy(p) })))
            .collect(),
        ..Series::default()
    };
    Chart {
        title: title.into(),
        x: Axis { range: Some([low, high]), ..Axis::new(x, "") },
        y: Axis::new(y, "bits"),
        series: curves.iter().map(series).collect(),
        ..Chart::default()
    }
}
