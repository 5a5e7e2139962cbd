//! What a model is and how it is trained, as plain data: the `[model]` and `[loss]` tables of a profile,
//! and part of every model card. The defaults are the released GlaS code's (`spec` §1.3–1.6, §2.1).

use serde::{Deserialize, Serialize};

/// The methods, each named once: what it is, its variant, its name and its title in the paper's tables.
macro_rules! methods {
    ($(#[doc = $about:literal] $(#[$default:ident])? $variant:ident = $name:literal, $title:literal;)*) => {
        /// A row of the paper's tables. EEM and SEM are one method with two [`BackgroundTerm`]s.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum MethodKind {
            $(#[doc = $about] #[serde(rename = $name)] $(#[$default])? $variant,)*
        }

        impl MethodKind {
            /// All methods in the order of Tables 1 and 2.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name used in profiles, model cards and on the command line.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name in the paper's tables.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What it is, in a few words.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about.trim_ascii(),)* }
            }
        }
    };
}

methods! {
    /// Every pixel is foreground; nothing to train
    AllOnes = "all-ones", "All-ones";
    /// Presence and non-presence bounds on region sizes
    Pn = "pn", "PN";
    /// Adversarial erasing
    Erase = "erase", "ERASE";
    /// Class maps under a global maximum
    CamMax = "cam-max", "CAM-Max";
    /// Class maps under log-sum-exp
    CamLse = "cam-lse", "CAM-LSE";
    /// A network trained as cam-avg, read by its gradients
    GradCam = "grad-cam", "Grad-CAM";
    /// Class maps under a global average
    CamAvg = "cam-avg", "CAM-Avg";
    /// Class maps under the mean of extreme activations
    Wildcat = "wildcat", "Wildcat";
    /// Attention over positions
    DeepMil = "deep-mil", "Deep MIL";
    /// Max-min uncertainty, background term as in the profile
    #[default]
    MaxMin = "max-min", "Max-min";
    /// Supervised by masks
    UNet = "u-net", "U-Net";
}

impl MethodKind {
    /// Whether there is anything to train.
    #[must_use]
    pub fn is_trained(self) -> bool {
        self != Self::AllOnes
    }

    /// Whether it learns from masks rather than from image-level labels.
    #[must_use]
    pub fn learns_from_masks(self) -> bool {
        self == Self::UNet
    }

    /// Whether it says which class an image belongs to.
    #[must_use]
    pub fn names_class(self) -> bool {
        !matches!(self, Self::AllOnes | Self::UNet)
    }

    /// Whether its mask depends on the class that is asked for.
    #[must_use]
    pub fn masks_by_class(self) -> bool {
        !matches!(self, Self::AllOnes | Self::UNet | Self::MaxMin)
    }

    /// Whether a model trained as `self` can be used as `other`: the two share network and training.
    #[must_use]
    pub fn can_be_used_as(self, other: Self) -> bool {
        let cam_avg = |method| matches!(method, Self::CamAvg | Self::GradCam);
        self == other || (cam_avg(self) && cam_avg(other))
    }
}

impl std::fmt::Display for MethodKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Feature extractor shared by the localizer and the classifier (`spec` §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BackboneKind {
    /// EfficientNet-Lite0 with TensorFlow's SAME padding; 1,280 features at stride 32.
    EfficientnetLite0,
    /// ResNet18 with torchvision's 7×7 stem; 512 features at stride 32.
    Resnet18,
    /// ResNet18 with the three-convolution stem of the released code; 512 features at stride 32.
    Resnet18DeepStem,
}

/// How the top and bottom activations become a class score (`spec` §1.3, D14).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PoolingFormula {
    /// `(top + alpha * bottom) / 2`, the WILDCAT authors' code.
    Wildcat,
    /// `top + alpha * bottom`, the survey's baselines.
    Survey,
    /// `top` alone: the released max-min code loses its bottom term.
    Released,
}

/// WILDCAT pooling of one head (`spec` §1.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolingConfig {
    /// Modality maps per class, averaged into one class activation map.
    pub modalities: usize,
    /// Share of positions averaged at the top, in `[0, 1]`.
    pub kmax: f64,
    /// Share of positions averaged at the bottom, in `[0, 1]`; 0 switches the term off.
    pub kmin: f64,
    /// Weight of the bottom term.
    pub alpha: f64,
    /// Dropout probability on the sorted activations, in `[0, 1)`, training only.
    pub dropout: f64,
    /// Which of the three published formulas.
    pub formula: PoolingFormula,
}

impl Default for PoolingConfig {
    fn default() -> Self {
        Self { modalities: 5, kmax: 0.3, kmin: 0.0, alpha: 0.6, dropout: 0.1, formula: PoolingFormula::Released }
    }
}

/// Where the raw foreground map comes from (`spec` §1.4, §1.7, D16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MapSource {
    /// `sum_c p_c * map_c`, the localizer's maps weighted by its own posterior.
    Posterior,
    /// A one-class head of its own, as in the released Camelyon16 code.
    PullHead,
}

/// Over what the raw map is scaled to `[0, 1]` before Eq. 12 (`spec` §1.5, D4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MinMax {
    /// Each map by its own minimum and maximum.
    PerSample,
    /// One minimum and maximum for the batch while training (the released code); evaluation is per sample.
    WholeBatch,
    /// Not at all: the paper read literally.
    None,
}

/// What a pixel becomes that X⁺ or X⁻ leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Hole {
    /// 0 of the normalised image (`spec` §1.6): mid-grey at a mean of 0.5, which no tissue has.
    #[default]
    Zero,
    /// The mean colour of the image, so that a hole tells less of where it is.
    Mean,
}

/// From raw map to soft mask, Eq. 12 (`spec` §1.4–1.6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskConfig {
    /// Which map is turned into the mask.
    pub source: MapSource,
    /// Scaling of the map to `[0, 1]`.
    pub min_max: MinMax,
    /// Slope of the sigmoid in Eq. 12.
    pub omega: f64,
    /// Threshold of the sigmoid in Eq. 12 in epoch 0, on the normalised map.
    pub sigma: f64,
    /// Added to sigma after every epoch.
    pub sigma_step: f64,
    /// Upper limit of sigma.
    pub sigma_max: f64,
    /// Side length of the classifier's input relative to the image, in `(0, 1]`.
    pub classifier_scale: f64,
    /// What becomes of pixels that a region leaves out.
    #[serde(default)]
    pub hole: Hole,
    /// Whether bilinear resampling aligns the corners.
    pub align_corners: bool,
    /// Weight of what similar pixels of the image say together, in `[0, 1]`, outside of training (`refine`); 0 for none.
    #[serde(default)]
    pub votes: f64,
    /// Weight of the image's own prior of glands in the mask, in `[0, 1]`, outside of training (`refine`); 0 for none.
    #[serde(default)]
    pub prior: f64,
    /// Whether large empty glass is background, outside of training (`refine`).
    #[serde(default)]
    pub tissue: bool,
    /// Area, as a share of the squared short side, below which pieces and holes of the mask go, outside of training
    /// (`refine`); 0 keeps all.
    #[serde(default)]
    pub smallest: f64,
}

impl MaskConfig {
    /// Whether the mask takes anything from the image itself (`refine`).
    #[must_use]
    pub fn refines(&self) -> bool {
        self.votes > 0.0 || self.prior > 0.0 || self.tissue || self.smallest > 0.0
    }
}

impl Default for MaskConfig {
    fn default() -> Self {
        Self {
            source: MapSource::Posterior,
            min_max: MinMax::WholeBatch,
            omega: 5.0,
            sigma: 0.15,
            sigma_step: 0.001,
            sigma_max: 0.2,
            classifier_scale: 0.8,
            hole: Hole::Zero,
            align_corners: true,
            votes: 0.0,
            prior: 0.0,
            tissue: false,
            smallest: 0.0,
        }
    }
}

/// Which region a mask marks, for methods whose masks belong to a class (`spec` §5.0).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MaskOf {
    /// What speaks for the image's class, true or predicted (GlaS).
    #[default]
    Class,
    /// What speaks for any class but [`LossConfig::normal_class`], whatever the image's class (Camelyon16).
    Abnormal,
}

/// Adversarial erasing (`spec` §5.7).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EraseConfig {
    /// Pixels whose activation reaches this share of the image's maximum are erased, in `(0, 1]`.
    pub threshold: f64,
    /// Rounds of training, each on images that all earlier rounds have erased, at least 1.
    pub rounds: usize,
    /// Epochs of a round, at least 1; the last round lasts until training ends.
    pub round_epochs: usize,
}

impl Default for EraseConfig {
    fn default() -> Self {
        Self { threshold: 0.8, rounds: 3, round_epochs: 27 }
    }
}

impl EraseConfig {
    /// The round that `epoch` belongs to; both count from 0.
    #[must_use]
    pub fn round(&self, epoch: usize) -> usize {
        (epoch / self.round_epochs.max(1)).min(self.rounds.saturating_sub(1))
    }
}

/// A network of one of the methods (`spec` §1, §5). A method ignores what it has no use for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Which method; cards written before there was a choice are max-min models.
    #[serde(default)]
    pub method: MethodKind,
    /// Shared feature extractor.
    pub backbone: BackboneKind,
    /// Residual blocks of it that are kept, from the image on; 0 keeps all, and the layers behind them.
    #[serde(default)]
    pub backbone_blocks: usize,
    /// Channels of the 1×1 layer above a backbone that is cut; 0 for none.
    #[serde(default)]
    pub backbone_channels: usize,
    /// Which region a mask of a baseline marks.
    #[serde(default)]
    pub mask_of: MaskOf,
    /// Adversarial erasing.
    #[serde(default)]
    pub erase: EraseConfig,
    /// Pooling of the WILDCAT heads (max-min, PN, WILDCAT).
    pub pooling: PoolingConfig,
    /// From raw map to soft mask (max-min).
    pub mask: MaskConfig,
    /// Which posterior names the class: the one on the foreground (GlaS) or on the full image (released Camelyon16).
    pub class_from: ClassFrom,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            method: MethodKind::MaxMin,
            backbone: BackboneKind::EfficientnetLite0,
            backbone_blocks: 0,
            backbone_channels: 0,
            mask_of: MaskOf::Class,
            erase: EraseConfig::default(),
            pooling: PoolingConfig::default(),
            mask: MaskConfig::default(),
            class_from: ClassFrom::Foreground,
        }
    }
}

/// The posterior that classifies an image (`spec` §4, D17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ClassFrom {
    /// `argmax p_hat_plus`, the classifier on the foreground.
    Foreground,
    /// `argmax p_hat`, the localizer on the full image; the masked images are then not classified at all.
    FullImage,
}

/// The uncertainty term on the background (`spec` §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BackgroundTerm {
    /// Explicit entropy maximisation, Eq. 4 and 8: `-H(p_minus)`.
    Eem,
    /// Surrogate for explicit entropy maximisation, Eq. 6 and 9: `H(q, p_minus)` with uniform `q`.
    Sem,
    /// Not the paper's: the classifier learns to name the class from the background too, and the mask learns that it
    /// cannot. Cross-entropy on X⁻, its gradient reversed on the way to the mask (Ganin & Lempitsky, ICML 2015) and
    /// times [`LossConfig::reversal`].
    Reversal,
    /// No term (the ablation's "FG only"); the background is still passed through the backbone.
    None,
}

/// Base of the logarithm in the background term (`spec` D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogBase {
    /// Bits, as in the released code.
    Two,
    /// Nats.
    E,
}

/// The barrier that keeps regions from vanishing (`spec` §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BarrierKind {
    /// Extended log-barrier: linear below `1/t²`, finite everywhere (released code).
    Extended,
    /// `-(1/t) log s`, Eq. 7 read literally; infinite at zero.
    Pure,
    /// No size constraint.
    None,
}

/// Which regions the barrier constrains (`spec` §2.1, §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BarrierOn {
    /// Foreground and background of every image.
    BothRegions,
    /// Foreground only, and only on images whose class is not [`LossConfig::normal_class`].
    AbnormalForeground,
}

/// Total loss: Eq. 7 and the localizer's cross-entropy (`spec` §2.1, §2.3). A weight of 0 switches a term off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossConfig {
    /// Weight of the cross-entropy of `p_hat` on the full image.
    pub full_weight: f64,
    /// Weight of the cross-entropy of `p_hat_plus` on the foreground (Eq. 3).
    pub foreground_weight: f64,
    /// Uncertainty term on the background.
    pub background: BackgroundTerm,
    /// Lambda, the weight of the background term.
    pub background_weight: f64,
    /// Base of its logarithm.
    pub background_log: LogBase,
    /// Strength at the mask of the reversed gradient of [`BackgroundTerm::Reversal`], relative to the term's weight.
    #[serde(default = "LossConfig::reversal_of_old_profiles")]
    pub reversal: f64,
    /// Size barrier.
    pub barrier: BarrierKind,
    /// What the barrier constrains.
    pub barrier_on: BarrierOn,
    /// The barrier's t in epoch 0.
    pub t: f64,
    /// t is multiplied by this after every epoch.
    pub t_factor: f64,
    /// Upper limit of t.
    pub t_max: f64,
    /// Name of the class without foreground of interest (Camelyon16's "normal"); used by the two Camelyon terms.
    pub normal_class: String,
    /// Weight of the cross-entropy that pulls the mask to zero on normal images (released Camelyon16).
    pub normal_empty_weight: f64,
    /// Weight of PN's size penalty (`spec` §5.8).
    pub size_penalty_weight: f64,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            full_weight: 1.0,
            foreground_weight: 1.0,
            background: BackgroundTerm::Sem,
            background_weight: 1e-7,
            background_log: LogBase::Two,
            reversal: Self::reversal_of_old_profiles(),
            barrier: BarrierKind::Extended,
            barrier_on: BarrierOn::BothRegions,
            t: 5.0,
            t_factor: 1.01,
            t_max: 10.0,
            normal_class: "normal".into(),
            normal_empty_weight: 0.0,
            size_penalty_weight: 1e-5,
        }
    }
}

impl LossConfig {
    fn reversal_of_old_profiles() -> f64 {
        1.0
    }

    /// Index of [`LossConfig::normal_class`] among a model's classes, by its very name, else in any case of its
    /// letters; none if no class is called so.
    #[must_use]
    pub fn normal_index(&self, classes: &[String]) -> Option<usize> {
        let exact = classes.iter().position(|class| *class == self.normal_class);
        exact.or_else(|| classes.iter().position(|class| class.eq_ignore_ascii_case(&self.normal_class)))
    }
}
