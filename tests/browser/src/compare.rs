//! What the tab's GPU computed against what its CPU did.

use std::fmt::Write as _;

use burn::tensor::{Int, Tensor, TensorData};

use crate::Passed;

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(pub(crate) String);

/// The differences of one check.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    largest: Vec<(&'static str, f64)>,
    failures: String,
    reads: u32,
}

impl Comparison {
    /// Adds the difference of `ours`, on the GPU, and `theirs`, on the CPU. `case` says with which sizes and settings it
    /// came about.
    pub(crate) async fn close<const D: usize>(
        &mut self,
        kind: &'static str,
        case: &str,
        ours: Tensor<D>,
        theirs: Tensor<D>,
        tolerance: f64,
    ) -> Result<(), Failure> {
        if ours.dims() != theirs.dims() {
            return Err(Failure(format!("{kind} of {case}: {:?} is not {:?}", ours.dims(), theirs.dims())));
        }
        let (ours, theirs) = (self.values(ours).await?, theirs.into_data().iter().collect::<Vec<f64>>());
        self.add(kind, case, &ours, &theirs, tolerance);
        Ok(())
    }

    /// Values of a tensor of the GPU.
    pub(crate) async fn values<const D: usize>(&mut self, tensor: Tensor<D>) -> Result<Vec<f64>, Failure> {
        Ok(self.read(tensor.into_data_async().await)?.iter().collect())
    }

    /// Words of a tensor of the GPU.
    pub(crate) async fn words<const D: usize>(&mut self, tensor: Tensor<D, Int>) -> Result<Vec<u32>, Failure> {
        Ok(self.read(tensor.into_data_async().await)?.iter().collect())
    }

    /// Adds the largest difference, relative to the largest value expected, or to 1 if that is smaller.
    pub(crate) fn add(&mut self, kind: &'static str, case: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
        let difference = if ours.len() == theirs.len() { difference(ours, theirs) } else { f64::INFINITY };
        // written so that NaN fails
        if !(difference <= tolerance) {
            let _ = writeln!(self.failures, "{kind} of {case} differs by {difference:.1e}, allowed is {tolerance:.1e}");
        }
        match self.largest.iter_mut().find(|(seen, _)| *seen == kind) {
            Some((_, largest)) => *largest = largest.max(difference),
            None => self.largest.push((kind, difference)),
        }
    }

    fn read<E: std::fmt::Debug>(&mut self, data: Result<TensorData, E>) -> Result<TensorData, Failure> {
        self.reads += 1;
        data.map_err(|error| Failure(format!("cannot be read from the GPU: {error:?}")))
    }

    pub(crate) fn finish(self) -> Result<Passed, Failure> {
        if !self.failures.is_empty() {
            return Err(Failure(self.failures));
        }
        let differences: Vec<_> = self.largest.iter().map(|(kind, most)| format!("{kind} {most:.1e}")).collect();
        Ok(Passed { differences: differences.join(", "), reads: self.reads })
    }
}

/// NaN where one of two values is.
fn difference(ours: &[f64], theirs: &[f64]) -> f64 {
    let scale = theirs.iter().fold(1.0_f64, |scale, value| scale.max(value.abs()));
    let mut most = 0.0;
    for (ours, theirs) in ours.iter().zip(theirs) {
        match (ours.is_nan(), theirs.is_nan()) {
            (false, false) => most = f64::max(most, (ours - theirs).abs()),
            (true, true) => {}
            _ => return f64::NAN,
        }
    }
    most / scale
}
