use histomask_core::weights::StateDict;

/// Names that belong to a network's original classifier, which the heads replace.
const CLASSIFIERS: [&str; 3] = ["fc.", "_fc.", "classifier."];

/// A published state dict under the names of our backbones.
///
/// torchvision's ResNet18 needs no change. The PyTorch port of EfficientNet begins each name with an underscore;
/// checkpoints of `DataParallel` put `module.` in front, ours `backbone.`; classifiers are left out.
#[must_use]
pub fn backbone_names(state: StateDict) -> StateDict {
    let plain = |name: &str| -> Option<String> {
        let name = name.strip_prefix("module.").unwrap_or(name);
        let name = name.strip_prefix("backbone.").unwrap_or(name);
        let keep = !CLASSIFIERS.iter().any(|prefix| name.starts_with(prefix)) && !name.ends_with("num_batches_tracked");
        keep.then(|| name.split('.').map(|part| part.trim_start_matches('_')).collect::<Vec<_>>().join("."))
    };
    state.into_iter().filter_map(|(name, data)| Some((plain(&name)?, data))).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[test]
    fn published_names_become_ours() {
        let names =
            ["module.layer1.0.conv1.weight", "_blocks.3._bn0.running_var", "fc.weight", "bn1.num_batches_tracked"];
        let state = names.iter().map(|name| ((*name).to_owned(), TensorData::new(vec![0f32], [1]))).collect();
        let ours: Vec<_> = backbone_names(state).into_keys().collect();
        assert_eq!(ours, ["blocks.3.bn0.running_var", "layer1.0.conv1.weight"]);
    }
}
