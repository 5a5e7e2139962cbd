/// The windows of one axis, in pixels: they start every half side, the last one ends where the axis does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the axis.
    pub length: usize,
    /// Pixels of a window, at most those of the axis.
    pub side: usize,
    /// Where windows start.
    pub starts: Vec<usize>,
    step: usize,
}

impl Axis {
    /// An axis of `length` pixels under windows of `side`, which is even.
    #[must_use]
    pub fn new(length: usize, side: usize) -> Self {
        let step = (side / 2).max(1);
        let side = side.min(length);
        let last = length - side;
        Self { length, side, starts: (0..last).step_by(step).chain([last]).collect(), step }
    }

    /// Whether a window is one of those that lie side by side; the last of them may overlap its neighbour.
    #[must_use]
    pub fn is_tile(&self, window: usize) -> bool {
        window.is_multiple_of(2) || window + 1 == self.starts.len()
    }

    /// The two windows whose middles are on both sides of a position, and the weight of the second.
    #[must_use]
    pub fn around(&self, position: f64) -> (usize, usize, f32) {
        let last = self.starts.len() - 1;
        let middle = |window: usize| self.starts[window] as f64 + self.side as f64 / 2.0;
        // all but the last are a step apart
        let guess = ((position - self.side as f64 / 2.0) / self.step as f64).floor().max(0.0) as usize;
        let first = guess.min(last.saturating_sub(1));
        let second = (first + 1).min(last);
        let (from, to) = (middle(first), middle(second));
        let share = if to > from { ((position - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
        (first, second, share as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_lies_in_both_windows_around_it() {
        for (length, side) in [(10, 32), (32, 32), (33, 32), (48, 32), (100, 32), (1001, 288), (577, 288)] {
            let axis = Axis::new(length, side);
            let covers = |window: usize, x: usize| (axis.starts[window]..axis.starts[window] + axis.side).contains(&x);
            assert_eq!(axis.starts.last().map(|start| start + axis.side), Some(length));
            let mut before: Option<(usize, usize, f32)> = None;
            for x in 0..length {
                let (first, second, share) = axis.around(x as f64 + 0.5);
                assert!((share >= 1.0 || covers(first, x)) && (share <= 0.0 || covers(second, x)), "{length}, {x}");
                assert!((0..axis.starts.len()).any(|window| axis.is_tile(window) && covers(window, x)));
                // the weight of any window changes by little from pixel to pixel
                if let Some((a, b, s)) = before {
                    let weight = |window: usize, (a, b, s): (usize, usize, f32)| {
                        f32::from(u8::from(a == window)) * (1.0 - s) + f32::from(u8::from(b == window && a != b)) * s
                    };
                    let near = 2.0 / (axis.starts.last().map_or(1, |last| last % axis.step).max(1) as f32).min(16.0);
                    for window in 0..axis.starts.len() {
                        let change = weight(window, (a, b, s)) - weight(window, (first, second, share));
                        assert!(change.abs() <= near, "{length}, {x}, window {window}: {change}");
                    }
                }
                before = Some((first, second, share));
            }
        }
    }
}
