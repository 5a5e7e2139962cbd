//! From a method with its changes to the settings of one run.

use histomask_core::MethodKind;
use histomask_core::config::MaskOf;

use super::material::{Material, Source};
use super::plan::Arm;
use super::quick;
use crate::method::MethodChoice;
use crate::profile::{EmptyMasks, Overrides, Profile, ProfileError};

/// What the user wants changed in every run.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// One profile for all methods in place of each method's published training.
    pub(crate) profile: Option<String>,
    /// Settings given as flags.
    pub(crate) settings: Overrides,
    /// Tiny runs.
    pub(crate) quick: bool,
}

impl Recipe {
    /// The settings before anything is changed for a run: profile and flags.
    pub(crate) fn base(&self, source: Source, method: MethodChoice) -> Result<Profile, ProfileError> {
        self.from(published(source, method))
    }

    /// The same from another profile than the method's published one.
    pub(crate) fn from(&self, profile: &str) -> Result<Profile, ProfileError> {
        let mut profile = Profile::resolve(self.profile.as_deref().unwrap_or(profile))?;
        let published = profile.clone();
        if self.quick {
            quick::shrink(&mut profile);
        }
        profile = self.settings.apply(profile)?;
        // with another number of epochs, ERASE keeps its number of rounds
        let (now, then) = (profile.train.epochs, published.train.epochs);
        let rounds = &mut profile.model.erase;
        if now != then && rounds.round_epochs == published.model.erase.round_epochs {
            rounds.round_epochs = now.div_ceil(rounds.rounds.max(1)).max(1);
        }
        Ok(profile)
    }

    /// The settings of one run. Grad-CAM is trained as CAM-Avg, whose network it reads.
    ///
    /// # Errors
    /// [`ProfileError`] for settings that do not go together.
    pub(crate) fn run(&self, material: &Material, arm: &Arm, seed: u64, fold: usize) -> Result<Profile, ProfileError> {
        let trained_as = if arm.method == MethodChoice::Of(MethodKind::GradCam) {
            MethodChoice::Of(MethodKind::CamAvg)
        } else {
            arm.method
        };
        let base = self.from(arm.profile.unwrap_or_else(|| published(material.source, arm.method)))?;
        let selection = base.evaluation.selection;
        let mut profile = trained_as.apply(base);
        if arm.profile.is_some() {
            // a recipe says by itself which epoch it keeps
            profile.evaluation.selection = selection;
        }
        for change in &arm.changes {
            change.apply(&mut profile);
        }
        if let Some(normal) = material.normal_name() {
            profile.loss.normal_class = normal.to_owned();
            profile.model.mask_of = MaskOf::Abnormal;
            profile.evaluation.empty_masks = EmptyMasks::Skip;
        }
        profile.train.seed = if profile.model.method.is_trained() { seed } else { 0 };
        profile.data.fold = fold;
        profile.validate()?;
        Ok(profile)
    }
}

/// The shipped profile with a method's published training on a data set (`spec` §3.1).
fn published(source: Source, method: MethodChoice) -> &'static str {
    match (source, method.kind()) {
        (Source::Glas, _) => method.default_profile(),
        // the released Camelyon16 model has no background term, so neither EEM nor SEM
        (Source::Camelyon, MethodKind::MaxMin) => "paper-camelyon",
        (Source::Camelyon, MethodKind::Pn | MethodKind::Erase) => "pn-erase-camelyon",
        (Source::Camelyon, MethodKind::UNet) => "u-net-camelyon",
        (Source::Camelyon, _) => "baseline-camelyon",
    }
}
