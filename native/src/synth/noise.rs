//! Value noise: smooth random fields for texture.

/// A random field over the plane; equal seeds are equal fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Noise(pub(super) u32);

impl Noise {
    /// Value in `[0, 1]` that varies over a length of about 1.
    pub(super) fn at(self, x: f32, y: f32) -> f32 {
        let (column, row) = (x.floor(), y.floor());
        let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
        let (u, v) = (smooth(x - column), smooth(y - row));
        let (column, row) = (column as i32, row as i32);
        let corner = |dx, dy| self.lattice(column.wrapping_add(dx), row.wrapping_add(dy));
        let top = corner(0, 0) + u * (corner(1, 0) - corner(0, 0));
        let bottom = corner(0, 1) + u * (corner(1, 1) - corner(0, 1));
        top + v * (bottom - top)
    }

    /// Three octaves, in `[0, 1]`.
    pub(super) fn rough(self, x: f32, y: f32) -> f32 {
        let octave = |n: u32, scale: f32| Self(self.0.wrapping_add(n)).at(x * scale, y * scale);
        (4.0 * octave(0, 1.0) + 2.0 * octave(1, 2.0) + octave(2, 4.0)) / 7.0
    }

    /// Hash of a lattice point (finaliser of MurmurHash3) as a number in `[0, 1]`.
    pub(super) fn lattice(self, column: i32, row: i32) -> f32 {
        let mut h = self.0 ^ (column as u32).wrapping_mul(0x9e37_79b1) ^ (row as u32).wrapping_mul(0x85eb_ca77);
        h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
        h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
        (h ^ (h >> 16)) as f32 / u32::MAX as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_range_and_is_continuous() {
        let noise = Noise(7);
        for k in -500..500 {
            let (x, y) = (k as f32 * 0.137, k as f32 * -0.071);
            let (here, next) = (noise.rough(x, y), noise.rough(x + 1e-3, y));
            assert!((0.0..=1.0).contains(&here), "{here} at {x},{y}");
            assert!((here - next).abs() < 0.01, "jump at {x},{y}");
        }
    }
}
