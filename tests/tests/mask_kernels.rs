//! The mask's kernels, on the CPU (the twins) and on a software Vulkan adapter (WGSL), against burn's composition of
//! the same on the CPU: values and gradients.

use burn::tensor::{Device, Distribution, Tensor};
use histomask_core::config::{MaskConfig, MinMax, ModelConfig};
use histomask_core::kernel::{
    MaskSpec, MaskedImages, limits, mask_images, mask_images_composed, pixels, soft_mask, soft_mask_composed,
};
use histomask_tests::{software_adapter, values};
use proptest::prelude::*;

/// Of masks and masked images, whose values are of order 1.
const VALUES: f64 = 2e-5;
/// Of sizes and gradients, relative to the largest: sums over all pixels in another order.
const SUMS: f64 = 2e-4;

/// Batch, map, image, share of the classifier's side: single pixels, primes, sides off the workgroup's, GlaS.
const SHAPES: [(usize, [usize; 2], [usize; 2], f64); 8] = [
    (1, [1, 1], [1, 1], 1.0),
    (1, [1, 1], [7, 5], 0.8),
    (2, [3, 2], [31, 17], 0.5),
    (3, [4, 4], [64, 48], 1.0),
    (5, [5, 7], [101, 67], 0.8),
    (2, [2, 3], [65, 129], 0.3),
    (4, [13, 13], [416, 416], 0.8),
    (1, [17, 25], [522, 775], 0.8),
];

fn cases() -> impl Iterator<Item = (usize, [usize; 2], MaskSpec)> {
    let kinds = [
        (MinMax::PerSample, true, 0.15),
        (MinMax::WholeBatch, false, 0.2),
        (MinMax::None, true, 0.4),
        (MinMax::PerSample, false, 0.3),
    ];
    SHAPES.into_iter().zip(kinds.into_iter().cycle()).map(
        |((batch, map, size, classifier_scale), (min_max, align_corners, sigma))| {
            let config = MaskConfig { min_max, align_corners, classifier_scale, ..MaskConfig::default() };
            (batch, map, MaskSpec::new(&config, size, sigma))
        },
    )
}

#[test]
fn twins_on_the_cpu() {
    against_the_composition(&Device::flex());
}

#[test]
fn kernels_on_a_software_vulkan_adapter() {
    if let Some(device) = software_adapter() {
        against_the_composition(&device);
    }
}

fn against_the_composition(device: &Device) {
    let reference = Device::flex();
    reference.seed(11);
    for (batch, map, spec) in cases() {
        let what = format!("{batch} × {map:?} → {spec:?}");
        let uniform = |shape: [usize; 4]| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &reference);
        let coarse: Tensor<4> = uniform([batch, 1, map[0], map[1]]);
        let images: Tensor<4> = uniform([batch, 3, spec.size[0], spec.size[1]]);

        let mask = soft_mask(on(&coarse, device), spec);
        close(&format!("{what} mask"), mask, soft_mask_composed(coarse.clone(), &spec), VALUES);

        let direction = uniform([batch, 6, spec.region[0], spec.region[1]]);
        let ours =
            with_gradient(&coarse, &images, &direction, device, |coarse, images| mask_images(coarse, images, spec));
        let theirs = with_gradient(&coarse, &images, &direction, &reference, |coarse, images| {
            mask_images_composed(coarse, images, &spec)
        });
        close(&format!("{what} regions"), ours.0, theirs.0, VALUES);
        close(&format!("{what} size"), ours.1, theirs.1, SUMS);
        close(&format!("{what} gradient"), ours.2, theirs.2, SUMS);
    }
}

/// Regions, sizes and the map's gradient of their product with a direction.
fn with_gradient(
    coarse: &Tensor<4>,
    images: &Tensor<4>,
    direction: &Tensor<4>,
    device: &Device,
    mask: impl Fn(Tensor<4>, Tensor<4>) -> MaskedImages,
) -> (Tensor<4>, Tensor<1>, Tensor<4>) {
    let autodiff = device.clone().autodiff();
    let coarse = on(coarse, &autodiff).require_grad();
    let masked = mask(coarse.clone(), on(images, &autodiff));
    let [batch, _, _, height, width] = masked.regions.dims();
    let regions = masked.regions.reshape([batch, 6, height, width]);
    let loss = (regions.clone() * on(direction, &autodiff)).sum() - masked.foreground_size.clone().log().sum();
    let gradients = loss.backward();
    let gradient = coarse.grad(&gradients).unwrap_or_else(|| panic!("no gradient"));
    (regions.inner(), masked.foreground_size.inner(), gradient)
}

fn on<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}

fn close<const D: usize>(what: &str, ours: Tensor<D>, theirs: Tensor<D>, tolerance: f64) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let (ours, theirs) = (values(ours), values(theirs));
    let largest = theirs.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
    for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        let difference = (ours - theirs).abs();
        // written so that NaN fails
        assert!(difference <= tolerance * largest, "{what}[{index}]: {ours} is not {theirs}");
    }
}

#[test]
fn a_constant_map_has_a_flat_mask_and_no_gradient() {
    for device in std::iter::once(Device::flex()).chain(software_adapter()) {
        let autodiff = device.clone().autodiff();
        let config = MaskConfig { min_max: MinMax::PerSample, ..MaskConfig::default() };
        let spec = MaskSpec::new(&config, [37, 41], 0.15);
        let coarse = Tensor::<4>::full([2, 1, 3, 4], 0.7, &autodiff).require_grad();
        let images = Tensor::<4>::ones([2, 3, 37, 41], &autodiff);
        let masked = mask_images(coarse.clone(), images, spec);
        let flat = 1.0 / (1.0 + (5.0_f64 * 0.15).exp());
        let size = values(masked.foreground_size.clone().inner());
        assert!(size.iter().all(|size| (size / (37.0 * 41.0) - flat).abs() < 1e-5), "{size:?}");
        let gradients = (masked.regions.sum() + masked.foreground_size.sum()).backward();
        let gradient = values(coarse.grad(&gradients).unwrap_or_else(|| panic!("no gradient")));
        assert!(gradient.iter().all(|&value| value == 0.0), "{gradient:?}");
    }
}

#[test]
fn not_a_number_in_a_map_is_not_hidden() {
    for device in std::iter::once(Device::flex()).chain(software_adapter()) {
        for min_max in [MinMax::PerSample, MinMax::WholeBatch] {
            let config = MaskConfig { min_max, ..MaskConfig::default() };
            let spec = MaskSpec::new(&config, [20, 24], 0.15);
            let mut map = vec![0.5; 2 * 12];
            map[0] = 0.1;
            map[17] = f32::NAN;
            let coarse = Tensor::<1>::from_floats(map.as_slice(), &device).reshape([2, 1, 3, 4]);
            let mask = values(soft_mask(coarse, spec));
            let (first, second) = mask.split_at(20 * 24);
            assert!(second.iter().all(|value| value.is_nan()), "{min_max:?}");
            assert_eq!(first.iter().all(|value| value.is_nan()), min_max == MinMax::WholeBatch, "{min_max:?}");
        }
    }
}

#[test]
fn sizes_beyond_the_adapter_are_errors_that_name_the_limit() {
    let model = ModelConfig::default().init(2, &Device::flex());
    assert!(model.check_batch(&Device::flex(), 64, [4096, 4096]).is_ok(), "the CPU has memory alone");
    let Some(device) = software_adapter() else { return };
    let limits = limits(&device).unwrap_or_else(|| panic!("an adapter has limits"));
    assert!(model.check_batch(&device, 1, [416, 416]).is_ok(), "{limits:?}");
    // the first layers work in windows; the two masked images are whole, 4 values a pixel
    let side = ((limits.binding_bytes / (4 * 4)) as f64).sqrt() as usize + 1;
    let error = model.check_batch(&device, 1, [side, side]).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("maxStorageBufferBindingSize"), "{error}");
    assert!(error.contains(&limits.binding_bytes.to_string()), "{error}");

    let empty = pixels(vec![], [0, 7], &device).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(empty.contains("sides must be 1 to"), "{empty}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn masks_follow_their_map_and_regions_make_up_the_image(
        (map, values_of_map) in (1usize..6, 1usize..6).prop_flat_map(|(h, w)| {
            (Just([h, w]), prop::collection::vec(-3.0f32..3.0, h * w))
        }),
        size in (1usize..60, 1usize..60),
        align_corners in any::<bool>(),
    ) {
        let device = Device::flex();
        let size = [size.0, size.1];
        let config = MaskConfig { min_max: MinMax::PerSample, align_corners, ..MaskConfig::default() };
        let spec = MaskSpec::new(&config, size, 0.15);
        let coarse = Tensor::<1>::from_floats(values_of_map.as_slice(), &device).reshape([1, 1, map[0], map[1]]);

        let up = values(histomask_core::resample::bilinear(coarse.clone(), size, align_corners));
        let mask = values(soft_mask(coarse.clone(), spec));
        prop_assert!(mask.iter().all(|&value| value > 0.0 && value < 1.0));
        let mut order: Vec<usize> = (0..up.len()).collect();
        order.sort_by(|&a, &b| up[a].total_cmp(&up[b]));
        prop_assert!(order.windows(2).all(|pair| mask[pair[1]] >= mask[pair[0]] - 1e-6));

        let image: Vec<f32> = (0..3 * size[0] * size[1]).map(|i| (i as f32 * 0.37).sin()).collect();
        let image = Tensor::<1>::from_floats(image.as_slice(), &device).reshape([1, 3, size[0], size[1]]);
        let masked = mask_images(coarse, image.clone(), spec);
        let foreground = values(masked.foreground_size)[0];
        prop_assert!((foreground - mask.iter().sum::<f64>()).abs() <= 1e-5 * mask.len() as f64);
        let shrunk = values(histomask_core::resample::bilinear(image, spec.region, align_corners));
        let regions = values(masked.regions);
        let (plus, minus) = regions.split_at(shrunk.len());
        for ((plus, minus), whole) in plus.iter().zip(minus).zip(&shrunk) {
            prop_assert!((plus + minus - whole).abs() < 1e-5);
        }
    }
}
