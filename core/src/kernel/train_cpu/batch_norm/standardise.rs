use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::TensorData;

use super::{Scale, Statistics, inverse_std};
use crate::kernel::cpu_tensor::from_values;
use crate::kernel::train_cpu::planes::{change_channels, sum};

/// The forward, with the statistics of every channel over the batch.
pub(super) fn standardise(
    input: &FloatTensor<Flex>,
    shortcut: Option<&[f32]>,
    scale: &Scale,
) -> (FloatTensor<Flex>, Statistics) {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let x: &[f32] = input.storage();
    let at = |sample: usize, channel: usize| (sample * channels + channel) * size;
    let count = (batch * size) as f64;
    let [low, high] = scale.activation.open();
    let mut output = vec![0.0; x.len()];
    let statistics = change_channels(
        vec![&mut output],
        [channels, size],
        #[inline(always)]
        |channel, output| {
            let planes = || (0..batch).map(|sample| &x[at(sample, channel)..][..size]);
            let mean = (planes()
                .map(
                    #[inline(always)]
                    |plane| sum(plane, |x| x),
                )
                .sum::<f64>()
                / count) as f32;
            let squares = planes()
                .map(
                    #[inline(always)]
                    |plane| sum(plane, |x| (x - mean) * (x - mean)),
                )
                .sum::<f64>();
            let variance = (squares / count) as f32;
            let gain = scale.weight[channel] * inverse_std(variance, scale.epsilon);
            let shift = scale.bias[channel] - mean * gain;
            for (sample, output) in output[0].iter_mut().enumerate() {
                let from = at(sample, channel);
                let values = output.iter_mut().zip(&x[from..][..size]);
                match shortcut {
                    None => values.for_each(|(y, x)| *y = (x * gain + shift).clamp(low, high)),
                    Some(shortcut) => values
                        .zip(&shortcut[from..][..size])
                        .for_each(|((y, x), shortcut)| *y = (x * gain + shift + shortcut).clamp(low, high)),
                }
            }
            (mean, variance)
        },
    );
    let (mean, variance) = statistics.into_iter().unzip();
    (from_values(TensorData::new(output, shape)), Statistics { mean, variance })
}
