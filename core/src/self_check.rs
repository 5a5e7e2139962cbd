//! A device against the CPU, by the model that will be used: drivers and compilers of kernels have been wrong before.

use burn::tensor::{Tensor, TensorData, Transaction};

use crate::method::Method as _;
use crate::segmenter::Segmenter;

/// Side in pixels of the picture that both compute.
const SIDE: usize = 96;

/// Largest difference of scores and maps that passes, relative to the largest value of its output where that is above 1.
pub const TOLERANCE: f32 = 2e-2;

impl Segmenter {
    /// Queues what the model makes of a picture of waves: its maps, and its scores if it has any.
    #[must_use]
    pub fn trial(&self) -> Transaction {
        let wave = (0..3 * SIDE * SIDE).map(|index| (index as f32 * 0.37).sin()).collect::<Vec<_>>();
        let input = Tensor::<4>::from_data(TensorData::new(wave, [1, 3, SIDE, SIDE]), self.device());
        let reading = self.network().read(input, self.card().sigma);
        let read = Transaction::default().register(reading.maps);
        reading.scores.into_iter().chain(reading.background).fold(read, Transaction::register)
    }
}

/// How far what a device computed in [`Segmenter::trial`] is from what the CPU did, to be compared with [`TOLERANCE`];
/// infinite if it is no number or another count of numbers.
#[must_use]
pub fn difference(ours: &[TensorData], cpu: &[TensorData]) -> f32 {
    let of_output = |(ours, cpu): (&TensorData, &TensorData)| {
        let (ours, cpu): (Vec<f32>, Vec<f32>) = (ours.iter().collect(), cpu.iter().collect());
        let largest = cpu.iter().fold(1_f32, |largest, value| largest.max(value.abs()));
        let apart = |(ours, cpu): (&f32, &f32)| {
            let apart = (ours - cpu).abs() / largest;
            if apart.is_nan() { f32::INFINITY } else { apart }
        };
        if ours.len() != cpu.len() {
            return f32::INFINITY;
        }
        ours.iter().zip(&cpu).map(apart).fold(0.0, f32::max)
    };
    if ours.len() != cpu.len() {
        return f32::INFINITY;
    }
    ours.iter().zip(cpu).map(of_output).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_or_another_number_is_far_off() {
        let of = |values: &[f32]| TensorData::new(values.to_vec(), [values.len()]);
        let apart = |ours: &[f32]| difference(&[of(&[0.5]), of(ours)], &[of(&[0.5]), of(&[0.0, 200.0])]);
        assert!(apart(&[0.0, 200.0]) == 0.0);
        assert!((apart(&[1.0, 200.0]) - 0.005).abs() < 1e-6);
        for wrong in [&[f32::NAN, 200.0][..], &[0.0, f32::INFINITY], &[0.0], &[0.0, 200.0, 0.0], &[5.0, 200.0]] {
            assert!(apart(wrong) > TOLERANCE, "{wrong:?} passes");
        }
        assert!(difference(&[of(&[0.5])], &[]) > TOLERANCE);
    }
}
