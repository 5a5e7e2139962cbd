use super::OpticalDensity;
use super::clusters::nearest;
use super::glass::glass;
use super::prior::{kinds, lumen_filled, seen};
use crate::config::MaskConfig;

/// [`refine`](super::refine) for an image that is seen part by part, such as a whole slide: lengths follow a patch's
/// side, and the colours of nuclei, stroma and glass are found once, from samples of the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Wide {
    side: f32,
    prior: f32,
    glass: bool,
    centres: Vec<[f32; 6]>,
}

impl Wide {
    /// The pixels around a part that its result depends on, for patches of `side` pixels; a lumen that reaches further
    /// is not filled.
    #[must_use]
    pub fn margin(side: usize) -> usize {
        side / 3
    }

    /// About `count` samples of an image `[H, W]` of RGB bytes, for [`Wide::new`].
    #[must_use]
    pub fn samples(rgb: &[u8], size: [usize; 2], side: usize, count: usize) -> Vec<[f32; 6]> {
        let colours = seen(&OpticalDensity::new(rgb, size), side as f32);
        let step = (colours.len() / count.max(1)).max(1);
        // an odd step does not follow a column
        colours.into_iter().step_by(step | 1).collect()
    }

    /// What `config` asks for, with the colours that samples show; `side` is that of a patch.
    #[must_use]
    pub fn new(samples: &[[f32; 6]], side: usize, config: &MaskConfig) -> Self {
        let centres = if config.prior > 0.0 { kinds(samples) } else { Vec::new() };
        Self { side: side as f32, prior: config.prior as f32, glass: config.tissue, centres }
    }

    /// What is known of each pixel of a part `[H, W]`: 1 for the prior's foreground, plus 2 for glass.
    #[must_use]
    pub fn flags(&self, rgb: &[u8], size: [usize; 2]) -> Vec<u8> {
        let density = OpticalDensity::new(rgb, size);
        let mut flags = vec![0; size[0] * size[1]];
        if self.prior > 0.0 {
            let clusters = seen(&density, self.side).iter().map(|colour| nearest(colour, &self.centres)).collect();
            let inside = lumen_filled(clusters, &self.centres, size, self.side);
            flags.iter_mut().zip(inside).for_each(|(flag, inside)| *flag |= u8::from(inside));
        }
        if self.glass {
            flags.iter_mut().zip(glass(&density, self.side)).for_each(|(flag, glass)| *flag |= 2 * u8::from(glass));
        }
        flags
    }

    /// A soft mask's value with what is known of its pixel.
    #[must_use]
    pub fn refined(&self, soft: f32, flag: u8) -> f32 {
        if flag & 2 != 0 { 0.0 } else { (1.0 - self.prior) * soft + self.prior * f32::from(flag & 1) }
    }
}
