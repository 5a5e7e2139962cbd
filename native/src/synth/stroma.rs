//! The background: wavy collagen fibres with gaps, spindle-shaped and round nuclei. Knows nothing of the class.

use std::f32::consts::TAU;

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{
    WORLD,
    canvas::{Canvas, Nucleus},
    noise::Noise,
};

/// Covers the whole canvas; glands are painted over it.
pub(super) fn paint(canvas: &mut Canvas, rng: &mut ChaCha8Rng) {
    let [fibres, bundles, gaps, bend, chromatin] = [(); 5].map(|()| Noise(rng.random()));
    let main = rng.random_range(0.0..TAU);
    // Fibres run along a direction that turns slowly over the patch.
    let direction = |x: f32, y: f32| main + 2.6 * (bend.at(x / 55.0, y / 55.0) - 0.5);
    let (sin, cos) = main.sin_cos();
    canvas.all(|x, y, sample| {
        let sway = 22.0 * (bend.at(x / 55.0, y / 55.0) - 0.5) + 6.0 * bundles.at(x / 17.0, y / 17.0);
        let (along, across) = (cos * x + sin * y, cos * y - sin * x + sway);
        let fibre = fibres.rough(along / 16.0, across / 2.6);
        let bundle = bundles.rough(along / 30.0, across / 11.0);
        let gap = ((gaps.rough(along / 15.0, across / 4.5) - 0.63) / 0.07).clamp(0.0, 1.0);
        sample.e = (0.22 + 0.5 * fibre + 0.28 * bundle) * (1.0 - 0.75 * gap);
        sample.h = (0.05 + 0.14 * fibre) * (1.0 - 0.6 * gap);
    });

    for _ in 0..rng.random_range(110..170) {
        let centre = [(); 2].map(|()| rng.random_range(-2.0..WORLD + 2.0));
        let lymphocyte = rng.random_bool(0.22);
        let nucleus = if lymphocyte {
            let r = rng.random_range(1.2..1.6);
            Nucleus { centre, axes: [r, r * 0.9], angle: 0.0, dark: rng.random_range(1.5..1.9) }
        } else {
            let axes = [rng.random_range(1.8..3.1), rng.random_range(0.65..1.05)];
            let angle = direction(centre[0], centre[1]) + rng.random_range(-0.35..0.35);
            Nucleus { centre, axes, angle, dark: rng.random_range(1.0..1.6) }
        };
        canvas.stamp(&nucleus, chromatin, 0);
    }
}
