//! Gradients of batch normalisation, by everything it is made of.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata as _};
use burn::tensor::TensorData;

use super::{Scale, Statistics, inverse_std};
use crate::kernel::cpu_tensor::from_values;
use crate::kernel::train_cpu::planes::{change_channels, sum2};

/// By input, weight, bias and shortcut.
pub(super) fn differentiate(
    input: &FloatTensor<Flex>,
    shortcut: Option<&FloatTensor<Flex>>,
    mut gradient: FloatTensor<Flex>,
    scale: &Scale,
    statistics: &Statistics,
) -> [Option<FloatTensor<Flex>>; 4] {
    let shape = input.shape();
    let [batch, channels, height, width] = shape.dims();
    let size = height * width;
    let x: &[f32] = input.storage();
    let added: Option<&[f32]> = shortcut.map(FloatTensor::<Flex>::storage);
    let at = |sample: usize, channel: usize| (sample * channels + channel) * size;
    let [low, high] = scale.activation.open();
    let count = (batch * size) as f64;
    // a product rather than a branch, which would keep the loops from being vectorised
    let passed = |g: f32, y: f32| g * f32::from(u8::from((y > low) & (y < high)));
    // with a shortcut, what the activation lets through is its gradient; without, nobody's, and the input's takes its place
    let mut by_x = if shortcut.is_some() { vec![0.0; x.len()] } else { Vec::new() };
    let mut buffers = vec![gradient.storage_mut::<f32>()];
    if shortcut.is_some() {
        buffers.push(&mut by_x);
    }
    let sums = change_channels(
        buffers,
        [channels, size],
        #[inline(always)]
        |channel, buffers| {
            let (mean, inverse) = (statistics.mean[channel], inverse_std(statistics.variance[channel], scale.epsilon));
            let (weight, bias) = (scale.weight[channel], scale.bias[channel]);
            let mut sums = [0.0; 2];
            for (sample, g) in buffers[0].iter_mut().enumerate() {
                let from = at(sample, channel);
                let x = &x[from..][..size];
                match added {
                    None => {
                        for (g, x) in g.iter_mut().zip(x) {
                            *g = passed(*g, (x - mean) * inverse * weight + bias);
                        }
                    }
                    Some(added) => {
                        for ((g, x), added) in g.iter_mut().zip(x).zip(&added[from..][..size]) {
                            *g = passed(*g, (x - mean) * inverse * weight + bias + added);
                        }
                    }
                }
                let [of_g, of_g_hat] = sum2(g, x, |g, x| [g, g * ((x - mean) * inverse)]);
                sums[0] += of_g;
                sums[1] += of_g_hat;
            }
            let [mean_g, mean_g_hat] = sums.map(|sum| (sum / count) as f32);
            let by_x = |g: f32, x: f32| weight * inverse * (g - mean_g - (x - mean) * inverse * mean_g_hat);
            let (of_gradient, others) = buffers.split_at_mut(1);
            for (sample, g) in of_gradient[0].iter_mut().enumerate() {
                let x = &x[at(sample, channel)..][..size];
                match others.first_mut() {
                    None => g.iter_mut().zip(x).for_each(|(g, x)| *g = by_x(*g, *x)),
                    Some(to) => {
                        to[sample].iter_mut().zip(&**g).zip(x).for_each(|((to, g), x)| *to = by_x(*g, *x));
                    }
                }
            }
            sums
        },
    );
    let of_channel = |part: usize| {
        let values: Vec<f32> = sums.iter().map(|sums| sums[part] as f32).collect();
        Some(from_values(TensorData::new(values, [channels])))
    };
    let (by_x, by_shortcut) = match shortcut {
        None => (gradient, None),
        Some(_) => (from_values(TensorData::new(by_x, shape)), Some(gradient)),
    };
    [Some(by_x), of_channel(1), of_channel(0), by_shortcut]
}
