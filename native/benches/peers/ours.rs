//! Our side of `predict.py`: a network with random weights, written to a folder with an input and what it computes from
//! it; then one prediction for every line of standard input, its seconds on standard output.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::Instant;
use std::{env, fs};

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Distribution, Tensor, Transaction};
use histomask_core::config::{BackboneKind, MethodKind, ModelConfig};
use histomask_core::method::{Method as _, Network};
use histomask_core::weights::{Precision, state_dict, write_weights};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn config(name: &str) -> Result<ModelConfig> {
    let of = |backbone| ModelConfig { backbone, ..ModelConfig::default() };
    Ok(match name {
        "efficientnet-lite0" => of(BackboneKind::EfficientnetLite0),
        // as the embedded model has it
        "efficientnet-lite0-short" => {
            ModelConfig { backbone_blocks: 8, backbone_channels: 256, ..of(BackboneKind::EfficientnetLite0) }
        }
        "resnet18" => of(BackboneKind::Resnet18),
        "resnet18-deep-stem" => of(BackboneKind::Resnet18DeepStem),
        "u-net" => ModelConfig { method: MethodKind::UNet, ..ModelConfig::default() },
        _ => return Err(format!("{name} is no network of this comparison").into()),
    })
}

/// The network's results: its maps, and the posteriors of both regions where it has them.
fn predict(network: &Network, image: &Tensor<4>) -> Result<Vec<Vec<f32>>> {
    let reading = network.read(image.clone(), 0.15);
    let posteriors = [reading.scores, reading.background].into_iter().flatten();
    let transfer = Transaction::default().register(reading.maps);
    let transfer = posteriors.fold(transfer, |transfer, scores| transfer.register(softmax(scores, 1)));
    let values = transfer.try_execute().map_err(|error| error.to_string())?;
    Ok(values.into_iter().map(|data| data.iter::<f32>().collect()).collect())
}

fn floats(path: &Path, values: impl IntoIterator<Item = f32>) -> std::io::Result<()> {
    fs::write(path, values.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<_>>())
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [name, height, width, folder] = arguments.as_slice() else {
        println!("predict.py runs this as: NETWORK HEIGHT WIDTH FOLDER");
        return Ok(());
    };
    let (device, folder) = (Device::flex(), Path::new(folder));
    device.seed(1);
    let network = config(name)?.init(2, &device);
    fs::write(folder.join("weights.safetensors"), write_weights(&state_dict(&network), None, Precision::Full)?)?;
    let network = network.fold();
    let image = Tensor::random([1, 3, height.parse()?, width.parse()?], Distribution::Uniform(-1.0, 1.0), &device);
    floats(&folder.join("image.f32"), image.to_data().iter::<f32>())?;
    for (index, result) in predict(&network, &image)?.into_iter().enumerate() {
        floats(&folder.join(format!("result{index}.f32")), result)?;
    }
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        line?;
        let start = Instant::now();
        predict(&network, &image)?;
        println!("{}", start.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
    }
    Ok(())
}
