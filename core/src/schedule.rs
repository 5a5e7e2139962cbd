//! Values that change from epoch to epoch: the barrier's t, Eq. 12's sigma and the learning rate (`spec` §1.5,
//! §2.2, §3.1). Epochs count from 0; each function gives the value used throughout that epoch.

use serde::{Deserialize, Serialize};

use crate::config::{LossConfig, MaskConfig};

/// t of the log-barrier: `min(t0 * factor^epoch, max)` (`spec` §2.2).
pub fn barrier_t(epoch: usize, t0: f64, factor: f64, max: f64) -> f64 {
    (t0 * factor.powf(epoch as f64)).min(max)
}

/// sigma of Eq. 12: `min(s0 + step * epoch, max)` (`spec` §1.5).
pub fn sigma(epoch: usize, s0: f64, step: f64, max: f64) -> f64 {
    (s0 + step * epoch as f64).min(max)
}

impl LossConfig {
    /// The barrier's t in `epoch`.
    pub fn t_at(&self, epoch: usize) -> f64 {
        barrier_t(epoch, self.t, self.t_factor, self.t_max)
    }
}

impl MaskConfig {
    /// sigma in `epoch`. The released code evaluates its best model with the *last* epoch's sigma (`spec` §1.5).
    pub fn sigma_at(&self, epoch: usize) -> f64 {
        sigma(epoch, self.sigma, self.sigma_step, self.sigma_max)
    }
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decay {
    /// By a factor every few epochs.
    #[default]
    Steps,
    /// Along half a cosine to the floor, which it reaches after the last epoch (Loshchilov & Hutter, ICLR 2017).
    Cosine,
}

/// Decay of the learning rate (`spec` §3.1). The default is the released GlaS code's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// Which curve it follows; `step_epochs`, `gamma` and `delayed` belong to [`Decay::Steps`].
    #[serde(default)]
    pub decay: Decay,
    /// Learning rate of epoch 0.
    pub initial: f64,
    /// Epochs between two drops; 0 for a constant rate. Half of the run's epochs gives one drop at half time.
    pub step_epochs: usize,
    /// The rate is multiplied by this at every drop, in `(0, 1]`.
    pub gamma: f64,
    /// The rate never falls below it.
    pub floor: f64,
    /// Whether each drop comes one epoch late, as the released code steps its scheduler with the number of the
    /// epoch just finished.
    pub delayed: bool,
}

impl Default for LearningRate {
    fn default() -> Self {
        Self { decay: Decay::Steps, initial: 0.001, step_epochs: 10, gamma: 0.9, floor: 1e-7, delayed: true }
    }
}

impl LearningRate {
    /// The learning rate of `epoch` of a run of `epochs`.
    pub fn at(&self, epoch: usize, epochs: usize) -> f64 {
        if self.decay == Decay::Cosine {
            let share = epoch as f64 / epochs.max(1) as f64;
            let floor = self.floor.min(self.initial);
            return floor + (self.initial - floor) * 0.5 * (1.0 + (std::f64::consts::PI * share.min(1.0)).cos());
        }
        let seen = if self.delayed { epoch.saturating_sub(1) } else { epoch };
        let drops = seen.checked_div(self.step_epochs).unwrap_or(0);
        // a floor above the initial rate must not raise it
        (self.initial * self.gamma.powf(drops as f64)).max(self.floor.min(self.initial))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64, what: &str) {
        assert!((found - expected).abs() <= 1e-9 * expected, "{what}: {found} is not {expected}");
    }

    // the expected values below are the vectors `t_schedule`, `sigma_schedule_code_glas` and `lr_schedule`

    #[test]
    fn barrier_t_grows_to_its_cap() {
        let glas = LossConfig::default();
        for (epoch, t) in
            [(0, 5.0), (1, 5.05), (35, 7.083013780156343), (69, 9.934472120769232), (70, 10.0), (79, 10.0)]
        {
            assert_close(glas.t_at(epoch), t, &format!("t of GlaS in epoch {epoch}"));
        }
        let camelyon = LossConfig { t: 10.0, t_factor: 1.1, t_max: 30.0, ..LossConfig::default() };
        for (epoch, t) in [(0, 10.0), (5, 16.105100000000004), (11, 28.53116706110002), (12, 30.0), (19, 30.0)] {
            assert_close(camelyon.t_at(epoch), t, &format!("t of Camelyon16 in epoch {epoch}"));
        }
    }

    #[test]
    fn sigma_grows_to_its_cap() {
        let glas = MaskConfig::default();
        for (epoch, sigma) in [(0, 0.15), (1, 0.151), (10, 0.16), (49, 0.199), (50, 0.2), (51, 0.2), (79, 0.2)] {
            assert_close(glas.sigma_at(epoch), sigma, &format!("sigma in epoch {epoch}"));
        }
    }

    #[test]
    fn learning_rates_of_all_methods() {
        let released = LearningRate::default();
        let half = |initial, step_epochs| LearningRate {
            decay: Decay::Steps,
            initial,
            step_epochs,
            gamma: 0.1,
            floor: 0.0,
            delayed: false,
        };
        let with_floor = LearningRate { floor: 1e-7, ..half(0.001, 40) };
        type Epochs<'a> = &'a [(usize, f64)];
        let cases: [(&str, LearningRate, Epochs<'_>); 6] = [
            (
                "released GlaS and Camelyon16",
                released,
                &[
                    (0, 0.001),
                    (1, 0.001),
                    (9, 0.001),
                    (10, 0.001),
                    (11, 0.0009),
                    (19, 0.0009),
                    (20, 0.0009),
                    (21, 0.00081),
                    (31, 0.000729),
                    (70, 0.000531441),
                    (71, 0.0004782969),
                    (79, 0.0004782969),
                ],
            ),
            ("paper Camelyon16", half(0.001, 10), &[(0, 1e-3), (9, 1e-3), (10, 1e-4), (19, 1e-4)]),
            (
                "PN and ERASE",
                with_floor,
                &[
                    (0, 1e-3),
                    (39, 1e-3),
                    (40, 1e-4),
                    (79, 1e-4),
                    (80, 1e-5),
                    (159, 1e-6),
                    (160, 1e-7),
                    (200, 1e-7),
                    (399, 1e-7),
                ],
            ),
            ("CAM baselines, GlaS", half(0.01, 80), &[(0, 0.01), (79, 0.01), (80, 0.001), (159, 0.001)]),
            (
                "U-Net, GlaS",
                half(0.1, 320),
                &[(0, 0.1), (319, 0.1), (320, 0.01), (639, 0.01), (640, 1e-3), (959, 1e-3)],
            ),
            (
                "U-Net, Camelyon16",
                half(0.1, 30),
                &[(0, 0.1), (29, 0.1), (30, 0.01), (59, 0.01), (60, 1e-3), (89, 1e-3)],
            ),
        ];
        for (name, schedule, epochs) in cases {
            for &(epoch, rate) in epochs {
                assert_close(schedule.at(epoch, 1000), rate, &format!("{name} in epoch {epoch}"));
            }
        }
    }

    #[test]
    fn a_cosine_falls_from_the_initial_rate_to_the_floor() {
        let cosine = LearningRate { decay: Decay::Cosine, floor: 1e-5, ..LearningRate::default() };
        for (epoch, rate) in [(0, 1e-3), (5, 0.000_855_017_857_3), (10, 0.000_505), (20, 1e-5), (25, 1e-5)] {
            assert_close(cosine.at(epoch, 20), rate, &format!("epoch {epoch}"));
        }
    }

    #[test]
    fn odd_settings_stay_sensible() {
        let constant = LearningRate { step_epochs: 0, ..LearningRate::default() };
        assert_eq!(constant.at(1_000, 2_000), 0.001);
        let tiny = LearningRate { initial: 1e-9, ..LearningRate::default() };
        assert_eq!(tiny.at(0, 10), 1e-9);
        assert_eq!(tiny.at(usize::MAX, 10), 1e-9);
    }
}
