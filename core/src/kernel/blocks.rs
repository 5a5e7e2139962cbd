//! Feature maps of a network in use on the CPU, in blocks of channels ([`histomask_shaders::blocked`]) instead of burn's
//! planes: from the first convolution to the last they are no tensors.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{DType, Flex};
use burn::nn::conv::Conv2d;
use burn::tensor::{Tensor, TensorData};
use histomask_shaders::blocked::{self, BLOCK, Conv, Depthwise, Expansion, Map, MaxPool, Placement, Sample};

use super::Activation;
use super::cpu_tensor::{dense, from_values};
use super::geometry::{Form, Padding, output_size, padding};

/// A batch of feature maps, all of one size. A sample's channels are in one map or in several, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    samples: Vec<Vec<Arc<Map>>>,
}

/// A convolution with its bias, packed.
#[derive(Clone, Debug)]
pub(crate) enum Packed {
    /// Over all channels.
    Dense(Arc<Conv>),
    /// Of each channel.
    Depthwise(Arc<Depthwise>),
}

impl Packed {
    /// Of a `weight` `[O, I, k, k]` and a `bias` `[O]` with the settings of `conv`; `None` on other devices.
    pub(crate) fn new(conv: &Conv2d, weight: &Tensor<4>, bias: &Tensor<1>) -> Option<Self> {
        let [_, inputs, kernel, _] = weight.dims();
        let (weight, bias) = (primitive(weight)?, primitive(bias)?);
        let (weight, bias) = (weight.storage(), bias.storage());
        match Form::of(conv) {
            Form::Pointwise | Form::Dense if conv.stride[0] <= 2 => {
                Some(Self::Dense(Arc::new(Conv::new(weight, bias, inputs, kernel, conv.stride[0]))))
            }
            Form::Depthwise => Some(Self::Depthwise(Arc::new(Depthwise::new(weight, bias, kernel, conv.stride[0])))),
            _ => None,
        }
    }

    /// The convolution of images; `None` where they are not on the CPU or no colour images.
    pub(crate) fn of_images(&self, conv: &Conv2d, x: &Tensor<4>, activation: Activation) -> Option<Blocks> {
        let [_, channels, height, width] = x.dims();
        let Self::Dense(packed) = self else { return None };
        if channels != 3 {
            return None;
        }
        let (size, placement) = ([height, width], placement(conv, [height, width]));
        let x = primitive(x)?;
        let images = x.storage::<f32>().chunks_exact(channels * height * width);
        let run = |image| vec![Arc::new(packed.run_on_image(image, size, placement, activation.number()))];
        Some(Blocks { samples: images.map(run).collect() })
    }

    /// The convolution of `x`, a shortcut of the result's shape added if there is one. A depthwise one takes none.
    pub(crate) fn run(
        &self,
        conv: &Conv2d,
        x: &Blocks,
        shortcut: Option<&Blocks>,
        activation: Activation,
    ) -> Option<Blocks> {
        let (placement, activation) = (placement(conv, x.size()), activation.number());
        let maps = match self {
            Self::Dense(conv) => {
                let mut samples = Vec::with_capacity(x.samples.len());
                for (index, maps) in x.samples.iter().enumerate() {
                    let shortcut = match shortcut {
                        Some(shortcut) => Some(shortcut.whole(index)?),
                        None => None,
                    };
                    samples.push(Sample { maps: maps.iter().map(AsRef::as_ref).collect(), shortcut });
                }
                conv.run(&samples, placement, activation)
            }
            Self::Depthwise(conv) if shortcut.is_none() => {
                let run = |index| Some(conv.run(x.whole(index)?, None, placement, activation));
                (0..x.samples.len()).map(run).collect::<Option<_>>()?
            }
            Self::Depthwise(_) => return None,
        };
        Some(Blocks { samples: maps.into_iter().map(|map| vec![Arc::new(map)]).collect() })
    }

    /// This 1×1 convolution and the depthwise one behind it, both activated.
    pub(crate) fn widened(
        &self,
        depthwise: &Self,
        conv: &Conv2d,
        x: &Blocks,
        activation: Activation,
    ) -> Option<Blocks> {
        let (Self::Dense(expand), Self::Depthwise(depthwise)) = (self, depthwise) else { return None };
        let placement = placement(conv, x.size());
        let activation = activation.number();
        let run = |index| {
            let expansion = Expansion { conv: expand, activation };
            Some(vec![Arc::new(depthwise.run(x.whole(index)?, Some(expansion), placement, activation))])
        };
        Some(Blocks { samples: (0..x.samples.len()).map(run).collect::<Option<_>>()? })
    }
}

impl Blocks {
    /// A batch of planes; `None` where they are not on the CPU.
    pub(crate) fn from_tensor(x: &Tensor<4>) -> Option<Self> {
        let [_, channels, height, width] = x.dims();
        let x = primitive(x)?;
        let samples = x.storage::<f32>().chunks_exact(channels * height * width);
        let map = |planes| vec![Arc::new(Map::from_planes(planes, channels, [height, width]))];
        Some(Self { samples: samples.map(map).collect() })
    }

    /// As planes `[B, C, H, W]`.
    pub(crate) fn into_tensor(self) -> Tensor<4> {
        let [batch, channels, height, width] = self.dims();
        let mut values = vec![0.0; batch * channels * height * width];
        let mut rest = &mut values[..];
        for map in self.samples.iter().flatten() {
            let (planes, behind) = rest.split_at_mut(map.channels() * height * width);
            map.to_planes(planes);
            rest = behind;
        }
        Tensor::from_primitive::<Flex>(from_values(TensorData::new(values, [batch, channels, height, width])))
    }

    /// Batch, channels, rows and columns.
    pub(crate) fn dims(&self) -> [usize; 4] {
        let [height, width] = self.size();
        let channels = self.samples.first().map_or(0, |maps| maps.iter().map(|map| map.channels()).sum());
        [self.samples.len(), channels, height, width]
    }

    fn size(&self) -> [usize; 2] {
        self.samples.first().and_then(|maps| maps.first()).map_or([0; 2], |map| map.size())
    }

    /// A sample's map, if it is one.
    fn whole(&self, sample: usize) -> Option<&Map> {
        match self.samples.get(sample).map(Vec::as_slice) {
            Some([map]) => Some(map),
            _ => None,
        }
    }

    /// The highest value of every window.
    pub(crate) fn max_pool(&self, kernel: usize, stride: usize, padding: Padding) -> Self {
        let pad = [padding[0].0, padding[1].0];
        let pool = MaxPool { kernel, stride, pad, size: output_size(self.size(), kernel, stride, padding) };
        self.each(|map| pool.run(map))
    }

    /// Every pixel four times, at `size`.
    pub(crate) fn nearest_double(&self, size: [usize; 2]) -> Self {
        self.each(|map| blocked::nearest_double(map, size))
    }

    fn each(&self, change: impl Fn(&Map) -> Map) -> Self {
        let sample = |maps: &Vec<Arc<Map>>| maps.iter().map(|map| Arc::new(change(map))).collect();
        Self { samples: self.samples.iter().map(sample).collect() }
    }

    /// The channels of both, one after the other; `None` where the first's blocks are not full.
    pub(crate) fn joined(&self, other: &Self) -> Option<Self> {
        if self.samples.iter().flatten().any(|map| map.channels() % BLOCK != 0) {
            return None;
        }
        let pairs = self.samples.iter().zip(&other.samples);
        Some(Self { samples: pairs.map(|(first, second)| [&first[..], &second[..]].concat()).collect() })
    }
}

fn placement(conv: &Conv2d, size: [usize; 2]) -> Placement {
    let padding = padding(conv, size);
    let size = output_size(size, conv.kernel_size[0], conv.stride[0], padding);
    Placement { size, pad: [padding[0].0, padding[1].0] }
}

/// The primitive of a 32-bit tensor on the CPU without autodiff; `None` on any other device or type.
fn primitive<const D: usize>(tensor: &Tensor<D>) -> Option<FloatTensor<Flex>> {
    let primitive = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (primitive.dtype() == DType::F32).then(|| dense(primitive))
}
