//! What must hold between profile, data and device before the first step.

use std::path::PathBuf;

use histomask_core::config::{BarrierKind, BarrierOn, MaskOf};
use histomask_core::method::Network;
use histomask_core::{Device, MethodKind};

use super::TrainError;
use crate::profile::Profile;

/// Index of the class without foreground, if the data has it.
///
/// # Errors
///
/// [`TrainError::NormalClass`] if a setting needs it, or if it was named, and the data has no such class.
pub(super) fn normal_class(profile: &Profile, classes: &[String]) -> Result<Option<usize>, TrainError> {
    let (loss, model) = (&profile.loss, &profile.model);
    let abnormal_barrier = loss.barrier != BarrierKind::None && loss.barrier_on == BarrierOn::AbnormalForeground;
    let of_loss = model.method == MethodKind::MaxMin && (abnormal_barrier || loss.normal_empty_weight > 0.0);
    let named = Profile::named(Profile::DEFAULT).is_ok_and(|default| default.loss.normal_class != loss.normal_class);
    let normal = loss.normal_index(classes);
    if normal.is_none() && (named || of_loss || model.mask_of == MaskOf::Abnormal) {
        return Err(TrainError::NormalClass { name: loss.normal_class.clone(), classes: classes.join(", ") });
    }
    Ok(normal)
}

/// Checks that every validation image fits the model and the adapter.
///
/// # Errors
///
/// [`TrainError::ValidSize`] naming the first that does not.
pub(super) fn check_valid_sizes(
    sizes: &[(PathBuf, (u32, u32))],
    profile: &Profile,
    network: &Network,
    device: &Device,
) -> Result<(), TrainError> {
    let input = profile.input.preprocess();
    let check = |(width, height): (u32, u32)| {
        let [width, height] = input.size(width as usize, height as usize)?;
        network.check_batch(device, 1, [height, width])
    };
    sizes.iter().try_for_each(|(path, size)| {
        check(*size).map_err(|source| TrainError::ValidSize { path: path.clone(), source })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn the_normal_class_is_one_of_the_data_where_it_is_needed() {
        let classes = |names: [&str; 2]| names.map(str::to_owned);
        let index = |profile: &str, names| normal_class(&Profile::named(profile).unwrap(), &classes(names));
        assert_eq!(index("released-glas", ["benign", "malignant"]).unwrap(), None);
        for camelyon in ["paper-camelyon", "released-camelyon", "baseline-camelyon"] {
            assert_eq!(index(camelyon, ["lesion", "normal"]).unwrap(), Some(1), "{camelyon}");
            assert_eq!(index(camelyon, ["Normal", "tumor"]).unwrap(), Some(0), "{camelyon}");
            let message = index(camelyon, ["benign", "malignant"]).unwrap_err().to_string();
            let named = "`normal`, and the classes are benign, malignant";
            assert!(message.contains(named) && message.contains("--loss.normal-class"), "{message}");
        }
        // a name that was given is checked even where nothing uses it
        let mut profile = Profile::named("released-glas").unwrap();
        profile.loss.normal_class = "healthy".into();
        assert!(normal_class(&profile, &classes(["benign", "malignant"])).is_err());
    }
}
