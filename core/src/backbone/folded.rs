use burn::module::{Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor};
use burn::tensor::{Device, Tensor};

use crate::kernel::Form;
#[cfg(feature = "cpu")]
use crate::kernel::Packed;

/// The pair as one convolution, of a network in use: with running statistics, normalisation is a factor and a shift of
/// each channel. `None` until [`fold`](super::fold).
///
/// It follows from the parameters beside it and is none itself: whatever maps those (loading, moving, training)
/// leaves the module unfolded, so that it never computes with what they were before.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded(Option<FoldedConv>);

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one value a convolution, beside its weights")]
pub(super) enum FoldedConv {
    /// `weight` as its form takes it, `bias` `[O]`.
    Tensors { weight: Tensor<4>, bias: Tensor<1>, form: Form },
    /// On the CPU.
    #[cfg(feature = "cpu")]
    Packed(Packed),
}

impl Folded {
    pub(super) fn new(conv: FoldedConv) -> Self {
        Self(Some(conv))
    }

    pub(super) fn get(&self) -> Option<&FoldedConv> {
        self.0.as_ref()
    }

    #[cfg(feature = "cpu")]
    pub(super) fn packed(&self) -> Option<&Packed> {
        match &self.0 {
            Some(FoldedConv::Packed(packed)) => Some(packed),
            _ => None,
        }
    }
}

impl Module for Folded {
    fn collect_devices(&self, devices: Devices) -> Devices {
        devices
    }

    fn fork(self, _: &Device) -> Self {
        Self(None)
    }

    fn to_device(self, _: &Device) -> Self {
        Self(None)
    }

    fn train(self) -> Self {
        Self(None)
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn materialize(self) -> Self {
        self
    }

    fn visit<V: ModuleVisitor>(&self, _: &mut V) {}

    fn map<M: ModuleMapper>(self, _: &mut M) -> Self {
        Self(None)
    }
}

impl ModuleDisplayDefault for Folded {
    fn content(&self, content: Content) -> Option<Content> {
        content.optional()
    }
}

impl ModuleDisplay for Folded {}
