use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use histomask_core::weights::{ParamPath, StateDict};

/// Exponential moving average of a network's weights and running statistics over training steps (Polyak & Juditsky 1992;
/// Tarvainen & Valpola, NeurIPS 2017): `a_n = d_n a_(n-1) + (1 - d_n) w_n` with `d_n = min(d, n / (n + 9))`, so that the
/// first steps do not weigh more than later ones.
///
/// It is what is evaluated and saved, while training goes on with the weights themselves.
#[derive(Debug)]
pub struct Average {
    /// d, in `[0, 1)`.
    decay: f64,
    steps: usize,
    /// By name, flattened.
    values: BTreeMap<String, Tensor<1>>,
}

impl Average {
    /// The average over about `1 / (1 - decay)` steps.
    #[must_use]
    pub fn new(decay: f64) -> Self {
        Self { decay, steps: 0, values: BTreeMap::new() }
    }

    /// Takes in the weights after a step; `module` is without its training side.
    pub fn update<M: Module>(&mut self, module: &M) {
        let decay = self.decay.min(self.steps as f64 / (self.steps as f64 + 9.0));
        self.steps += 1;
        module.visit(&mut Update { average: self, decay, path: ParamPath::default() });
    }

    /// The module with the averaged weights; as it is before the first step.
    #[must_use]
    pub fn applied<M: Module>(&self, module: M) -> M {
        module.map(&mut Apply { average: self, path: ParamPath::default() })
    }

    /// Averages by parameter name, and over how many steps.
    #[must_use]
    pub fn state(&self) -> (StateDict, usize) {
        let numbers = |tensor: &Tensor<1>| tensor.clone().into_data().convert::<f32>();
        (self.values.iter().map(|(name, tensor)| (name.clone(), numbers(tensor))).collect(), self.steps)
    }

    /// Takes up what [`Self::state`] saved; `device` is the model's, without autodiff.
    pub fn restore(&mut self, state: &StateDict, steps: usize, device: &Device) {
        self.values =
            state.iter().map(|(name, data)| (name.clone(), Tensor::from_data(data.clone(), device))).collect();
        self.steps = steps;
    }
}

struct Update<'a> {
    average: &'a mut Average,
    decay: f64,
    path: ParamPath,
}

impl ModuleVisitor for Update<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.name();
        let newest: Tensor<1> = param.val().flatten(0, D - 1);
        let blended = match self.average.values.remove(&name) {
            Some(before) => before * self.decay + newest * (1.0 - self.decay),
            None => newest,
        };
        self.average.values.insert(name, blended);
    }
}

struct Apply<'a> {
    average: &'a Average,
    path: ParamPath,
}

impl ModuleMapper for Apply<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(average) = self.average.values.get(&self.path.name()) else { return param };
        param.map(|tensor| average.clone().reshape(tensor.dims()))
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::LinearConfig;

    use super::*;

    #[test]
    fn it_follows_the_weights_and_is_their_mean_at_first() {
        let device = Device::flex();
        let module = LinearConfig::new(1, 1).with_bias(false).init(&device);
        let with = |value: f32| burn::nn::Linear {
            weight: Param::from_tensor(Tensor::from_floats([[value]], &device)),
            ..module.clone()
        };
        let mut average = Average::new(0.5);
        let mut expected = 0.0;
        for (step, value) in [1.0, 3.0, 5.0, 5.0, 5.0].into_iter().enumerate() {
            average.update(&with(value));
            let decay = (step as f32 / (step as f32 + 9.0)).min(0.5);
            expected = decay * expected + (1.0 - decay) * value;
            let found: f32 = average.applied(with(0.0)).weight.val().into_scalar();
            assert!((found - expected).abs() < 1e-6, "step {step}: {found} is not {expected}");
        }
        let (state, steps) = average.state();
        let mut restored = Average::new(0.5);
        restored.restore(&state, steps, &device);
        assert_eq!(restored.state(), (state, 5));
    }
}
