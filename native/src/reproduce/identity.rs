//! What makes two runs the same run: settings' values, data, and the content of the weights they start from.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use histomask_core::config::BackboneKind;

use super::material::{Material, mask_state};
use crate::profile::{Profile, ProfileError};
use crate::train::CHANGE_NO_RESULT;
use crate::weights::{embedded_backbone, read_bytes, sha256};

/// BLAKE3, in hexadecimal digits, over everything that a run's result depends on.
pub(super) fn identity(material: &Material, profile: &Profile) -> Result<String, ProfileError> {
    let mut hasher = blake3::Hasher::new();
    hasher.update(telling(profile)?.values()?.as_bytes());
    if let Some((dataset, summary)) = material.folds.get(&profile.data.fold) {
        hasher.update(summary.hash.as_bytes());
        if profile.model.method.learns_from_masks() {
            hasher.update(mask_state(&dataset.train).as_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The settings by which runs are told apart: the name and what changes no result have the default's values, weights
/// are named by their content.
///
/// # Errors
/// [`ProfileError::NotToml`].
pub(crate) fn telling(profile: &Profile) -> Result<Profile, ProfileError> {
    let mut telling = profile.with_defaults_of(&CHANGE_NO_RESULT)?.with_defaults_of(&["name"])?;
    telling.weights = weights_content(&profile.weights, profile.model.backbone);
    Ok(telling)
}

/// The content behind a setting `weights`, read once a program; a file that cannot be read is told by training.
fn weights_content(choice: &str, backbone: BackboneKind) -> String {
    static KNOWN: Mutex<BTreeMap<(String, String), String>> = Mutex::new(BTreeMap::new());
    let of_choice = || match choice {
        "none" => choice.to_owned(),
        "embedded" => embedded_backbone(backbone).map_or_else(|_| choice.to_owned(), |initial| initial.origin),
        path => match read_bytes(path.as_ref()) {
            Ok(bytes) => format!("sha256 {}", sha256(&bytes)),
            Err(_) => choice.to_owned(),
        },
    };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry((choice.to_owned(), backbone.name().to_owned())).or_insert_with(of_choice).clone()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::reproduce::Source;

    #[test]
    fn a_run_is_its_values_and_the_content_of_its_weights() {
        let folder = tempfile::tempdir().unwrap();
        let material = Material { source: Source::Glas, path: folder.path().to_owned(), folds: BTreeMap::new() };
        let of = |weights: &str, change: &dyn Fn(&mut Profile)| {
            let mut profile = Profile::named(Profile::DEFAULT).unwrap();
            profile.weights = weights.to_owned();
            change(&mut profile);
            identity(&material, &profile).unwrap()
        };
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (one, copy, other) = (file("a.pth", b"one"), file("b.pth", b"one"), file("c.pth", b"two"));
        let plain = of(&one, &|_| ());
        assert_eq!(of(&copy, &|profile| profile.name = "renamed".into()), plain);
        assert_eq!(of(&one, &|profile| (profile.train.workers, profile.train.save_minutes) = (7, 1.0)), plain);
        assert_ne!(of(&other, &|_| ()), plain);
        assert_ne!(of(&one, &|profile| profile.train.epochs += 1), plain);
    }
}
