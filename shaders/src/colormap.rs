//! Colour maps that rise evenly in lightness and are read alike with and without colour blindness.

use std::sync::LazyLock;

/// A perceptually uniform colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Colormap {
    /// Matplotlib's default (Smith & van der Walt 2015): purple, teal, yellow.
    #[default]
    Viridis,
    /// Blue to yellow, optimised for colour-vision deficiency (Nuñez, Anderton & Renslow 2018).
    Cividis,
}

/// Every 15th of the 256 published colours, as 0xRRGGBB; those between are interpolated.
type Knots = [u32; 18];

/// From matplotlib's table (CC0); the interpolation is within 5 levels of it.
const VIRIDIS: Knots = [
    0x44_01_54, 0x48_17_69, 0x47_2a_7a, 0x43_3d_84, 0x3d_4e_8a, 0x35_5e_8d, 0x2e_6d_8e, 0x29_7b_8e, 0x23_89_8e,
    0x1f_97_8b, 0x21_a5_85, 0x2e_b3_7c, 0x46_c0_6f, 0x65_cb_5e, 0x89_d5_48, 0xb0_dd_2f, 0xd8_e2_19, 0xfd_e7_25,
];

/// From matplotlib's table; within 11 levels of it (a bend near the dark end), elsewhere 4.
const CIVIDIS: Knots = [
    0x00_22_4e, 0x00_2d_68, 0x16_37_70, 0x2e_41_6d, 0x3f_4c_6c, 0x4e_56_6c, 0x5c_61_6e, 0x69_6b_71, 0x76_76_76,
    0x83_81_79, 0x92_8c_78, 0xa0_98_75, 0xaf_a4_71, 0xbf_b0_6b, 0xcf_bd_62, 0xdf_ca_57, 0xf0_d8_46, 0xfe_e8_38,
];

/// The map's colours from 0 to 1 in 256 even steps, as 8-bit sRGB.
#[must_use]
pub fn table(map: Colormap) -> &'static [[u8; 3]; 256] {
    static TABLES: LazyLock<[[[u8; 3]; 256]; 2]> = LazyLock::new(|| [interpolated(&VIRIDIS), interpolated(&CIVIDIS)]);
    let [viridis, cividis] = &*TABLES;
    match map {
        Colormap::Viridis => viridis,
        Colormap::Cividis => cividis,
    }
}

/// [`table`] as [`OVERLAY`](crate::OVERLAY) reads it: opaque RGBA8 with R in the low byte, `[256]`.
#[must_use]
pub fn packed(map: Colormap) -> Vec<u32> {
    table(map).iter().map(|&[r, g, b]| u32::from_le_bytes([r, g, b, 255])).collect()
}

fn interpolated(knots: &Knots) -> [[u8; 3]; 256] {
    std::array::from_fn(|entry| {
        let (knot, part) = (entry / 15, (entry % 15) as f32 / 15.0);
        let [_, from @ ..] = knots[knot].to_be_bytes();
        let [_, to @ ..] = knots[(knot + 1).min(17)].to_be_bytes();
        std::array::from_fn(|c| (f32::from(from[c]) * (1.0 - part) + f32::from(to[c]) * part).round() as u8)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_tables_between_the_knots() {
        let published = [
            (Colormap::Viridis, 32, [71, 45, 123]),
            (Colormap::Viridis, 96, [44, 114, 142]),
            (Colormap::Viridis, 128, [33, 145, 140]),
            (Colormap::Viridis, 191, [92, 200, 99]),
            (Colormap::Cividis, 32, [26, 56, 111]),
            (Colormap::Cividis, 96, [97, 101, 111]),
            (Colormap::Cividis, 159, [154, 147, 118]),
            (Colormap::Cividis, 223, [221, 200, 88]),
        ];
        for (map, entry, expected) in published {
            let got = table(map)[entry];
            assert!(got.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 4), "{map:?} {entry}: {got:?}");
        }
    }

    #[test]
    fn lightness_rises() {
        for map in [Colormap::Viridis, Colormap::Cividis] {
            let light = |step: usize| {
                let [r, g, b] = table(map)[step * 255 / 64].map(f32::from);
                0.2126 * r + 0.7152 * g + 0.0722 * b
            };
            assert!((1..=64).all(|step| light(step) > light(step - 1)), "{map:?}");
        }
    }

    #[test]
    fn packs_red_lowest_and_opaque() {
        let packed = packed(Colormap::Viridis);
        assert_eq!((packed.len(), packed[0]), (256, 0xff_54_01_44));
    }
}
