//! A nest of tumour: a star-shaped outline, and perhaps a hole in it.

use std::f64::consts::TAU;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

/// Microns outside from which on the shape of the edge is not looked at.
const FAR: f64 = 20.0;
/// Points of an outline that is written down.
const POINTS: usize = 160;

/// A closed line around a centre, whose distance from it is a wave over the angle. Lengths in microns.
#[derive(Clone, Debug)]
struct Star {
    centre: [f64; 2],
    radius: f64,
    /// Lobes, amplitude, phase.
    waves: [(f64, f64, f64); 4],
}

impl Star {
    fn sample(centre: [f64; 2], radius: f64, rough: f64, rng: &mut ChaCha8Rng) -> Self {
        let wave = |lobes: std::ops::Range<u32>, amplitude: f64, rng: &mut ChaCha8Rng| {
            (
                f64::from(rng.random_range(lobes)),
                rough * amplitude * rng.random_range(0.5..1.0),
                rng.random_range(0.0..TAU),
            )
        };
        let waves = [wave(2..3, 0.18, rng), wave(3..6, 0.12, rng), wave(6..10, 0.06, rng), wave(11..17, 0.025, rng)];
        Self { centre, radius, waves }
    }

    fn radius(&self, angle: f64) -> f64 {
        let waves = self.waves.iter().map(|(lobes, amplitude, phase)| amplitude * (lobes * angle + phase).cos());
        self.radius * (1.0 + waves.sum::<f64>())
    }

    /// Microns from a point inside to the edge, along the ray from the centre; below 0 outside, and far outside only
    /// about that.
    fn depth(&self, x: f64, y: f64) -> f64 {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let (distance, reach) = (dx.hypot(dy), self.reach());
        if distance > reach + FAR { reach - distance } else { self.radius(dy.atan2(dx)) - distance }
    }

    fn reach(&self) -> f64 {
        self.radius * (1.0 + self.waves.iter().map(|wave| wave.1).sum::<f64>())
    }

    fn outline(&self) -> Vec<[f64; 2]> {
        let point = |index: usize| {
            let angle = TAU * index as f64 / POINTS as f64;
            let radius = self.radius(angle);
            [self.centre[0] + radius * angle.cos(), self.centre[1] + radius * angle.sin()]
        };
        (0..POINTS).map(point).collect()
    }
}

/// A nest. Lengths in microns.
#[derive(Clone, Debug)]
pub(super) struct Nest {
    outer: Star,
    hole: Option<Star>,
}

impl Nest {
    /// Draws the shape of a nest; `holed` has lymphatic tissue in its middle.
    pub(super) fn sample(centre: [f64; 2], radius: f64, holed: bool, rng: &mut ChaCha8Rng) -> Self {
        let outer = Star::sample(centre, radius, 1.0, rng);
        let hole = holed.then(|| {
            let aside = [(); 2].map(|()| rng.random_range(-0.12..0.12) * radius);
            Star::sample([centre[0] + aside[0], centre[1] + aside[1]], 0.33 * radius, 0.6, rng)
        });
        Self { outer, hole }
    }

    /// Microns from a point in the tumour to its edge; below 0 outside and in the hole.
    pub(super) fn depth(&self, x: f64, y: f64) -> f64 {
        let outer = self.outer.depth(x, y);
        self.hole.as_ref().map_or(outer, |hole| outer.min(-hole.depth(x, y)))
    }

    /// No part is farther from the centre.
    pub(super) fn reach(&self) -> f64 {
        self.outer.reach()
    }

    pub(super) fn centre(&self) -> [f64; 2] {
        self.outer.centre
    }

    /// Its outline, and its hole's.
    pub(super) fn outlines(&self) -> (Vec<[f64; 2]>, Option<Vec<[f64; 2]>>) {
        (self.outer.outline(), self.hole.as_ref().map(Star::outline))
    }
}
