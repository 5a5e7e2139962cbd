//! Every vector that concerns `core`, on the CPU backend and on a software Vulkan adapter where one is installed.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Gradients, Int, Tensor};
use histomask_core::backbone::FeatureExtractor as _;
use histomask_core::config::{
    BackboneKind, BackgroundTerm, BarrierKind, LogBase, LossConfig, MapSource, MaskConfig, MinMax, ModelConfig,
    PoolingConfig, PoolingFormula,
};
use histomask_core::loss::{Term, background, barrier, cross_entropy};
use histomask_core::mask::{masked, min_max, posterior_map, region_sizes, soft_threshold};
use histomask_core::method::Learning;
use histomask_core::pooling::{Positions, WildcatPooling, class_wise};
use histomask_core::preprocess::ResizeRule;
use histomask_core::resample::{bilinear, bilinear_slice, scaled};
use histomask_core::weights::ParamPath;
use histomask_tests::{assert_close, assert_numbers, cases, numbers, shape, software_adapter, tensor, toy, vectors};
use serde_json::{Value, json};

/// The vectors' own tolerance for 32-bit floats.
const F32: f64 = 1e-5;

#[test]
fn on_the_cpu() {
    all(&Device::flex());
}

#[test]
fn on_a_software_vulkan_adapter() {
    if let Some(device) = software_adapter() {
        all(&device);
    }
}

fn all(device: &Device) {
    let v = vectors();
    cross_entropies(&v, device);
    background_terms(&v, device);
    barriers(&v, device);
    pooling(&v, device);
    mask_pipeline(&v, device);
    end_to_end(&v["end_to_end_gradient_check"], device);
}

fn cross_entropies(v: &Value, device: &Device) {
    let v = &v["eq1_eq3_cross_entropy"];
    let labels = |labels: &Value| {
        let labels: Vec<i32> = numbers(labels).iter().map(|&label| label as i32).collect();
        Tensor::<1, Int>::from_ints(labels.as_slice(), device)
    };
    let logits = tensor::<2>(&v["logits"], device);
    assert_close("p_hat", softmax(logits.clone(), 1), &v["p_hat"], F32);
    assert_close("cross-entropy", cross_entropy(logits, labels(&v["labels"])), &v["batch_mean_nat"], F32);
    let three = &v["three_class"];
    let logits = tensor::<2>(&json!([three["logits"]]), device);
    assert_close("three classes", cross_entropy(logits, labels(&json!([three["label"]]))), &three["ce_nat"], F32);
}

fn background_terms(v: &Value, device: &Device) {
    let bases = [("nat", LogBase::E), ("log2", LogBase::Two)];
    for case in cases(&v["eq4_eq6_background_terms"]) {
        // log p are logits of p
        let logits: Vec<f64> = numbers(&case["p_minus"]).iter().map(|p| p.ln()).collect();
        let logits = tensor::<2>(&json!([logits]), device);
        for (name, base) in bases {
            let eem = background(logits.clone(), BackgroundTerm::Eem, base);
            assert_close("EEM", eem, &case[format!("EEM_minusH_{name}")], F32);
            let sem = background(logits.clone(), BackgroundTerm::Sem, base);
            assert_close("SEM", sem, &case[format!("SEM_Hqp_{name}")], F32);
        }
    }
    for case in cases(&v["shannon_entropy"]) {
        let logits: Vec<f64> = numbers(&case["p"]).iter().map(|p| p.ln()).collect();
        let eem = background(tensor::<2>(&json!([logits]), device), BackgroundTerm::Eem, LogBase::E);
        assert_close("entropy", -eem, &case["H_nat"], F32);
    }
    let batch = &v["eq8_eq9_batch_from_logits"];
    let logits = tensor::<2>(&batch["logits_minus"], device);
    for (name, base) in bases {
        let eem = background(logits.clone(), BackgroundTerm::Eem, base);
        assert_close("EEM of a batch", eem, &batch[format!("EEM_mean_over_batch_{name}")], F32);
        let sem = background(logits.clone(), BackgroundTerm::Sem, base);
        assert_close("SEM of a batch", sem, &batch[format!("SEM_mean_over_batch_{name}")], F32);
    }
    binary_derivatives(v, device);
}

/// Appendix A: with two classes, `dp1/dlogit1 = p1 (1 - p1)`, hence the derivative by p1 from that by the logit.
fn binary_derivatives(v: &Value, device: &Device) {
    let autodiff = device.clone().autodiff();
    let by_p1 = |p1: f64, term: BackgroundTerm, base: LogBase| -> f64 {
        let logits = tensor::<2>(&json!([[(p1 / (1.0 - p1)).ln(), 0.0]]), &autodiff).require_grad();
        let gradients = background(logits.clone(), term, base).backward();
        let gradient = logits.grad(&gradients).map(|gradient| gradient.into_data().convert::<f64>());
        let gradient = gradient.and_then(|data| data.try_to_vec::<f64>().ok()).unwrap_or_default();
        gradient[0] / (p1 * (1.0 - p1))
    };
    for case in cases(&v["appendixA_derivatives_binary"]) {
        let p1 = numbers(&case["p1"])[0];
        let eem = numbers(&case["d_minusH_dp1_nat (A.5) = log(p/(1-p))"]);
        assert_numbers("A.5", &[by_p1(p1, BackgroundTerm::Eem, LogBase::E)], &eem, F32);
        let sem = numbers(&case["d_plusHqp_dp1_nat (A.7) = -0.5(1/p - 1/(1-p))"]);
        assert_numbers("A.7", &[by_p1(p1, BackgroundTerm::Sem, LogBase::E)], &sem, F32);
    }
    let curves = &v["fig3_curves_log2"];
    for (index, p1) in numbers(&curves["x"]).into_iter().enumerate() {
        for (key, term) in [("d_EEM_log2", BackgroundTerm::Eem), ("d_SEM_log2", BackgroundTerm::Sem)] {
            let expected = numbers(&curves[key])[index];
            // at p = 0.01 a 32-bit softmax has four digits of 1 - p left
            assert_numbers(key, &[by_p1(p1, term, LogBase::Two)], &[expected], 2e-4);
        }
    }
}

fn barriers(v: &Value, device: &Device) {
    for case in cases(&v["extended_log_barrier"]["values"]) {
        let size = tensor::<1>(&json!([-numbers(&case["z"])[0]]), device);
        let psi = barrier(size, BarrierKind::Extended, numbers(&case["t"])[0]);
        assert_close("extended barrier", psi, &case["psi"], F32);
    }
    let v_sizes = &v["eq10_eq11_sizes_and_barrier"];
    for case in cases(&v_sizes["cases"]) {
        let sizes = region_sizes(tensor::<4>(&v_sizes["M_plus"], device));
        assert_close("s+", sizes.foreground.clone(), &case["s_plus"], F32);
        assert_close("s-", sizes.background.clone(), &case["s_minus"], F32);
        let t = numbers(&case["t"])[0];
        let both = |kind| barrier(sizes.foreground.clone(), kind, t) + barrier(sizes.background.clone(), kind, t);
        assert_close("pure", both(BarrierKind::Pure), &case["pure_barrier_per_sample"], F32);
        assert_close("extended", both(BarrierKind::Extended), &case["elb_per_sample_unnormalised"], F32);
    }
    let prefactor = &v["size_prefactor_at_416"];
    let halves = tensor::<1>(&json!([prefactor["s_plus=s_minus=half"]]), device);
    for (key, t) in [("t5", 5.0), ("t10", 10.0)] {
        assert_close(key, barrier(halves.clone(), BarrierKind::Extended, t) * 2.0, &prefactor[key], F32);
    }
}

fn pooling(v: &Value, device: &Device) {
    let class = &v["class_wise_pooling"];
    assert_close(
        "class-wise",
        class_wise(tensor::<4>(&class["input_NxcMxHxW"], device), 2),
        &class["output_mean"],
        F32,
    );

    let pooled = &v["wildcat_pooling_on_class_maps"];
    let maps = tensor::<4>(&pooled["maps"], device);
    for case in cases(&pooled["cases"]) {
        let formulas = [
            ("original", PoolingFormula::Wildcat),
            ("survey", PoolingFormula::Survey),
            ("released_maxmin", PoolingFormula::Released),
        ];
        for (name, formula) in formulas {
            let (top, bottom) = (positions(&case["kmax"]), positions(&case["kmin"]));
            let pooling = WildcatPooling::new(top, bottom, numbers(&case["alpha"])[0], formula);
            assert_close(name, pooling.forward(maps.clone()), &case[name], F32);
        }
    }
}

fn positions(value: &Value) -> Positions {
    match value.as_u64() {
        Some(count) => Positions::Count(count as usize),
        None => Positions::Share(numbers(value)[0]),
    }
}

fn mask_pipeline(v: &Value, device: &Device) {
    let masking = &v["masking"];
    let (x, m) = (tensor::<4>(&masking["X"], device), tensor::<4>(&masking["M_plus"], device));
    let [_, _, height, width] = x.dims();
    let regions = masked(x, m, [height, width], true);
    assert_close("X+", regions.foreground, &masking["X_plus"], F32);
    assert_close("X-", regions.background, &masking["X_minus"], F32);

    let eq12 = &v["eq12_scalar"];
    let map = tensor::<1>(&eq12["m"], device).reshape([1, 1, 1, -1]);
    assert_close("Eq. 12", soft_threshold(map, 5.0, 0.15), &eq12["M_plus"], F32);

    let v = &v["mask_pipeline"];
    let class_maps = tensor::<4>(&v["class_maps"], device);
    let pooling = WildcatPooling::from(&PoolingConfig { dropout: 0.0, ..PoolingConfig::default() });
    let scores = pooling.forward(class_maps.clone());
    assert_close("scores", scores.clone(), &v["scores (kmax=0.3 -> k=2, kmin=0)"], F32);
    let raw = posterior_map(class_maps, softmax(scores, 1));
    assert_close("weighted map", raw.clone(), &v["weighted_map = sum_c p_c * map_c"], F32);
    for (key, aligned) in [("bilinear_to_4x5_align_corners_true", true), ("bilinear_to_4x5_align_corners_false", false)]
    {
        assert_close(key, bilinear(raw.clone(), [4, 5], aligned), &v[key], F32);
        let source = numbers(&v["weighted_map = sum_c p_c * map_c"]);
        let [h, w] = [2, 3];
        let slice: Vec<f64> = source
            .chunks(h * w)
            .flat_map(|map| {
                let map: Vec<f32> = map.iter().map(|&value| value as f32).collect();
                bilinear_slice(&map, [h, w], [4, 5], aligned).into_iter().map(f64::from)
            })
            .collect();
        assert_numbers(key, &slice, &numbers(&v[key]), F32);
    }
    let raw = bilinear(raw, [4, 5], true);
    let whole = min_max(raw.clone(), MinMax::WholeBatch);
    let each = min_max(raw, MinMax::PerSample);
    assert_close("whole batch", whole.clone(), &v["minmax_whole_batch (released code in training)"], F32);
    assert_close(
        "per sample",
        each.clone(),
        &v["minmax_per_sample (released code at eval, batch 1; recommended)"],
        F32,
    );
    assert_close("M+", soft_threshold(whole, 5.0, 0.15), &v["M_plus_whole_batch w=5 sigma=0.15"], F32);
    assert_close("M+", soft_threshold(each.clone(), 5.0, 0.15), &v["M_plus_per_sample w=5 sigma=0.15"], F32);
    assert_close("M+", soft_threshold(each, 5.0, 0.2), &v["M_plus_per_sample w=5 sigma=0.20"], F32);
}

/// Forward values, loss parts and the gradient of every weight of each variant.
fn end_to_end(v: &Value, device: &Device) {
    let autodiff = device.clone().autodiff();
    let label_values: Vec<usize> = numbers(&v["labels"]).iter().map(|&label| label as usize).collect();
    let indices: Vec<i32> = label_values.iter().map(|&label| label as i32).collect();
    let labels = Tensor::<1, Int>::from_ints(indices.as_slice(), &autodiff);
    let variants = v["variants"].as_object().unwrap_or_else(|| panic!("no variants"));
    assert!(!variants.is_empty(), "no variants");
    for (name, variant) in variants {
        let (config, loss, sigma, t) = toy::configs(&v["base_config"], &variant["config_changes"]);
        let model = toy::model(&config, &v["weights"], &autodiff);
        let output = model.forward(tensor::<4>(&v["X"], &autodiff), sigma);
        let terms = loss.terms(&output, &labels, &label_values, t, Some(0));

        let expected = &variant["forward"];
        let sizes = output.sizes.clone();
        let regions = output.regions.as_ref().unwrap_or_else(|| panic!("{name}: regions"));
        let part = |wanted: Term| {
            let found = terms.iter().find(|(term, _)| *term == wanted);
            found.map(|(_, value)| value.clone().inner()).unwrap_or_else(|| panic!("{name}: {wanted:?} is missing"))
        };
        assert_close(name, output.class_maps.clone().inner(), &expected["class_maps"], F32);
        assert_close(name, output.scores.clone().inner(), &expected["scores_full"], F32);
        assert_close(name, output.mask().inner(), &expected["M_plus"], F32);
        assert_close(name, regions.foreground.clone().inner(), &expected["scores_plus"], F32);
        assert_close(name, regions.background.clone().inner(), &expected["scores_minus"], F32);
        assert_close(name, sizes.foreground.inner(), &expected["s_plus"], F32);
        assert_close(name, sizes.background.inner(), &expected["s_minus"], F32);
        assert_close(name, part(Term::Full), &expected["CE_p_hat"], F32);
        assert_close(name, part(Term::Foreground), &expected["CE_p_hat_plus"], F32);
        let weight = loss.background_weight;
        assert_close(name, part(Term::Background) / weight, &expected["R_minus"], F32);
        assert_close(name, part(Term::Barrier), &expected["barrier"], F32);
        let total = Learning { terms: terms.clone(), scores: None }.total().unwrap_or_else(|| panic!("{name}: total"));
        assert_close(name, total.clone().inner(), &expected["total"], F32);

        let gradients = total.backward();
        let mut visitor = GradientsOf { gradients: &gradients, path: ParamPath::default(), found: Vec::new() };
        model.visit(&mut visitor);
        assert_eq!(visitor.found.len(), toy::NAMES.len(), "{name}: every weight has a gradient");
        for (ours, gradient) in visitor.found {
            let theirs = toy::NAMES.iter().find(|(_, name)| *name == ours).unwrap_or_else(|| panic!("{ours}"));
            let expected = numbers(&variant["grad"][theirs.0]);
            assert_numbers(&format!("{name}: gradient of {ours}"), &gradient, &expected, F32);
        }
    }
}

struct GradientsOf<'a> {
    gradients: &'a Gradients,
    path: ParamPath,
    found: Vec<(String, Vec<f64>)>,
}

impl ModuleVisitor for GradientsOf<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }
    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = param.val().grad(self.gradients);
        let values = gradient.and_then(|gradient| gradient.into_data().convert::<f64>().try_to_vec::<f64>().ok());
        self.found.extend(values.map(|values| (self.path.name(), values)));
    }
}

#[test]
fn positions_round_half_to_even() {
    for case in cases(&vectors()["wildcat_k"]) {
        let k = if case["is_float"] == true { Positions::Share(numbers(&case["k"])[0]) } else { positions(&case["k"]) };
        assert_eq!(k.among(numbers(&case["n"])[0] as usize), numbers(&case["result"])[0] as usize, "{case}");
    }
    assert_eq!(Positions::Share(1.5).among(7), 7, "there are no more");
}

#[test]
fn schedules() {
    let v = vectors();
    let loss = LossConfig::default();
    let released = LossConfig { t: 10.0, t_factor: 1.1, t_max: 30.0, ..LossConfig::default() };
    let schedules = [
        ("glas_paper_and_code t0=5 mul=1.01 max=10", &loss),
        ("camelyon_paper t0=10 mul=1.1 max=30", &released),
        ("camelyon_readme_command t0=5 mul=1.01 max=10", &loss),
    ];
    for (key, config) in schedules {
        let expected = numbers(&v["t_schedule"][key]);
        let actual: Vec<f64> = (0..expected.len()).map(|epoch| config.t_at(epoch)).collect();
        assert_numbers(key, &actual, &expected, 1e-9);
    }
    let sample = v["sigma_schedule_code_glas"]["sample"].as_object().unwrap_or_else(|| panic!("no sigma"));
    for (epoch, expected) in sample {
        let epoch = epoch.parse().unwrap_or_else(|_| panic!("{epoch}"));
        assert_numbers("sigma", &[MaskConfig::default().sigma_at(epoch)], &numbers(expected), 1e-9);
    }
}

#[test]
fn sizes_after_resize_and_shrink() {
    for case in cases(&vectors()["resize_short_side_432"]) {
        let sides: Vec<usize> = numbers(&case["w_h_in"]).iter().map(|&side| side as usize).collect();
        let [width, height] = ResizeRule::ShortSide.target(sides[0], sides[1], 432);
        assert_numbers("resized", &[width as f64, height as f64], &numbers(&case["w_h_out"]), 0.0);
        let shrunk = [scaled(height, 0.8) as f64, scaled(width, 0.8) as f64];
        assert_numbers("shrunk", &shrunk, &numbers(&case["C_input_h_w (x0.8, truncated)"]), 0.0);
    }
}

#[test]
fn parameter_counts() {
    let v = &vectors()["param_counts"];
    let device = Device::flex();
    // parameters that train: running statistics are no parameters
    let count = |backbone, model: &ModelConfig| {
        let model = ModelConfig { backbone, ..model.clone() };
        learned(&model.init(2, &device))
    };
    let ours = ModelConfig::default();
    let expect = |key: &str, actual: usize| assert_eq!(actual, numbers(&v[key])[0] as usize, "{key}");
    expect("deep_stem_resnet18_backbone", learned(&BackboneKind::Resnet18DeepStem.init(&device)));
    expect("torchvision_resnet18_backbone", learned(&BackboneKind::Resnet18.init(&device)));
    expect("ours_glas", count(BackboneKind::Resnet18DeepStem, &ours));
    // spec §1.1: the same on torchvision's stem
    assert_eq!(count(BackboneKind::Resnet18, &ours), 11_186_772);
    let camelyon = ModelConfig {
        pooling: PoolingConfig { modalities: 4, ..ours.pooling.clone() },
        mask: MaskConfig { source: MapSource::PullHead, ..ours.mask.clone() },
        ..ours
    };
    expect("ours_camelyon_released_code", count(BackboneKind::Resnet18DeepStem, &camelyon));
}

fn learned<M: Module>(module: &M) -> usize {
    histomask_core::weights::state_dict(module)
        .iter()
        .filter(|(name, _)| !name.contains("running_"))
        .map(|(_, data)| data.num_elements())
        .sum()
}

#[test]
fn feature_map_sizes() {
    let device = Device::flex();
    let deep = BackboneKind::Resnet18DeepStem.init(&device);
    let torchvision = BackboneKind::Resnet18.init(&device);
    for (key, expected) in vectors()["feature_map_sizes"].as_object().unwrap_or_else(|| panic!("no sizes")) {
        let size = key.split(' ').next().unwrap_or_default();
        let sides: Vec<usize> = size.split('x').map(|side| side.parse().unwrap_or_else(|_| panic!("{key}"))).collect();
        let backbone = if key.contains("torchvision") { &torchvision } else { &deep };
        let features = backbone.forward(Tensor::zeros([1, 3, sides[0], sides[1]], &device), 1);
        assert_eq!(&features.dims()[2..], numbers(expected).iter().map(|&n| n as usize).collect::<Vec<_>>(), "{key}");
    }
}

#[test]
fn vectors_have_the_shapes_this_file_expects() {
    let v = vectors();
    assert_eq!(shape(&v["mask_pipeline"]["class_maps"]), [2, 2, 2, 3]);
}
