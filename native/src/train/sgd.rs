use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use histomask_core::weights::{ParamPath, StateDict};

/// Stochastic gradient descent by PyTorch's rule: weight decay in the gradient, momentum without dampening,
/// Nesterov's look-ahead (`spec` §3.1).
///
/// Written here because a resumed run must find its momentum again on any machine: burn's optimizer records
/// restore to the default device, which needs a GPU wherever the GPU backend is compiled in.
#[derive(Debug)]
pub struct Sgd {
    /// Momentum, 0 to switch it off.
    pub momentum: f64,
    /// Nesterov's variant.
    pub nesterov: bool,
    /// Weight decay on every parameter.
    pub weight_decay: f64,
    /// Factor on the learning rate of everything outside the backbone.
    pub head_factor: f64,
    /// Velocities by parameter name, flattened.
    velocity: BTreeMap<String, Tensor<1>>,
}

impl Sgd {
    /// An optimizer at rest.
    #[must_use]
    pub fn new(momentum: f64, nesterov: bool, weight_decay: f64, head_factor: f64) -> Self {
        Self { momentum, nesterov, weight_decay, head_factor, velocity: BTreeMap::new() }
    }

    /// The module one step further down its gradients.
    pub fn step<M: Module>(&mut self, module: M, mut gradients: GradientsParams, learning_rate: f64) -> M {
        module.map(&mut Step { sgd: self, gradients: &mut gradients, learning_rate, path: ParamPath::default() })
    }

    /// Momentum by parameter name.
    #[must_use]
    pub fn state(&self) -> StateDict {
        let numbers = |tensor: &Tensor<1>| tensor.clone().into_data().convert::<f32>();
        self.velocity.iter().map(|(name, tensor)| (name.clone(), numbers(tensor))).collect()
    }

    /// Takes up momentum saved by [`Self::state`]; `device` is the model's, without autodiff.
    pub fn restore(&mut self, state: &StateDict, device: &Device) {
        let flat = |data: &TensorData| Tensor::from_data(data.clone(), device);
        self.velocity = state.iter().map(|(name, data)| (name.clone(), flat(data))).collect();
    }
}

struct Step<'a> {
    sgd: &'a mut Sgd,
    gradients: &'a mut GradientsParams,
    learning_rate: f64,
    path: ParamPath,
}

impl ModuleMapper for Step<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(gradient) = self.gradients.remove::<D>(param.id) else { return param };
        let name = self.path.name();
        // the layer above a cut backbone starts from random weights, as the heads do
        let pretrained = name.starts_with("backbone.") && !name.starts_with("backbone.neck.");
        let factor = if pretrained { 1.0 } else { self.sgd.head_factor };
        param.map(|tensor| {
            let weights = tensor.inner();
            let shape = weights.dims();
            let gradient = gradient + weights.clone() * self.sgd.weight_decay;
            let direction = match self.sgd.momentum {
                0.0 => gradient,
                momentum => {
                    let velocity = match self.sgd.velocity.remove(&name) {
                        Some(velocity) => velocity.reshape(shape) * momentum + gradient.clone(),
                        None => gradient.clone(),
                    };
                    self.sgd.velocity.insert(name, velocity.clone().flatten(0, D - 1));
                    if self.sgd.nesterov { velocity * momentum + gradient } else { velocity }
                }
            };
            Tensor::from_inner(weights - direction * (self.learning_rate * factor)).require_grad()
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    /// Three steps of `torch.optim.SGD(momentum=0.9, weight_decay=0.1)` in 64 bits, PyTorch's, from `[0.5, -0.25]` on
    /// `0.5 * ((X @ w - y) ** 2).sum()` with learning rates 0.05, 0.05 and 0.02.
    #[test]
    fn three_steps_are_pytorchs() {
        let cases = [
            (true, [[0.619_937_5, -0.206_062_5], [0.674_121_219, -0.171_224_594], [0.673_290_486, -0.164_507_554]]),
            (false, [[0.563_125, -0.226_875], [0.650_684_375, -0.190_646_875], [0.676_560_85, -0.176_326_237]]),
        ];
        let plain = Device::flex();
        let device = plain.clone().autodiff();
        let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, -1.0], [0.5, 1.5]], &device);
        let y = Tensor::<2>::from_floats([[1.0], [2.0], [-1.0]], &device);
        for (nesterov, expected) in cases {
            let linear = LinearConfig::new(2, 1).with_bias(false).init(&device);
            let first = Tensor::<2>::from_floats([[0.5], [-0.25]], &device).require_grad();
            let mut module = Linear { weight: Param::from_tensor(first), ..linear };
            let mut sgd = Sgd::new(0.9, nesterov, 0.1, 1.0);
            for (rate, expected) in [0.05, 0.05, 0.02].into_iter().zip(expected) {
                let loss = (module.forward(x.clone()) - y.clone()).square().sum() * 0.5;
                let gradients = GradientsParams::from_grads(loss.backward(), &module);
                module = sgd.step(module, gradients, rate);
                // as after --resume
                let saved = sgd.state();
                sgd = Sgd::new(0.9, nesterov, 0.1, 1.0);
                sgd.restore(&saved, &plain);
                let found = module.weight.val().inner().into_data().convert::<f64>().try_into_vec::<f64>();
                let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-6;
                assert!(found.iter().flatten().zip(&expected).all(near), "Nesterov {nesterov}: {found:?}");
                assert_eq!(found.map(|found| found.len()).ok(), Some(2));
            }
        }
    }

    #[test]
    fn heads_learn_faster_by_their_factor_and_the_backbone_does_not() {
        #[derive(Module, Debug)]
        struct Backbone {
            layer: Linear,
            neck: Linear,
        }
        #[derive(Module, Debug)]
        struct Network {
            backbone: Backbone,
            head: Linear,
        }
        let device = Device::flex().autodiff();
        let linear = || {
            let weight = Param::from_tensor(Tensor::<2>::ones([1, 1], &device).require_grad());
            Linear { weight, ..LinearConfig::new(1, 1).with_bias(false).init(&device) }
        };
        let module = Network { backbone: Backbone { layer: linear(), neck: linear() }, head: linear() };
        let x = Tensor::<2>::ones([1, 1], &device);
        let loss =
            [&module.backbone.layer, &module.backbone.neck, &module.head].map(|linear| linear.forward(x.clone()));
        let loss = Tensor::cat(loss.to_vec(), 0).sum();
        let mut sgd = Sgd::new(0.0, false, 0.0, 10.0);
        let gradients = GradientsParams::from_grads(loss.backward(), &module);
        let module = sgd.step(module, gradients, 0.01);
        let value = |linear: &Linear| linear.weight.val().inner().into_scalar::<f32>();
        assert!((value(&module.backbone.layer) - 0.99).abs() < 1e-6);
        // the layer above a cut backbone starts from random weights too
        assert!((value(&module.backbone.neck) - 0.9).abs() < 1e-6 && (value(&module.head) - 0.9).abs() < 1e-6);
        assert!(sgd.state().is_empty(), "no momentum, no velocities");
    }
}
