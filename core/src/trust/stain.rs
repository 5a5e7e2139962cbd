//! The same tissue stained a little more or less: haematoxylin and eosin scaled in optical density (Ruifrok &
//! Johnston 2001; as augmentation Tellez et al., IEEE TMI 2018).

/// Optical density of haematoxylin, eosin and the rest (DAB) in red, green and blue, each of length 1 within rounding
/// (Ruifrok & Johnston 2001).
pub const STAINS: [[f64; 3]; 3] = [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]];

/// Changes that two laboratories could differ by: factors of haematoxylin and of eosin.
pub const CHANGES: [[f64; 2]; 4] = [[0.8, 1.0], [1.25, 1.0], [1.0, 0.8], [1.0, 1.25]];

/// Interleaved RGB with haematoxylin and eosin multiplied: `OD = -ln((v + 1) / 256)`, split into stains, scaled, and
/// back.
#[must_use]
pub fn restained(rgb: &[u8], [haematoxylin, eosin]: [f64; 2]) -> Vec<u8> {
    let change = change([haematoxylin, eosin, 1.0]);
    let density: [f64; 256] = std::array::from_fn(|value| -((value as f64 + 1.0) / 256.0).ln());
    let pixel = |pixel: &[u8; 3]| -> [u8; 3] {
        let from = pixel.map(|value| density[usize::from(value)]);
        std::array::from_fn(|channel| {
            let density: f64 = from.iter().zip(&change).map(|(density, row)| density * row[channel]).sum();
            // a cast from float saturates
            (256.0 * (-density).exp() - 1.0).round() as u8
        })
    };
    rgb.as_chunks::<3>().0.iter().flat_map(pixel).collect()
}

/// `S⁻¹ diag(factors) S` for densities as row vectors.
fn change(factors: [f64; 3]) -> [[f64; 3]; 3] {
    let inverse = inverse(STAINS);
    std::array::from_fn(|i| {
        std::array::from_fn(|j| (0..3).map(|stain| inverse[i][stain] * factors[stain] * STAINS[stain][j]).sum())
    })
}

/// By cofactors.
fn inverse(m: [[f64; 3]; 3]) -> [[f64; 3]; 3] {
    let cofactor = |i: usize, j: usize| {
        let at = |a: usize, b: usize| m[(i + a) % 3][(j + b) % 3];
        at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * cofactor(0, j)).sum();
    std::array::from_fn(|i| std::array::from_fn(|j| cofactor(j, i) / determinant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_of_one_change_nothing() {
        let rgb: Vec<u8> = (0..=254).collect();
        assert_eq!(restained(&rgb, [1.0, 1.0]), rgb);
    }

    #[test]
    fn more_haematoxylin_multiplies_its_density() {
        let of = |amount: f64| STAINS[0].map(|density| (256.0 * (-amount * density).exp() - 1.0).round() as u8);
        let (once, twice) = (of(0.5), of(1.0));
        for (found, expected) in restained(&once, [2.0, 1.0]).iter().zip(twice) {
            assert!(found.abs_diff(expected) <= 1, "{found} is not {expected}");
        }
        // glass stays glass
        assert_eq!(restained(&[255; 3], [1.25, 0.8]), [255; 3]);
    }
}
