use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
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
    pub fn step<M: Module>(&mut self, module: M, mut gradients: Gradients, learning_rate: f64) -> M {
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
    gradients: &'a mut Gradients,
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
        let Some(gradient) = param.val().grad_remove(self.gradients) else { return param };
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
