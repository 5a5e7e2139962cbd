//! What an artefact needs: methods with what is changed in them, over seeds and folds, on which images.

use super::material::Source;
use crate::data::SplitChoice;
use crate::method::MethodChoice;
use crate::profile::Profile;
use histomask_core::config::{BackgroundTerm, BarrierKind};

/// A setting that differs from the method's own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// No term on the background.
    NoBackground,
    /// No size barrier (absolute size constraints, ASC).
    NoBarrier,
    /// Weight of the background term.
    Lambda(f64),
    /// Eq. 12's threshold, constant over the epochs.
    Sigma(f64),
    /// Eq. 12's slope.
    Omega(f64),
    /// All blocks of the backbone and no layer above them.
    WholeBackbone,
    /// Nothing but the network in a mask: no votes, no prior, no tissue, pieces of any size.
    MasksAlone,
    /// Gradients at the mask measured on so many batches.
    MaskGradients(usize),
    /// So many checkpoints on the way kept, the last among them.
    Kept(usize),
}

impl Change {
    /// Puts it into a profile.
    pub(crate) fn apply(self, profile: &mut Profile) {
        let (loss, mask) = (&mut profile.loss, &mut profile.model.mask);
        match self {
            Self::NoBackground => loss.background = BackgroundTerm::None,
            Self::NoBarrier => loss.barrier = BarrierKind::None,
            Self::Lambda(lambda) => loss.background_weight = lambda,
            // the released code's cap of 0.2 would pull larger values down after the first epoch (`spec` §7)
            Self::Sigma(sigma) => (mask.sigma, mask.sigma_step, mask.sigma_max) = (sigma, 0.0, sigma),
            Self::Omega(omega) => mask.omega = omega,
            Self::WholeBackbone => (profile.model.backbone_blocks, profile.model.backbone_channels) = (0, 0),
            Self::MasksAlone => (mask.votes, mask.prior, mask.tissue, mask.smallest) = (0.0, 0.0, false, 0.0),
            Self::MaskGradients(batches) => profile.train.mask_gradients = batches,
            Self::Kept(checkpoints) => profile.train.keep_every = profile.train.epochs.div_ceil(checkpoints),
        }
    }
}

/// A row, column or point of an artefact.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arm {
    /// Its name in the artefact.
    pub(crate) label: String,
    pub(crate) method: MethodChoice,
    pub(crate) changes: Vec<Change>,
    /// A profile in place of the method's published one.
    pub(crate) profile: Option<&'static str>,
}

impl Arm {
    /// A method as it is.
    pub(crate) fn plain(method: MethodChoice) -> Self {
        Self::changed(title(method), method, &[])
    }

    /// A method with changes.
    pub(crate) fn changed(label: impl Into<String>, method: MethodChoice, changes: &[Change]) -> Self {
        Self { label: label.into(), method, changes: changes.to_vec(), profile: None }
    }
}

/// A method's name in tables.
pub(crate) fn title(method: MethodChoice) -> &'static str {
    match method {
        MethodChoice::MaxMinEem => "Ours (EEM)",
        MethodChoice::MaxMinSem => "Ours (SEM)",
        other => other.kind().title(),
    }
}

/// Which images of a run's data are evaluated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Evaluated {
    /// None: the artefact looks at the training or at single images.
    Nothing,
    /// Those that results are reported on.
    Judged,
    /// Each of these splits by itself.
    Splits(Vec<SplitChoice>),
}

/// Which seeds and folds are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// All that were asked for.
    All,
    /// The first of each.
    First,
}

/// The needs of one artefact.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) source: Source,
    pub(crate) arms: Vec<Arm>,
    pub(crate) evaluated: Evaluated,
    pub(crate) repeats: Repeats,
    /// Whether the checkpoints that runs keep on the way are judged too, and probes say what masks keep of the class and
    /// leave out.
    pub(crate) followed: bool,
}
