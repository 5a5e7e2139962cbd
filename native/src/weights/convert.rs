use std::collections::BTreeMap;

use histomask_core::Device;
use histomask_core::config::BackboneKind;
use histomask_core::weights::{StateDict, WeightsError, load_state_dict};

/// Names that belong to a network's original classifier, which the heads replace.
const CLASSIFIERS: [&str; 4] = ["fc.", "_fc.", "classifier.", "head."];
/// Keys under which training scripts keep the state dict in a larger checkpoint, the likeliest first.
const NESTED_UNDER: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];
/// What names of our backbones begin with. Anything else in front of all names was put there by a wrapper or a training
/// framework: `module.` (DataParallel), `model.` (Lightning), `encoder.`, `_orig_mod.` (`torch.compile`), `visual.`, …
const OURS: [&str; 11] =
    ["conv1", "conv2", "conv3", "bn0", "bn1", "bn2", "bn3", "layer", "blocks", "conv_stem", "conv_head"];

/// A published state dict under the names of our backbones.
///
/// Of a nested checkpoint, the dictionary that holds the tensors; prefixes that all names have are taken off; of a
/// whole model, its `backbone.`; classifiers are left out. torchvision's ResNet18 needs no more. The PyTorch port of
/// EfficientNet begins each name with an underscore.
#[must_use]
pub fn backbone_names(state: StateDict) -> StateDict {
    let mut state = state;
    let nested = NESTED_UNDER.iter().map(|key| format!("{key}.")).find(|key| {
        // beside it lie optimizers and counters; a prefix of all names is none
        state.keys().any(|name| name.starts_with(key)) && !state.keys().all(|name| name.starts_with(key))
    });
    if let Some(key) = nested.filter(|key| !looks_plain(&state, key)) {
        state = below(state, &key);
    }
    for key in &NESTED_UNDER[..2] {
        let key = format!("{key}.");
        if !state.is_empty() && state.keys().all(|name| name.starts_with(&key)) {
            state = below(state, &key);
        }
    }
    state.retain(|name, _| !name.ends_with("num_batches_tracked"));
    loop {
        if state.keys().any(|name| name.starts_with("backbone.")) {
            state = below(state, "backbone.");
        }
        state.retain(|name, _| !CLASSIFIERS.iter().any(|classifier| name.starts_with(classifier)));
        let Some(prefix) = wrapper(&state) else { break };
        state = below(state, &prefix);
    }
    let plain = |name: &str| name.split('.').map(|part| part.trim_start_matches('_')).collect::<Vec<_>>().join(".");
    state.into_iter().map(|(name, data)| (plain(&name), data)).collect()
}

/// The first part of all names, if it is none of our backbones'.
fn wrapper(state: &StateDict) -> Option<String> {
    let (first, _) = state.keys().next()?.split_once('.')?;
    let plain = first.trim_start_matches('_');
    let prefix = format!("{first}.");
    let is_ours = OURS.contains(&plain.trim_end_matches(|c: char| c.is_ascii_digit())) || OURS.contains(&plain);
    (!is_ours && state.keys().all(|name| name.starts_with(&prefix))).then_some(prefix)
}

/// Whether what does not lie under `key` is a network's classifier rather than the rest of a checkpoint.
fn looks_plain(state: &StateDict, key: &str) -> bool {
    let mut others = state.keys().filter(|name| !name.starts_with(key));
    others.all(|name| CLASSIFIERS.iter().any(|classifier| name.starts_with(classifier)))
}

/// What lies under a prefix, without it.
fn below(state: StateDict, prefix: &str) -> StateDict {
    state.into_iter().filter_map(|(name, data)| Some((name.strip_prefix(prefix)?.to_owned(), data))).collect()
}

/// The backbone that takes these weights.
///
/// # Errors
/// The misfit with the backbone that knows most of the names.
pub fn backbone_of(state: &StateDict) -> Result<BackboneKind, WeightsError> {
    let device = Device::flex();
    let kinds = [BackboneKind::EfficientnetLite0, BackboneKind::Resnet18, BackboneKind::Resnet18DeepStem];
    let mut misfits = BTreeMap::new();
    for kind in kinds {
        let backbone = kind.init(&device);
        let known = histomask_core::weights::state_dict(&backbone);
        let shared = state.keys().filter(|name| known.contains_key(*name)).count();
        match load_state_dict(backbone, state) {
            Ok(_) => return Ok(kind),
            Err(error) => misfits.entry(shared).or_insert(error),
        };
    }
    match misfits.pop_last() {
        Some((_, error)) => Err(error),
        None => Err(WeightsError::Format("no backbone to compare with".into())),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    #[track_caller]
    fn become_ours(names: &[&str], expected: &[&str]) {
        let state = names.iter().map(|name| ((*name).to_owned(), TensorData::new(vec![0f32], [1]))).collect();
        assert_eq!(backbone_names(state).into_keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn published_names_become_ours() {
        become_ours(
            &["module.layer1.0.conv1.weight", "module.fc.weight", "module.bn1.num_batches_tracked"],
            &["layer1.0.conv1.weight"],
        );
        become_ours(&["_blocks.3._bn0.running_var", "_fc.weight"], &["blocks.3.bn0.running_var"]);
        become_ours(
            &["state_dict.module.conv1.weight", "state_dict.module.fc.bias", "optimizer.state.0.momentum_buffer"],
            &["conv1.weight"],
        );
        become_ours(&["model.conv1.weight", "model.bn1.bias", "optimizer.0"], &["bn1.bias", "conv1.weight"]);
        become_ours(&["state_dict._orig_mod.model.encoder.conv1.weight"], &["conv1.weight"]);
        become_ours(&["model.backbone.conv1.weight", "model.localizer.conv.weight"], &["conv1.weight"]);
        become_ours(&["encoder.conv1.weight", "classifier.weight"], &["conv1.weight"]);
        become_ours(&["resnet.layer1.0.conv1.weight"], &["layer1.0.conv1.weight"]);
        become_ours(&["a.b.visual.conv1.weight", "a.b.visual.bn1.bias"], &["bn1.bias", "conv1.weight"]);
        let two = ["student.conv1.weight", "teacher.conv1.weight"];
        become_ours(&two, &two);
    }
}
