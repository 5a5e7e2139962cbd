//! The toy network of the end-to-end gradient vectors: one 3×3 convolution as the backbone.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use histomask_core::backbone::FeatureExtractor;
use histomask_core::config::{
    BackgroundTerm, BarrierKind, LogBase, LossConfig, MaskConfig, MinMax, ModelConfig, PoolingConfig,
};
use histomask_core::model::MaxMin;
use histomask_core::weights::{StateDict, load_state_dict};
use serde_json::Value;

use crate::{numbers, shape};

/// 3×3 convolution of stride 2, with bias, and ReLU.
#[derive(Module, Debug)]
pub struct ToyBackbone {
    conv: Conv2d,
}

impl ToyBackbone {
    /// Random weights.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        let conv = Conv2dConfig::new([3, 4], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(device);
        Self { conv }
    }
}

impl FeatureExtractor for ToyBackbone {
    fn features(&self) -> usize {
        4
    }

    fn values_per_pixel(&self) -> usize {
        1
    }

    fn receptive_field(&self) -> usize {
        self.conv.kernel_size[0]
    }

    fn forward(&self, images: Tensor<4>, _passes: usize) -> Tensor<4> {
        relu(self.conv.forward(images))
    }
}

/// The vectors' names of the toy's weights and ours.
pub const NAMES: [(&str, &str); 6] = [
    ("conv.weight", "backbone.conv.weight"),
    ("conv.bias", "backbone.conv.bias"),
    ("headM.weight", "localizer.conv.weight"),
    ("headM.bias", "localizer.conv.bias"),
    ("headC.weight", "classifier.conv.weight"),
    ("headC.bias", "classifier.conv.bias"),
];

/// Model and loss of one variant: the base configuration with its changes.
#[must_use]
pub fn configs(base: &Value, changes: &Value) -> (ModelConfig, LossConfig, f64, f64) {
    let get = |key: &str| changes.get(key).unwrap_or(&base[key]);
    let number = |key: &str| get(key).as_f64().unwrap_or_else(|| panic!("{key} is no number"));
    let text = |key: &str| get(key).as_str().unwrap_or_else(|| panic!("{key} is no text")).to_owned();
    let model = ModelConfig {
        pooling: PoolingConfig { modalities: 2, kmax: number("kmax"), dropout: 0.0, ..PoolingConfig::default() },
        mask: MaskConfig {
            min_max: match text("minmax").as_str() {
                "per_sample" => MinMax::PerSample,
                "whole_batch" => MinMax::WholeBatch,
                "none" => MinMax::None,
                other => panic!("min-max {other}"),
            },
            omega: number("omega"),
            classifier_scale: number("scale"),
            ..MaskConfig::default()
        },
        ..ModelConfig::default()
    };
    let loss = LossConfig {
        background: match text("reg").as_str() {
            "SEM" => BackgroundTerm::Sem,
            "EEM" => BackgroundTerm::Eem,
            other => panic!("background term {other}"),
        },
        background_weight: number("lambda"),
        background_log: if text("reg_log") == "log2" { LogBase::Two } else { LogBase::E },
        barrier: match text("barrier").as_str() {
            "elb" => BarrierKind::Extended,
            "pure" => BarrierKind::Pure,
            other => panic!("barrier {other}"),
        },
        ..LossConfig::default()
    };
    (model, loss, number("sigma"), number("t"))
}

/// The toy model with the vectors' weights.
#[must_use]
pub fn model(config: &ModelConfig, weights: &Value, device: &Device) -> MaxMin<ToyBackbone> {
    let state: StateDict = NAMES
        .iter()
        .map(|(theirs, ours)| {
            let value = &weights[*theirs];
            let values: Vec<f32> = numbers(value).iter().map(|&number| number as f32).collect();
            ((*ours).to_owned(), TensorData::new(values, shape(value)))
        })
        .collect();
    let model = MaxMin::new(ToyBackbone::new(device), 2, config, device);
    load_state_dict(model, &state).unwrap_or_else(|error| panic!("{error}"))
}
