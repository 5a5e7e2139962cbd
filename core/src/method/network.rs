use burn::module::Module;
use burn::tensor::{Device, Tensor};
use histomask_shaders::Limits;

use super::{AllOnes, Batch, Cam, DeepMil, Erase, GradCam, Learning, Method, Objective, Pn, Reading, UNet};
use crate::backbone::{Backbone, Depth, FeatureExtractor, Tiling};
use crate::config::{MethodKind, ModelConfig};
use crate::error::Error;
use crate::head::CamHead;
use crate::kernel::{check_pass, limits};
use crate::model::MaxMin;
use crate::pooling::Pooling;

/// Two masked images of three channels at 0.8 of the image's sides.
const WHOLE_VALUES_PER_PIXEL: usize = 4;

/// The network of any method, chosen at run time; the names of its weights are those of the network inside.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "one value a program, and the variants are all large")]
pub enum Network {
    /// All-ones.
    AllOnes(AllOnes),
    /// CAM-Avg, CAM-Max, CAM-LSE and WILDCAT.
    Cam(Cam),
    /// Grad-CAM.
    GradCam(GradCam),
    /// ERASE.
    Erase(Erase),
    /// PN.
    Pn(Pn),
    /// Deep MIL.
    DeepMil(DeepMil),
    /// Max-min, EEM and SEM.
    MaxMin(MaxMin<Backbone>),
    /// U-Net.
    UNet(UNet),
}

impl ModelConfig {
    /// The backbone with random weights.
    #[must_use]
    pub fn backbone(&self, device: &Device) -> Backbone {
        let depth = Depth { blocks: self.backbone_blocks, channels: self.backbone_channels };
        self.backbone.init_to(depth, device)
    }

    /// The network of [`ModelConfig::method`] with random weights for `classes` classes.
    #[must_use]
    pub fn init(&self, classes: usize, device: &Device) -> Network {
        let backbone = || self.backbone(device);
        let cam = |head: &dyn Fn(usize) -> CamHead| {
            let backbone = backbone();
            Network::Cam(Cam { head: head(backbone.features()), backbone })
        };
        let pooled = |pooling: Pooling| cam(&|features| CamHead::new(features, classes, pooling.clone(), device));
        match self.method {
            MethodKind::AllOnes => Network::AllOnes(AllOnes::new(classes)),
            MethodKind::Pn => Network::Pn(Pn::new(backbone(), classes, &self.pooling, device)),
            MethodKind::Erase => Network::Erase(Erase::new(backbone(), classes, self.erase, device)),
            MethodKind::CamMax => pooled(Pooling::Max),
            MethodKind::CamLse => pooled(Pooling::LogSumExp),
            MethodKind::GradCam => Network::GradCam(GradCam::new(backbone(), classes, device)),
            MethodKind::CamAvg => pooled(Pooling::Average),
            MethodKind::Wildcat => cam(&|features| CamHead::wildcat(features, classes, &self.pooling, device)),
            MethodKind::DeepMil => Network::DeepMil(DeepMil::new(backbone(), classes, device)),
            MethodKind::MaxMin => Network::MaxMin(self.init_max_min(classes, device)),
            MethodKind::UNet => Network::UNet(UNet::new(device)),
        }
    }
}

impl Network {
    /// The feature extractor, of networks that have one.
    pub fn backbone_mut(&mut self) -> Option<&mut Backbone> {
        match self {
            Self::Cam(net) => Some(&mut net.backbone),
            Self::GradCam(net) => Some(&mut net.backbone),
            Self::Erase(net) => Some(&mut net.backbone),
            Self::Pn(net) => Some(&mut net.backbone),
            Self::DeepMil(net) => Some(&mut net.backbone),
            Self::MaxMin(net) => Some(&mut net.backbone),
            Self::AllOnes(_) | Self::UNet(_) => None,
        }
    }

    /// The network for use alone ([`FeatureExtractor::fold`]).
    #[must_use]
    pub fn fold(mut self) -> Self {
        if let Some(backbone) = self.backbone_mut() {
            *backbone = backbone.clone().fold();
        }
        match self {
            Self::UNet(net) => Self::UNet(net.fold()),
            other => other,
        }
    }

    /// Checks that a batch of `images` of `[H, W]` fits the buffers of the device's adapter.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] with the adapter's limit.
    pub fn check_batch(&self, device: &Device, images: usize, size: [usize; 2]) -> Result<(), Error> {
        match limits(device) {
            Some(limits) => self.check_batch_within(limits, device.is_autodiff(), images, size),
            None => Ok(()),
        }
    }

    /// [`Network::check_batch`] for an adapter of these limits, in a training step or in use.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] with the limit.
    pub fn check_batch_within(
        &self,
        limits: Limits,
        training: bool,
        images: usize,
        size: [usize; 2],
    ) -> Result<(), Error> {
        let backbone = match self {
            Self::AllOnes(_) => return Ok(()),
            Self::UNet(_) => return Ok(check_pass(limits, UNet::VALUES_PER_PIXEL, images, size)?),
            Self::Cam(net) => net.backbone.values_per_pixel(),
            Self::GradCam(net) => net.backbone.values_per_pixel(),
            Self::Erase(net) => net.backbone.values_per_pixel(),
            Self::Pn(net) => net.backbone.values_per_pixel(),
            Self::DeepMil(net) => net.backbone.values_per_pixel(),
            Self::MaxMin(net) => net.values_per_pixel(),
        };
        // in use, ERASE makes a copy of the image for each class
        let images = match self {
            Self::Erase(net) if !training => images * net.classes(),
            _ => images,
        };
        let window = if training { size } else { Tiling::default().largest(size) };
        check_pass(limits, backbone, images, window)?;
        // what is whole: the image or the two masked ones, and deep features, which have fewer values
        Ok(check_pass(limits, WHOLE_VALUES_PER_PIXEL, images, size)?)
    }

    fn method(&self) -> &dyn Method {
        match self {
            Self::AllOnes(net) => net,
            Self::Cam(net) => net,
            Self::GradCam(net) => net,
            Self::Erase(net) => net,
            Self::Pn(net) => net,
            Self::DeepMil(net) => net,
            Self::MaxMin(net) => net,
            Self::UNet(net) => net,
        }
    }
}

impl Method for Network {
    fn learn(&self, batch: Batch<'_>, objective: Objective<'_>) -> Learning {
        self.method().learn(batch, objective)
    }

    fn read(&self, image: Tensor<4>, sigma: f64) -> Reading {
        // a GPU's work keeps its order by thread, and stays on its caller's
        #[cfg(feature = "cpu")]
        if limits(&image.device()).is_none() {
            return crate::parallel::inside(|| self.method().read(image, sigma));
        }
        self.method().read(image, sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every browser can do, whatever the adapter at hand.
    #[test]
    fn the_least_adapter_refuses_what_would_not_fit() {
        let device = Device::flex();
        let fits = |method: MethodKind, training: bool, images: usize, side: usize| {
            let network = ModelConfig { method, ..ModelConfig::default() }.init(3, &device);
            network.check_batch_within(Limits::GUARANTEED, training, images, [side, side])
        };
        for method in MethodKind::ALL {
            assert!(fits(*method, false, 1, 512).is_ok(), "{method}");
        }
        assert!(fits(MethodKind::MaxMin, false, 1, 800).is_ok());
        let text = |result: Result<(), Error>| result.err().map(|error| error.to_string()).unwrap_or_default();
        for refused in [
            fits(MethodKind::MaxMin, false, 1, 4096),
            fits(MethodKind::MaxMin, true, 64, 512),
            fits(MethodKind::UNet, false, 1, 2048),
            // one image fits, its three copies do not
            fits(MethodKind::Erase, false, 1, 800),
        ] {
            assert!(text(refused).contains("maxStorageBufferBindingSize"), "not refused");
        }
        assert!(fits(MethodKind::CamAvg, false, 1, 800).is_ok());
    }
}
