//! The second pass: all patches from p0 to p1 (category A) and some of those above p1 (category B), spread over bins.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::settings::{Calibration, SampleSettings};

/// Width of a bin of shares of tumour.
const BIN: f64 = 0.05;
/// Draws from a bin in a round.
const DRAWS: usize = 100;

/// Which patches are kept, of those with these shares of tumour, all at least p0.
///
/// A round draws a bin above p1 and a patch in it that was not drawn before. The published code forgets to end a round
/// when it has one, so each takes up to 100 draws from its bin; its README describes one patch a round (`spec` §6.2).
pub(super) fn kept(shares: &[f64], settings: &SampleSettings, rng: &mut ChaCha8Rng) -> Vec<bool> {
    let mut kept: Vec<bool> = shares.iter().map(|&share| share <= settings.p1).collect();
    let few = kept.iter().filter(|&&few| few).count();
    let rounds = (few as f64 * settings.share) as usize;
    let bins: Vec<Vec<usize>> = (0..)
        .map(|bin| settings.p1 + f64::from(bin) * BIN)
        .take_while(|from| *from < 1.0 - 1e-9)
        .map(|from| {
            let within = from..=(from + BIN).min(1.0);
            (0..shares.len()).filter(|&index| within.contains(&shares[index])).collect()
        })
        .collect();
    for _ in 0..rounds {
        // the published code would draw bins for ever
        let left = |bin: &&Vec<usize>| bin.iter().any(|&index| !kept[index]);
        if !bins.iter().any(|bin| left(&bin)) {
            break;
        }
        let mut found = false;
        while !found {
            let Some(bin) = bins.get(rng.random_range(0..bins.len())).filter(|bin| !bin.is_empty()) else { continue };
            for _ in 0..DRAWS {
                let index = bin[rng.random_range(0..bin.len())];
                found |= !kept[index];
                kept[index] = true;
                if found && settings.calibration == Calibration::Documented {
                    break;
                }
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    fn run(shares: &[f64], settings: &SampleSettings) -> Vec<bool> {
        kept(shares, settings, &mut ChaCha8Rng::seed_from_u64(settings.seed))
    }

    /// Shares as the published first pass has them: most tumour patches are full.
    fn shares(few: usize, many: usize) -> Vec<f64> {
        let low = (0..few).map(|i| 0.2 + 0.3 * i as f64 / few as f64);
        low.chain((0..many).map(|i| if i % 10 < 7 { 1.0 } else { 0.5 + 0.5 * (i + 1) as f64 / many as f64 })).collect()
    }

    #[test]
    fn one_a_round_is_documented_and_many_are_coded() {
        let shares = shares(1000, 6000);
        let documented = SampleSettings { calibration: Calibration::Documented, ..SampleSettings::default() };
        let count = |settings| run(&shares, settings).iter().filter(|&&kept| kept).count();
        assert_eq!(count(&documented), 1010);
        let coded = count(&SampleSettings::default());
        // ten rounds of 100 draws: fewer where a bin has few patches
        assert!((1400..=2000).contains(&coded), "{coded}");
        assert!(run(&shares, &documented)[..1000].iter().all(|&kept| kept));
    }

    #[test]
    fn bins_count_alike_though_full_patches_are_most() {
        let shares = shares(10_000, 60_000);
        let documented = SampleSettings { calibration: Calibration::Documented, ..SampleSettings::default() };
        let kept = run(&shares, &documented);
        let full = shares.iter().zip(&kept).filter(|(share, kept)| **share == 1.0 && **kept).count();
        assert!((2..=25).contains(&full), "{full} of 100 rounds, of which one bin in ten is the last");
    }

    #[test]
    fn more_rounds_than_patches_end() {
        let settings = SampleSettings { share: 1.0, ..SampleSettings::default() };
        assert!(run(&[0.3, 0.3, 0.3, 0.7], &settings).iter().all(|&kept| kept));
        assert_eq!(run(&[0.3; 3], &settings), [true; 3]);
        // a share of exactly p1 is in both categories
        assert_eq!(run(&[0.5], &settings), [true]);
    }
}
