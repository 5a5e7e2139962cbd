use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::error::WeightsError;

/// Named tensors, in the order of their names.
pub type StateDict = BTreeMap<String, TensorData>;

/// Path of the parameter that a visitor or mapper is at, without the names of enum variants.
#[derive(Clone, Debug, Default)]
pub struct ParamPath(Vec<String>);

impl ParamPath {
    /// To be called from `enter_module`.
    pub fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.push(name.to_owned());
        }
    }

    /// To be called from `exit_module`.
    pub fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.0.pop();
        }
    }

    /// The parameter's name as in a state dict, `backbone.layer1.0.conv1.weight`.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.join(".")
    }
}

/// All float tensors of a module as f32, running statistics included, named as PyTorch names them.
#[must_use]
pub fn state_dict<M: Module>(module: &M) -> StateDict {
    #[derive(Default)]
    struct Collect(ParamPath, StateDict);
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            self.0.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.insert(self.0.name(), param.val().into_data().convert::<f32>());
        }
    }
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.1
}

/// The module with its tensors replaced by those of the same name; all or nothing.
///
/// `num_batches_tracked`, which PyTorch writes beside every batch normalisation, is passed over.
///
/// # Errors
///
/// [`WeightsError`] naming the first tensor that is missing, unused, of another shape or not finite.
pub fn load_state_dict<M: Module>(module: M, state: &StateDict) -> Result<M, WeightsError> {
    check(&shapes(&module), state)?;

    struct Load<'a>(ParamPath, &'a StateDict);
    impl ModuleMapper for Load<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            self.0.exit(container);
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let Some(data) = self.1.get(&self.0.name()) else { return param };
            let (id, device) = (param.id, param.lazy_device());
            let tensor = Tensor::from_data(data.clone(), &device);
            param.transform_for_load(tensor, id)
        }
    }
    Ok(module.map(&mut Load(ParamPath::default(), state)))
}

fn shapes<M: Module>(module: &M) -> BTreeMap<String, Vec<usize>> {
    #[derive(Default)]
    struct Shapes(ParamPath, BTreeMap<String, Vec<usize>>);
    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.0.enter(name, container);
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            self.0.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.insert(self.0.name(), param.lazy_shape().to_vec());
        }
    }
    let mut visitor = Shapes::default();
    module.visit(&mut visitor);
    visitor.1
}

fn check(expected: &BTreeMap<String, Vec<usize>>, state: &StateDict) -> Result<(), WeightsError> {
    let missing: Vec<_> = expected.keys().filter(|name| !state.contains_key(*name)).collect();
    let of_file = |name: &&String| !name.ends_with("num_batches_tracked");
    let unused: Vec<_> = state.keys().filter(of_file).filter(|name| !expected.contains_key(*name)).collect();
    if !missing.is_empty() {
        let has = if unused.is_empty() {
            String::new()
        } else {
            format!("; they hold {} others ({})", unused.len(), first_names(&unused))
        };
        return Err(WeightsError::Missing { count: missing.len(), first: first_names(&missing), has });
    }
    if !unused.is_empty() {
        return Err(WeightsError::Unused { count: unused.len(), first: first_names(&unused) });
    }
    for (name, shape) in expected {
        match state.get(name) {
            Some(data) if data.shape().to_vec() != *shape => {
                let found = data.shape().to_vec();
                return Err(WeightsError::Shape { name: name.clone(), found, expected: shape.clone() });
            }
            // found here, as an activation may turn NaN into a number
            Some(data) if !data.iter::<f32>().all(f32::is_finite) => {
                return Err(WeightsError::NotFinite { name: name.clone() });
            }
            _ => {}
        }
    }
    Ok(())
}

/// As many names as fit a few lines.
fn first_names(names: &[&String]) -> String {
    const LISTED: usize = 5;
    let mut listed: Vec<_> = names.iter().take(LISTED).map(|name| name.as_str()).collect();
    if names.len() > LISTED {
        listed.push("…");
    }
    listed.join(", ")
}
