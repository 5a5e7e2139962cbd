//! A second's comparison of a device with the CPU backend: drivers and tuned kernels have been wrong before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use burn::nn::conv::Conv2dConfig;
use burn::tensor::{Device, Tensor, TensorData};
use histomask_core::resample::bilinear;

use crate::panics;

/// Largest difference to the CPU relative to the largest value that passes.
const TOLERANCE: f32 = 1e-3;

/// The check failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfCheckError {
    /// Wrong numbers.
    #[error("its results differ from the CPU's by {0:.1e} relative (at most {TOLERANCE:.0e} passes)")]
    Wrong(f32),
    /// A kernel or the driver broke down.
    #[error("it broke down: {0}")]
    Broken(String),
}

/// What a passed check saw.
#[derive(Clone, Copy, Debug)]
pub struct SelfCheck {
    /// Largest relative difference to the CPU.
    pub difference: f32,
    /// Time of the second run, kernels compiled.
    pub warm: Duration,
}

/// Runs convolution, matrix products, sorting and reductions of the model's kinds on `device` and on the CPU.
///
/// # Errors
///
/// [`SelfCheckError`] if the numbers differ or the device cannot run them.
pub fn self_check(device: &Device) -> Result<SelfCheck, SelfCheckError> {
    let reference = sample(&Device::flex()).map_err(SelfCheckError::Broken)?;
    sample(device).map_err(SelfCheckError::Broken)?;
    let start = Instant::now();
    let result = sample(device).map_err(SelfCheckError::Broken)?;
    let warm = start.elapsed();

    let largest = reference.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let difference = |(a, b): (&f32, &f32)| if a.is_finite() { (a - b).abs() / largest } else { f32::INFINITY };
    let worst = result.iter().zip(&reference).map(difference).fold(0.0, f32::max);
    if result.len() != reference.len() || worst > TOLERANCE {
        return Err(SelfCheckError::Wrong(worst));
    }
    Ok(SelfCheck { difference: worst, warm })
}

/// Numbers that go through the operations the model depends on.
fn sample(device: &Device) -> Result<Vec<f32>, String> {
    let run = || {
        let wave = |n: usize, step: f32| (0..n).map(|i| (i as f32 * step).sin()).collect::<Vec<_>>();
        let image = Tensor::<4>::from_data(TensorData::new(wave(2 * 3 * 32 * 40, 0.37), [2, 3, 32, 40]), device);
        let mut conv = Conv2dConfig::new([3, 8], [3, 3]).with_stride([2, 2]).with_bias(false).init(device);
        let weights = Tensor::<4>::from_data(TensorData::new(wave(8 * 3 * 9, 1.3), [8, 3, 3, 3]), device);
        conv.weight = conv.weight.map(|_| weights);
        let maps = bilinear(conv.forward(image), [29, 31], true);
        let highest: Tensor<3> = maps.clone().flatten::<3>(2, 3).topk(17, 2);
        Tensor::cat(vec![maps.flatten::<1>(0, 3), highest.flatten::<1>(0, 2)], 0).into_data()
    };
    let data = catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        // dealt with here, so nothing that comes later is blamed on it
        let _ = panics::take();
        panics::text(panic.as_ref()).lines().next().unwrap_or_default().to_owned()
    })?;
    data.convert::<f32>().try_into_vec::<f32>().map_err(|error| format!("{error:?}"))
}
