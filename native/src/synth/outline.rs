//! The closed shape of one gland.

use std::f32::consts::TAU;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{SynthClass, noise::Noise};

/// One term of the radius over the angle: `1 + amplitude * cos(lobes * angle + phase)`.
#[derive(Clone, Copy, Debug)]
struct Wave {
    lobes: f32,
    amplitude: f32,
    phase: f32,
}

/// An ellipse with a wavy radius in a bent plane.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    /// Centre, in world lengths.
    pub(super) centre: [f32; 2],
    /// Radius of the circle of equal area before waves.
    pub(super) radius: f32,
    /// Long over short axis, at least 1.
    stretch: f32,
    angle: f32,
    waves: Vec<Wave>,
    warp: Noise,
    warp_amount: f32,
}

impl Outline {
    /// Draws the shape of a gland of the class at a place.
    pub(super) fn sample(class: SynthClass, centre: [f32; 2], radius: f32, rng: &mut ChaCha8Rng) -> Self {
        let (lobes, amplitude, stretch, warp_amount) = match class {
            SynthClass::Regular => (2..4, 0.0..0.05, 1.0..1.55, 1.5),
            SynthClass::Irregular => (2..7, 0.05..0.16, 1.1..1.7, 8.0),
        };
        let waves = (0..3)
            .map(|_| Wave {
                lobes: rng.random_range(lobes.clone()) as f32,
                amplitude: rng.random_range(amplitude.clone()),
                phase: rng.random_range(0.0..TAU),
            })
            .collect();
        Self {
            centre,
            radius,
            stretch: rng.random_range(stretch),
            angle: rng.random_range(0.0..TAU),
            waves,
            warp: Noise(rng.random()),
            warp_amount,
        }
    }

    /// No part of the gland is farther from its centre.
    pub(super) fn reach(&self) -> f32 {
        let waves: f32 = self.waves.iter().map(|wave| wave.amplitude).sum();
        self.radius * (1.0 + waves) * self.stretch.sqrt() + self.warp_amount
    }

    /// Length from a point inside to the edge, to first order; outside, some number that is not positive.
    pub(super) fn depth(&self, x: f32, y: f32) -> f32 {
        let level = self.level(x, y);
        if level <= 0.0 {
            return level;
        }
        let [dx, dy] = self.slope(x, y);
        level / dx.hypot(dy).clamp(0.6, 3.0)
    }

    /// Unit vector that points inwards.
    pub(super) fn inwards(&self, x: f32, y: f32) -> [f32; 2] {
        let [dx, dy] = self.slope(x, y);
        let length = dx.hypot(dy).max(1e-6);
        [dx / length, dy / length]
    }

    /// Point at `depth` below the edge in the direction `angle` from the centre.
    pub(super) fn below_edge(&self, angle: f32, depth: f32) -> [f32; 2] {
        let (sin, cos) = angle.sin_cos();
        let (mut near, mut far) = (0.0, self.reach());
        for _ in 0..16 {
            let middle = 0.5 * (near + far);
            let inside = self.depth(self.centre[0] + cos * middle, self.centre[1] + sin * middle) > depth;
            if inside { near = middle } else { far = middle }
        }
        [self.centre[0] + cos * near, self.centre[1] + sin * near]
    }

    /// Radius of the shape minus distance from its centre, in the shape's own frame: a cheap stand-in for the depth.
    pub(super) fn level(&self, x: f32, y: f32) -> f32 {
        let bend = |shift: f32| self.warp_amount * (self.warp.at(x / 13.0 + shift, y / 13.0) - 0.5);
        let (dx, dy) = (x - self.centre[0] + bend(0.0), y - self.centre[1] + bend(100.0));
        let (sin, cos) = self.angle.sin_cos();
        let root = self.stretch.sqrt();
        let (u, v) = ((cos * dx + sin * dy) / root, (cos * dy - sin * dx) * root);
        let angle = v.atan2(u);
        let waves: f32 = self.waves.iter().map(|w| w.amplitude * (w.lobes * angle + w.phase).cos()).sum();
        // Waves fade towards the centre, where an angle means nothing.
        let away = u.hypot(v);
        self.radius * (1.0 + waves * (away / self.radius).min(1.0)) - away
    }

    fn slope(&self, x: f32, y: f32) -> [f32; 2] {
        const STEP: f32 = 0.25;
        [
            (self.level(x + STEP, y) - self.level(x - STEP, y)) / (2.0 * STEP),
            (self.level(x, y + STEP) - self.level(x, y - STEP)) / (2.0 * STEP),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn edge_points_have_the_depth_asked_for_and_lie_within_reach() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for class in SynthClass::ALL {
            let shape = Outline::sample(class, [60.0, 70.0], 20.0, &mut rng);
            for k in 0..24 {
                let [x, y] = shape.below_edge(k as f32 * TAU / 24.0, 2.0);
                assert!((shape.depth(x, y) - 2.0).abs() < 0.05, "{class:?}: {}", shape.depth(x, y));
                assert!((x - 60.0).hypot(y - 70.0) < shape.reach());
            }
        }
    }
}
