//! From data values to positions along an axis, and the values worth a tick.

use serde::{Deserialize, Serialize};

/// How an axis is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal steps.
    #[default]
    Linear,
    /// Equal factors, base 10; values that are not positive count as missing.
    Log,
}

/// A tick's value and its text.
pub(super) type Tick = (f64, String);

/// A fitted axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fitted {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Fitted {
    /// Axis over the given range or else over the finite values; none where nothing can be shown.
    pub(super) fn new(scale: Scale, range: Option<[f64; 2]>, values: impl Iterator<Item = f64>) -> Option<Self> {
        let shown = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let wanted = range.filter(|[low, high]| shown(low) && shown(high) && low < high);
        let [low, high] = match wanted {
            Some(range) => range,
            None => {
                let start = [f64::INFINITY, f64::NEG_INFINITY];
                values.filter(shown).fold(start, |[low, high], value| [low.min(value), high.max(value)])
            }
        };
        if low > high {
            return None;
        }
        let fitted = Self { scale, low, high };
        // A single value gets room on both sides.
        Some(match scale {
            Scale::Linear if low == high => {
                let room = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
                Self { low: low - room, high: high + room, ..fitted }
            }
            Scale::Log if low == high => Self { low: low / 2.0, high: high * 2.0, ..fitted },
            _ => fitted,
        })
    }

    /// Extends a linear axis to the next ticks.
    pub(super) fn rounded(self) -> Self {
        let step = step(self.high - self.low);
        if self.scale == Scale::Log || !step.is_normal() {
            return self;
        }
        // A value that lies on a tick but for rounding error needs no further tick.
        let low = (self.low / step + 1e-6).floor() * step;
        Self { low, high: (self.high / step - 1e-6).ceil() * step, ..self }
    }

    /// Position of a value: 0 at the low end, 1 at the high end, beyond outside; none for what cannot be shown.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        place.is_finite().then_some(place)
    }

    /// About five round values inside the axis.
    pub(super) fn ticks(&self) -> Vec<Tick> {
        match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
        }
    }

    fn linear_ticks(&self) -> Vec<Tick> {
        let step = step(self.high - self.low);
        if !step.is_normal() {
            return Vec::new();
        }
        let (first, last) = ((self.low / step - 1e-6).ceil(), (self.high / step + 1e-6).floor());
        let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
        let text = |value: f64| match value.abs() {
            large if large >= 1e5 || (step < 1e-4 && large > 0.0) => format!("{value:.1e}"),
            _ => format!("{value:.decimals$}"),
        };
        // Minus zero is written as zero.
        (0..=(last - first).clamp(0.0, 20.0) as u32)
            .map(|k| (first + f64::from(k)) * step + 0.0)
            .map(|v| (v, text(v)))
            .collect()
    }

    fn log_ticks(&self) -> Vec<Tick> {
        let (first, last) = (self.low.log10().floor() as i32, self.high.log10().ceil() as i32);
        let every = ((last - first) / 6 + 1) as usize;
        let factors: &[f64] = if last - first <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let inside = |value: f64| value >= self.low * 0.999 && value <= self.high * 1.001;
        let tick = |factor: f64, power: i32| {
            let value = factor * 10f64.powi(power);
            let decimals = (-power).max(0) as usize;
            let text =
                if (-2..=3).contains(&power) { format!("{value:.decimals$}") } else { format!("{factor}e{power}") };
            inside(value).then_some((value, text))
        };
        (first..=last).step_by(every).flat_map(|power| factors.iter().filter_map(move |f| tick(*f, power))).collect()
    }
}

/// Round step (1, 2 or 5 times a power of ten) that divides a span into four to eight parts.
fn step(span: f64) -> f64 {
    let rough = span / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let factor = match rough / power {
        f if f < 1.5 => 1.0,
        f if f < 3.5 => 2.0,
        f if f < 7.5 => 5.0,
        _ => 10.0,
    };
    factor * power
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    fn texts(scale: Scale, low: f64, high: f64) -> Vec<String> {
        let axis = Fitted::new(scale, None, [low, high].into_iter()).unwrap();
        axis.rounded().ticks().into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(Scale::Linear, 0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(Scale::Linear, 3.0, 97.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(texts(Scale::Linear, -0.031, 0.02), ["-0.04", "-0.03", "-0.02", "-0.01", "0.00", "0.01", "0.02"]);
        assert_eq!(texts(Scale::Log, 1e-7, 1e-1), ["1e-7", "1e-5", "1e-3", "0.1"]);
        assert_eq!(texts(Scale::Log, 1.0, 10.0), ["1", "2", "5", "10"]);
    }

    #[test]
    fn odd_input_gives_an_axis_or_none() {
        assert!(Fitted::new(Scale::Linear, None, [f64::NAN].into_iter()).is_none());
        assert!(Fitted::new(Scale::Log, None, [-1.0, 0.0].into_iter()).is_none());
        let flat = Fitted::new(Scale::Linear, None, [4.0].into_iter()).unwrap();
        let half = |place: Option<f64>| place.is_some_and(|place| (place - 0.5).abs() < 1e-9);
        assert!(half(flat.place(4.0)));
        assert!(flat.ticks().len() > 2);
        let log = Fitted::new(Scale::Log, None, [1.0, 100.0].into_iter()).unwrap();
        assert!(half(log.place(10.0)) && log.place(-1.0).is_none());
    }
}
