//! What each term of max-min's loss sends back to the soft mask.

use burn::tensor::Tensor;

use super::{Batch, Objective};
use crate::backbone::FeatureExtractor;
use crate::model::MaxMin;

/// `d(term) / d(M⁺)` of the weighted terms that see the mask, `[B, 1, H, W]` each, on the device without autodiff; zero
/// where a term is off.
///
/// The cross-entropy on the full image and the term on normal images do not see the mask: they reach the localizer
/// past it.
#[derive(Clone, Debug)]
pub struct MaskGradients {
    /// Of the cross-entropy on X⁺.
    pub foreground: Tensor<4>,
    /// Of the background term, λ times the certainty on X⁻.
    pub background: Tensor<4>,
    /// Of the size barrier.
    pub barrier: Tensor<4>,
}

impl MaskGradients {
    /// Of all terms together.
    #[must_use]
    pub fn total(&self) -> Tensor<4> {
        self.others() + self.background.clone()
    }

    /// Of all terms but the background's.
    #[must_use]
    pub fn others(&self) -> Tensor<4> {
        self.foreground.clone() + self.barrier.clone()
    }
}

impl<B: FeatureExtractor> MaxMin<B> {
    /// The gradients in a training step on this batch, on an autodiff device, at the cost of one step. Batch
    /// normalisation takes its statistics from the batch and keeps them, as any pass in training mode does: whoever
    /// measures a network that is being trained gives a copy.
    #[must_use]
    pub fn mask_gradients(&self, batch: Batch<'_>, objective: Objective<'_>) -> MaskGradients {
        let Objective { loss, sigma, t, normal } = objective;
        let (output, uses) = self.forward_apart(batch.images, sigma, loss.background_gradient(), batch.tissue);
        let terms = loss.terms(&output, &batch.labels, batch.label_values, t, normal);
        let total = terms.into_iter().map(|(_, term)| term).reduce(|sum, term| sum + term);
        let gradients = total.map(|total| total.backward());
        let of = |mask: Tensor<4>| {
            let found = gradients.as_ref().and_then(|gradients| mask.grad(gradients));
            found.unwrap_or_else(|| mask.inner().zeros_like())
        };
        MaskGradients { foreground: of(uses.foreground), background: of(uses.background), barrier: of(uses.sizes) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use burn::tensor::{Device, Int, TensorData};

    use super::*;
    use crate::backbone::Backbone;
    use crate::config::{BackgroundTerm, BarrierKind, LossConfig, ModelConfig};
    use crate::method::Method as _;
    use crate::weights::{load_state_dict, state_dict};

    const LABELS: [usize; 3] = [0, 1, 1];

    fn largest(values: Tensor<4>) -> f32 {
        values.abs().max().into_scalar()
    }

    fn batch(images: &Tensor<4>, tissue: Option<&Tensor<4>>) -> Batch<'static> {
        let labels = Tensor::<1, Int>::from_ints(LABELS.map(|label| label as i32), &images.device());
        Batch { images: images.clone(), labels, label_values: &LABELS, masks: None, tissue: tissue.cloned() }
    }

    /// The localizer is reached through the mask alone where the full image has no term, so what a training step sends to
    /// it must be what the terms send to the mask, added up and passed on.
    fn agree(model: &MaxMin<Backbone>, images: &Tensor<4>, loss: &LossConfig) -> MaskGradients {
        agree_within(model, images, None, loss)
    }

    fn agree_within(
        model: &MaxMin<Backbone>,
        images: &Tensor<4>,
        tissue: Option<&Tensor<4>>,
        loss: &LossConfig,
    ) -> MaskGradients {
        let objective = Objective { loss, sigma: 0.15, t: 5.0, normal: None };
        let found = model.mask_gradients(batch(images, tissue), objective);
        let total = found.total();
        let passed_on = (model.forward(images.clone(), 0.15).mask() * Tensor::from_inner(total)).sum();
        let step = model.learn(batch(images, tissue), objective).total();
        let of_step = step.and_then(|total| model.localizer.conv.weight.grad(&total.backward()));
        let of_sum = model.localizer.conv.weight.grad(&passed_on.backward());
        let both = of_step.zip(of_sum);
        let close = both.map(|(a, b)| (largest(a.clone() - b), largest(a)));
        assert!(close.is_some_and(|(apart, of)| of > 0.0 && apart < 1e-3 * of), "{close:?} for {loss:?}");
        found
    }

    /// Numbers in `[-limit, limit]`, the same whatever other tests draw from the device meanwhile.
    fn numbers(shape: &[usize], limit: f32) -> TensorData {
        let count = shape.iter().product();
        let next = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let states = std::iter::successors(Some(count as u32), next).skip(1).take(count);
        let values: Vec<f32> = states.map(|state| (f64::from(state) / 2_f64.powi(31) - 1.0) as f32 * limit).collect();
        TensorData::new(values, shape.to_vec())
    }

    /// A network without dropout, and images for it.
    fn tiny() -> (MaxMin<Backbone>, Tensor<4>) {
        let device = Device::flex().autodiff();
        let mut config = ModelConfig { backbone_blocks: 3, backbone_channels: 8, ..ModelConfig::default() };
        config.pooling.dropout = 0.0;
        let model = config.init_max_min(2, &device);
        let mut state = state_dict(&model);
        // normalisation's begin the same every time
        for (name, data) in &mut state {
            let shape = data.shape().to_vec();
            if shape.len() == 4 {
                let inputs: usize = shape.iter().skip(1).product();
                *data = numbers(&shape, (3.0 / inputs as f32).sqrt());
            } else if name.ends_with("conv.bias") {
                *data = numbers(&shape, 0.1);
            }
        }
        let model = load_state_dict(model, &state).unwrap();
        (model, Tensor::from_data(numbers(&[3, 3, 64, 64], 1.0), &device))
    }

    #[test]
    fn a_reversed_term_is_sent_to_the_mask_turned_and_weakened_and_to_the_classifier_as_it_is() {
        let (model, images) = tiny();
        let with = |reversal| LossConfig {
            full_weight: 0.0,
            foreground_weight: 0.0,
            background: BackgroundTerm::Reversal,
            background_weight: 1.0,
            reversal,
            barrier: BarrierKind::None,
            ..LossConfig::default()
        };
        // turned twice it is as it is
        let plain = agree(&model, &images, &with(-1.0)).background;
        let turned = agree(&model, &images, &with(0.3)).background;
        let apart = largest(turned + plain.clone() * 0.3);
        assert!(apart < 1e-3 * largest(plain.clone()) && largest(plain) > 0.0, "{apart}");
        let of_classifier = |loss: &LossConfig| {
            let objective = Objective { loss, sigma: 0.15, t: 5.0, normal: None };
            let total = model.learn(batch(&images, None), objective).total();
            total.and_then(|total| model.classifier.conv.weight.grad(&total.backward()))
        };
        let both = of_classifier(&with(-1.0)).zip(of_classifier(&with(0.3)));
        assert!(both.is_some_and(|(a, b)| largest(a.clone() - b) < 1e-3 * largest(a)));
    }

    #[test]
    fn glass_is_background_in_every_use_of_the_mask_and_sends_nothing_to_it() {
        let (model, images) = tiny();
        let loss = LossConfig { full_weight: 0.0, background_weight: 0.5, ..LossConfig::default() };
        let left: Vec<f32> = (0..64 * 64).map(|pixel| f32::from(u8::from(pixel % 64 < 40))).collect();
        let tissue = Tensor::<1>::from_floats(left.as_slice(), &images.device()).reshape([1, 1, 64, 64]);
        let tissue = tissue.expand([3, 1, 64, 64]);
        let found = agree_within(&model, &images, Some(&tissue), &loss);
        for gradient in [found.foreground, found.background, found.barrier] {
            let (left, right) = (gradient.clone().narrow(3, 0, 40), gradient.narrow(3, 40, 24));
            assert!(largest(left) > 0.0 && largest(right) == 0.0);
        }
        let spec = crate::kernel::MaskSpec::new(&crate::config::MaskConfig::default(), [64, 64], 0.15);
        let map = model.forward(images.clone(), 0.15).map;
        let whole = crate::kernel::mask_images(map.clone(), images.clone(), spec);
        let within = crate::kernel::mask_images_within(map.clone(), images.clone(), tissue.clone(), spec);
        let mask = crate::kernel::soft_mask(map, spec) * tissue;
        let size = mask.sum_dim(3).sum_dim(2).reshape([3]);
        let apart: f32 = (within.foreground_size - size).abs().max().into_scalar();
        assert!(apart < 1e-2, "{apart}");
        // what the foreground loses there, the background has
        let both = |regions: Tensor<5>| regions.sum_dim(1).reshape([3, 3, 51, 51]);
        assert!(largest(both(within.regions.clone()) - both(whole.regions)) < 1e-4);
        let at_the_right = within.regions.narrow(1, 0, 1).narrow(4, 36, 15).reshape([3, 3, 51, 15]);
        assert_eq!(largest(at_the_right), 0.0);
    }

    #[test]
    fn gradients_of_the_terms_add_up_to_that_of_the_loss() {
        let (model, images) = tiny();
        let all = LossConfig { full_weight: 0.0, background_weight: 0.5, ..LossConfig::default() };
        let found = agree(&model, &images, &all);
        let sizes = |g: &MaskGradients| [&g.foreground, &g.background, &g.barrier].map(|g| largest(g.clone()));
        assert!(sizes(&found).iter().all(|&size| size > 0.0), "{:?}", sizes(&found));

        // each by itself: the others are zero, and lambda is in the background's
        let alone = [
            LossConfig { background: BackgroundTerm::None, barrier: BarrierKind::None, ..all.clone() },
            LossConfig { foreground_weight: 0.0, barrier: BarrierKind::None, background_weight: 1.0, ..all.clone() },
            LossConfig { foreground_weight: 0.0, background: BackgroundTerm::None, ..all },
        ];
        for (term, loss) in alone.iter().enumerate() {
            let one = sizes(&agree(&model, &images, loss));
            let lambda = if term == 1 { 2.0 } else { 1.0 };
            for (other, (now, then)) in one.into_iter().zip(sizes(&found)).enumerate() {
                let expected = if other == term { lambda * then } else { 0.0 };
                assert!((now - expected).abs() <= 1e-3 * expected, "{other} of {term}: {now}, {expected}");
            }
        }
    }
}
