//! From coarse map to mask and masked images: values and gradients, against the kernels' twins.

use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::config::{MaskConfig, MinMax};
use histomask_core::kernel::{MaskSpec, mask_images, soft_mask};

use crate::Tab;
use crate::compare::{Comparison, Failure};

/// Of masks and masked images, whose values are of order 1.
const VALUES: f64 = 2e-5;
/// Of sizes and gradients: sums over all pixels, in another order.
const SUMS: f64 = 2e-4;

/// Batch, map, image, share of the classifier's side: single pixels, primes, a batch, a GlaS image.
const SHAPES: [(usize, [usize; 2], [usize; 2], f64); 5] = [
    (1, [1, 1], [1, 1], 1.0),
    (1, [1, 1], [7, 5], 0.8),
    (2, [3, 2], [31, 17], 0.5),
    (3, [4, 4], [48, 64], 1.0),
    (1, [17, 25], [522, 775], 0.8),
];
const SCALINGS: [MinMax; 3] = [MinMax::PerSample, MinMax::WholeBatch, MinMax::None];

struct Case {
    name: String,
    /// `[B, 1, h, w]`, on the CPU.
    coarse: Tensor<4>,
    /// `[B, 3, H, W]`, on the CPU.
    images: Tensor<4>,
    /// Weight of each value of the masked images in the loss, `[B, 2, 3, H', W']`, on the CPU.
    direction: Tensor<5>,
    spec: MaskSpec,
}

/// Every shape with every scaling; corners are aligned in every other case.
fn cases(cpu: &Device) -> impl Iterator<Item = Case> {
    cpu.seed(11);
    let pairs = SHAPES.into_iter().flat_map(|shape| SCALINGS.map(|min_max| (shape, min_max)));
    pairs.enumerate().map(|(index, ((batch, map, size, classifier_scale), min_max))| {
        let align_corners = index % 2 == 0;
        let config = MaskConfig { min_max, align_corners, classifier_scale, ..MaskConfig::default() };
        let spec = MaskSpec::new(&config, size, 0.15);
        Case {
            name: format!("{batch} × {map:?} → {size:?}, {min_max:?}, align_corners {align_corners}"),
            coarse: uniform([batch, 1, map[0], map[1]], cpu),
            images: uniform([batch, 3, size[0], size[1]], cpu),
            direction: uniform([batch, 2, 3, spec.region[0], spec.region[1]], cpu),
            spec,
        }
    })
}

pub(crate) async fn soft_masks(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    for Case { name, coarse, spec, .. } in cases(&tab.cpu) {
        let ours = soft_mask(on(&coarse, &tab.gpu), spec);
        comparison.close("mask", &name, ours, soft_mask(coarse, spec), VALUES).await?;
    }
    not_a_number(tab, comparison).await
}

/// NaN in one map of a batch makes its mask and all that follows NaN; with the extremes of the whole batch, all masks.
async fn not_a_number(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    let mut map: Vec<f32> = (0..24).map(|value| value as f32 / 7.0 % 1.0).collect();
    map[17] = f32::NAN;
    for min_max in [MinMax::PerSample, MinMax::WholeBatch] {
        let spec = MaskSpec::new(&MaskConfig { min_max, ..MaskConfig::default() }, [20, 24], 0.15);
        let computed = |device| {
            let map = Tensor::<1>::from_floats(map.as_slice(), device).reshape([2, 1, 3, 4]);
            let masked = mask_images(map.clone(), Tensor::ones([2, 3, 20, 24], device), spec);
            Tensor::cat(
                vec![soft_mask(map, spec).flatten(0, 3), masked.regions.flatten(0, 4), masked.foreground_size],
                0,
            )
        };
        let ours: Vec<f64> = comparison.values::<1>(computed(&tab.gpu)).await?;
        let theirs: Vec<f64> = computed(&tab.cpu).into_data().iter().collect();
        comparison.add("with NaN", &format!("a map with NaN, {min_max:?}"), &ours, &theirs, SUMS);
    }
    Ok(())
}

pub(crate) async fn masked_images(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    for case in cases(&tab.cpu) {
        let ours = differentiated(&case, &tab.gpu)?;
        let theirs = differentiated(&case, &tab.cpu)?;
        comparison.close("regions", &case.name, ours.regions, theirs.regions, VALUES).await?;
        comparison.close("size", &case.name, ours.size, theirs.size, SUMS).await?;
        comparison.close("gradient", &case.name, ours.gradient, theirs.gradient, SUMS).await?;
    }
    Ok(())
}

struct Differentiated {
    regions: Tensor<5>,
    size: Tensor<1>,
    /// Of the coarse map.
    gradient: Tensor<4>,
}

fn differentiated(case: &Case, device: &Device) -> Result<Differentiated, Failure> {
    let device = device.clone().autodiff();
    let coarse = on(&case.coarse, &device).require_grad();
    let masked = mask_images(coarse.clone(), on(&case.images, &device), case.spec);
    let loss =
        (masked.regions.clone() * on(&case.direction, &device)).sum() - masked.foreground_size.clone().log().sum();
    let gradient = coarse.grad(&loss.backward()).ok_or_else(|| Failure(format!("{}: no gradient", case.name)))?;
    Ok(Differentiated { regions: masked.regions.inner(), size: masked.foreground_size.inner(), gradient })
}

/// Values in `[-1, 1)`, from the device's seed.
pub(crate) fn uniform<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device)
}

/// A copy of a tensor of the CPU.
pub(crate) fn on<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}
