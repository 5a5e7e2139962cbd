//! A lymph node on glass, drawn from its coordinates alone: capsule, trabeculae, lymphocytes, and nests of tumour with
//! large pale nuclei. Lengths in microns, sizes about those of human tissue.

use std::f64::consts::TAU;

use image::RgbImage;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::nest::Nest;
use super::noise::Noise;
use super::stain::Stain;

/// Amplitude of the scanner's noise, in grey levels.
const GRAIN: f32 = 2.5;
/// Farther than this from an edge nothing of the other side reaches.
const NEAR: f64 = 9.0;

/// Nuclei on a jittered grid.
struct Nuclei {
    noise: Noise,
    spacing: f64,
    /// Range of radii.
    radius: [f64; 2],
    /// Range of haematoxylin.
    dark: [f32; 2],
    /// How much the chromatin is clumped.
    clumps: f32,
}

const LYMPHOCYTES: ([f64; 2], [f32; 2], f32) = ([2.6, 3.3], [1.35, 1.75], 0.25);
const TUMOUR: ([f64; 2], [f32; 2], f32) = ([4.0, 6.3], [0.65, 1.1], 0.6);

impl Nuclei {
    fn new(spacing: f64, (radius, dark, clumps): ([f64; 2], [f32; 2], f32), noise: Noise) -> Self {
        Self { noise, spacing, radius, dark, clumps }
    }

    /// How much of a place a nucleus covers, and its haematoxylin; `here` says whether its centre may have one.
    fn at(&self, x: f64, y: f64, here: impl Fn(f64, f64) -> bool) -> (f32, f32) {
        let [column, row] = [x, y].map(|at| (at / self.spacing).floor() as i32);
        let mut best = (0.0_f32, 0.0);
        for (i, j) in (-1..=1).flat_map(|i| (-1..=1).map(move |j| (column + i, row + j))) {
            let random = |part: i32| f64::from(self.noise.lattice(i.wrapping_mul(7) + part, j.wrapping_mul(5) - part));
            // every other row is shifted, so that no columns show
            let shift = if j % 2 == 0 { 0.25 } else { -0.25 };
            let centre = [(i, random(0), shift), (j, random(1), 0.0)]
                .map(|(cell, jitter, shift)| (f64::from(cell) + 0.5 + shift + 0.65 * (jitter - 0.5)) * self.spacing);
            let (dx, dy) = (x - centre[0], y - centre[1]);
            let radius = self.radius[0] + (self.radius[1] - self.radius[0]) * random(2);
            if dx.abs().max(dy.abs()) > 1.4 * radius {
                continue;
            }
            let (sin, cos) = (TAU * random(3)).sin_cos();
            let stretch = 1.0 + 0.35 * random(4);
            let distance = ((cos * dx + sin * dy) / stretch).hypot((cos * dy - sin * dx) * stretch.sqrt()) / radius;
            let cover = ((1.0 - distance) * radius / 0.5 + 0.5).clamp(0.0, 1.0) as f32;
            if cover > best.0 && here(centre[0], centre[1]) {
                let membrane = 0.3 * (-((distance - 0.88) / 0.14).powi(2)).exp() as f32;
                let clumps = self.clumps * (self.noise.rough(x as f32 * 0.8, y as f32 * 0.8) - 0.5);
                let dark = self.dark[0] + (self.dark[1] - self.dark[0]) * random(5) as f32;
                best = (cover, dark * (1.0 + membrane + clumps));
            }
        }
        best
    }
}

/// A slide's tissue.
pub(super) struct LymphNode {
    side: f64,
    stain: Stain,
    edge: Noise,
    bands: Noise,
    fibres: Noise,
    texture: Noise,
    follicles: Noise,
    lymphocytes: Nuclei,
    tumour: Nuclei,
    pub(super) nests: Vec<Nest>,
}

impl LymphNode {
    /// Draws a node on a slide of `side` microns, with so many nests, of which the first has a hole.
    pub(super) fn sample(side: f64, nests: usize, rng: &mut ChaCha8Rng) -> Self {
        let [edge, bands, fibres, texture, follicles, small, large] = [(); 7].map(|()| Noise(rng.random()));
        let mut node = Self {
            side,
            stain: Stain::sample(rng),
            edge,
            bands,
            fibres,
            texture,
            follicles,
            lymphocytes: Nuclei::new(8.2, LYMPHOCYTES, small),
            tumour: Nuclei::new(13.5, TUMOUR, large),
            nests: Vec::new(),
        };
        for index in 0..nests {
            // the later, the smaller: there is always room
            for trial in 0..200 {
                let radius = rng.random_range(0.09..0.16) * side * 0.985_f64.powi(trial);
                let centre = [(); 2].map(|()| rng.random_range(0.15..0.85) * side);
                let nest = Nest::sample(centre, radius, index == 0, rng);
                let apart = |other: &Nest| {
                    let [a, b] = [nest.centre(), other.centre()];
                    (a[0] - b[0]).hypot(a[1] - b[1]) > nest.reach() + other.reach() + 0.02 * side
                };
                if node.depth(centre[0], centre[1]) > nest.reach() + 15.0 && node.nests.iter().all(apart) {
                    node.nests.push(nest);
                    break;
                }
            }
        }
        node
    }

    /// Microns from a point in the node to its edge, about; below 0 on glass.
    fn depth(&self, x: f64, y: f64) -> f64 {
        let half = self.side / 2.0;
        let round = ((x - half) / (0.44 * self.side)).hypot((y - half) / (0.41 * self.side));
        let wavy = |scale: f64| {
            let unit = (scale * self.side) as f32;
            f64::from(self.edge.rough(x as f32 / unit, y as f32 / unit)) - 0.5
        };
        (1.0 - round) * 0.42 * self.side + 0.16 * self.side * wavy(0.22)
    }

    /// Microns from a point in tumour to its edge; below 0 outside.
    fn tumour_depth(&self, x: f64, y: f64) -> f64 {
        self.nests.iter().map(|nest| nest.depth(x, y)).fold(-1e9, f64::max)
    }

    /// Haematoxylin and eosin.
    fn stains(&self, x: f64, y: f64) -> (f32, f32) {
        let depth = self.depth(x, y);
        if depth < -1.5 {
            return (0.0, 0.0);
        }
        let tumour = self.tumour_depth(x, y);
        let (fx, fy) = (x as f32, y as f32);
        let whole = ((depth + 1.5) / 3.0).clamp(0.0, 1.0) as f32;
        let grain = self.texture.rough(fx / 2.2, fy / 2.2);
        let fibre = self.fibres.rough(fx / 16.0, fy / 2.4);
        // between tumour and node stands a thin layer of collagen
        let cuff = (1.0 - (tumour + 3.0).abs() / 3.5).clamp(0.0, 1.0) as f32;
        let band = self.bands.rough(fx / 210.0, fy / 210.0) - 0.5;
        let trabecula = ((0.022 - band.abs()) / 0.008).clamp(0.0, 1.0);
        let capsule = ((11.0 - depth) / 4.0).clamp(0.0, 1.0) as f32;
        let collagen = if tumour > 0.0 { 0.0 } else { cuff.max(trabecula).max(capsule) };
        let follicle = ((self.follicles.rough(fx / 130.0, fy / 130.0) - 0.6) / 0.05).clamp(0.0, 1.0);

        let ground = if tumour > 0.0 {
            (0.22 + 0.2 * grain, 0.42 + 0.3 * grain)
        } else {
            (0.2 + 0.15 * grain, 0.24 + 0.2 * grain)
        };
        let mix = |from: f32, to: f32, share: f32| from + share * (to - from);
        let h = mix(ground.0, 0.06 + 0.1 * fibre, collagen);
        let e = mix(ground.1, 0.5 + 0.5 * fibre, collagen);

        let lymphatic = |x: f64, y: f64| {
            let free = self.tumour_depth(x, y) < -4.5 && self.depth(x, y) > 9.0;
            free && f64::from(self.lymphocytes.noise.lattice(x as i32, y as i32)) > 0.42 * f64::from(follicle)
        };
        let (mut cover, mut dark) = (0.0, 0.0);
        if tumour < NEAR {
            (cover, dark) = self.lymphocytes.at(x, y, lymphatic);
            // few cells between fibres
            cover *= 1.0 - 0.75 * trabecula;
        }
        if tumour > -NEAR {
            let (own, own_dark) = self.tumour.at(x, y, |x, y| self.tumour_depth(x, y) > 3.5);
            if own > cover {
                (cover, dark) = (own, own_dark);
            }
        }
        (whole * mix(h, dark, cover), whole * mix(e, 0.4, cover))
    }

    /// The slide as a square picture of `pixels` a side, a pixel the mean of `samples²` places.
    pub(super) fn picture(&self, pixels: u32, samples: u32, seed: u64) -> RgbImage {
        let mut picture = RgbImage::new(pixels, pixels);
        let row_bytes = 3 * pixels as usize;
        let step = self.side / f64::from(pixels * samples);
        picture.as_flat_samples_mut().samples.par_chunks_mut(row_bytes.max(1)).enumerate().for_each(|(row, line)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(row as u64);
            for (column, pixel) in line.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                let mut light = [0.0_f32; 3];
                for (i, j) in (0..samples).flat_map(|j| (0..samples).map(move |i| (i, j))) {
                    let at =
                        |index: usize, part: u32| (index as f64 * f64::from(samples) + f64::from(part) + 0.5) * step;
                    let (h, e) = self.stains(at(column, i), at(row, j));
                    let seen = self.stain.light(h.max(0.0), e.max(0.0));
                    light.iter_mut().zip(seen).for_each(|(sum, value)| *sum += value);
                }
                let shown = light.map(|sum| sum / (samples * samples) as f32 + rng.random_range(-GRAIN..GRAIN));
                *pixel = shown.map(|value| value.round().clamp(0.0, 255.0) as u8);
            }
        });
        picture
    }
}
