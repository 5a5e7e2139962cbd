//! The colour maps of `histomask_shaders`, as users name them.

use clap::ValueEnum;
use histomask_core::shaders::colormap;
use serde::{Deserialize, Serialize};

/// A perceptually uniform colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Colormap {
    /// Matplotlib's default (Smith & van der Walt 2015): purple, teal, yellow.
    #[default]
    Viridis,
    /// Blue to yellow, optimised for colour-vision deficiency (Nuñez, Anderton & Renslow 2018).
    Cividis,
}

impl From<Colormap> for colormap::Colormap {
    fn from(map: Colormap) -> Self {
        match map {
            Colormap::Viridis => Self::Viridis,
            Colormap::Cividis => Self::Cividis,
        }
    }
}

/// Colour of `v`, clamped to `[0, 1]` (not a number counts as 0), as 8-bit sRGB.
pub fn color(map: Colormap, v: f32) -> [u8; 3] {
    // A cast to u8 saturates and takes NaN to 0.
    let entry = usize::from((v * 255.0).round() as u8);
    colormap::table(map.into())[entry]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_clamped() {
        for map in [Colormap::Viridis, Colormap::Cividis] {
            assert_eq!(color(map, -3.0), color(map, 0.0));
            assert_eq!(color(map, 7.0), color(map, 1.0));
            assert_eq!(color(map, f32::NAN), color(map, 0.0));
            assert_ne!(color(map, 0.0), color(map, 1.0));
        }
    }
}
