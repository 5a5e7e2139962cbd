//! The inside of a gland: membrane, cytoplasm, lumen and nuclei. The only place where the class shows.

use std::f32::consts::{PI, TAU};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{
    SynthClass,
    canvas::{Canvas, Nucleus, Sample},
    noise::Noise,
    outline::Outline,
};

/// Paints gland `number` (from 1) over the stroma; samples of other glands are kept.
pub(super) fn paint(canvas: &mut Canvas, number: u16, outline: &Outline, class: SynthClass, rng: &mut ChaCha8Rng) {
    let [texture, edge, chromatin] = [(); 3].map(|()| Noise(rng.random()));
    let lumens = match class {
        SynthClass::Regular => vec![Lumen::wide(outline, rng)],
        SynthClass::Irregular => Lumen::slits(outline, rng),
    };
    let (eosin, haematoxylin) = match class {
        SynthClass::Regular => (0.42, 0.33),
        SynthClass::Irregular => (0.42, 0.36),
    };
    let secretion = rng.random_range(0.0..0.5);

    canvas.each(outline.centre, outline.reach(), |x, y, sample| {
        let depth = outline.depth(x, y);
        if depth <= 0.0 || sample.gland != 0 {
            return;
        }
        let grain = texture.rough(x / 3.0, y / 3.0) - 0.5;
        let open = Lumen::openness(&lumens, x, y, depth + 2.4 * (edge.rough(x / 5.0, y / 5.0) - 0.5));
        let membrane = (1.0 - depth / 0.9).clamp(0.0, 1.0);
        let e = eosin + 0.35 * grain + 0.3 * membrane;
        let h = haematoxylin + 0.3 * grain - 0.15 * membrane;
        let content = secretion * (0.4 + grain);
        *sample = Sample { h: h + open * (0.04 - h), e: e + open * (0.05 + content - e), gland: number };
    });

    let nuclei = match class {
        SynthClass::Regular => row_of_nuclei(outline, rng),
        SynthClass::Irregular => chaotic_nuclei(outline, &lumens, rng),
    };
    for nucleus in &nuclei {
        canvas.stamp(nucleus, chromatin, number);
    }
}

/// An opening of the gland.
enum Lumen {
    /// Everything deeper than this.
    Below(f32),
    /// A slit: centre, half axes, angle.
    Slit { centre: [f32; 2], axes: [f32; 2], angle: f32 },
}

impl Lumen {
    /// The epithelium is one cell high, so the lumen is what is left.
    fn wide(outline: &Outline, rng: &mut ChaCha8Rng) -> Self {
        Self::Below((rng.random_range(0.52..0.78) * outline.radius).clamp(4.5, 14.0))
    }

    /// One to four slits.
    fn slits(outline: &Outline, rng: &mut ChaCha8Rng) -> Vec<Self> {
        (0..rng.random_range(1..5))
            .map(|_| {
                let depth = rng.random_range(0.35..0.9) * outline.radius;
                let centre = outline.below_edge(rng.random_range(0.0..TAU), depth);
                let axes =
                    [rng.random_range(0.12..0.38), rng.random_range(0.08..0.2)].map(|part| part * outline.radius);
                Self::Slit { centre, axes, angle: rng.random_range(0.0..PI) }
            })
            .collect()
    }

    /// 1 inside any of the openings, 0 outside, with a soft edge.
    fn openness(lumens: &[Self], x: f32, y: f32, depth: f32) -> f32 {
        let inside = |lumen: &Self| match lumen {
            Self::Below(wall) => depth - wall,
            Self::Slit { centre, axes: [a, b], angle } => {
                let (sin, cos) = angle.sin_cos();
                let (dx, dy) = (x - centre[0], y - centre[1]);
                (1.0 - ((cos * dx + sin * dy) / a).hypot((cos * dy - sin * dx) / b)) * b
            }
        };
        lumens.iter().map(|lumen| (inside(lumen) / 0.8 + 0.5).clamp(0.0, 1.0)).fold(0.0, f32::max)
    }
}

/// One ordered row of upright nuclei at the rim.
fn row_of_nuclei(outline: &Outline, rng: &mut ChaCha8Rng) -> Vec<Nucleus> {
    let height = rng.random_range(1.9..2.4);
    let spacing = rng.random_range(2.7..3.2);
    let mut nuclei = Vec::new();
    let mut angle = 0.0f32;
    while angle < TAU {
        let depth = height + 1.1 + rng.random_range(-0.25..0.25);
        let centre = outline.below_edge(angle, depth);
        let [nx, ny] = outline.inwards(centre[0], centre[1]);
        nuclei.push(Nucleus {
            centre,
            axes: [height * rng.random_range(0.9..1.1), rng.random_range(1.0..1.2)],
            angle: ny.atan2(nx) + rng.random_range(-0.12..0.12),
            dark: rng.random_range(1.45..1.75),
        });
        // Equal steps along the row: the same length is a smaller angle farther from the centre.
        let away = (centre[0] - outline.centre[0]).hypot(centre[1] - outline.centre[1]).max(2.0);
        angle += spacing / away;
    }
    nuclei
}

/// Crowded nuclei of all sizes at any depth and angle.
fn chaotic_nuclei(outline: &Outline, lumens: &[Lumen], rng: &mut ChaCha8Rng) -> Vec<Nucleus> {
    let mut nuclei: Vec<Nucleus> = Vec::new();
    let reach = outline.reach();
    let tries = (reach * reach * 1.1) as usize;
    for _ in 0..tries {
        let centre = [0, 1].map(|axis: usize| outline.centre[axis] + rng.random_range(-reach..reach));
        let size = rng.random_range(1.3..2.7f32);
        let depth = outline.depth(centre[0], centre[1]);
        let free = depth > 0.8 * size
            && Lumen::openness(lumens, centre[0], centre[1], depth) < 0.1
            && nuclei.iter().all(|other| {
                (other.centre[0] - centre[0]).hypot(other.centre[1] - centre[1]) > 1.05 * (size + other.axes[1])
            });
        if free {
            nuclei.push(Nucleus {
                centre,
                axes: [size * rng.random_range(1.0..1.4), size * rng.random_range(0.65..1.0)],
                angle: rng.random_range(0.0..PI),
                dark: rng.random_range(0.7..1.5),
            });
        }
    }
    nuclei
}
