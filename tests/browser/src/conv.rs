//! Convolutions of a network in use, against the kernels' twins.

use burn::tensor::{Device, Tensor};
use histomask_core::kernel::Activation::{Identity, Relu, Relu6};
use histomask_core::kernel::{conv, depthwise, pack, pointwise};

use crate::Tab;
use crate::compare::{Comparison, Failure};
use crate::mask::{on, uniform};

/// Sums of up to 600 values of order 1, in another order.
const TOLERANCE: f64 = 2e-5;

/// A kind of convolution, with operands of the CPU.
type Case = (&'static str, String, Box<dyn Fn(&Device) -> Tensor<4>>);

pub(crate) async fn convolutions(tab: &Tab, comparison: &mut Comparison) -> Result<(), Failure> {
    tab.cpu.seed(14);
    for (kind, name, result) in pointwise_cases(&tab.cpu).chain(conv_cases(&tab.cpu)).chain(depthwise_cases(&tab.cpu)) {
        comparison.close(kind, &name, result(&tab.gpu), result(&tab.cpu), TOLERANCE).await?;
    }
    Ok(())
}

/// Single values, tiles that are not full, columns across samples.
fn pointwise_cases(cpu: &Device) -> impl Iterator<Item = Case> {
    let sizes = [(1, [1, 1], [1, 1]), (2, [3, 5], [3, 7]), (3, [40, 24], [5, 13]), (1, [96, 17], [9, 61])];
    sizes.into_iter().zip([Identity, Relu, Relu6, Identity]).map(|((batch, [inputs, outputs], size), activation)| {
        let x = uniform([batch, inputs, size[0], size[1]], cpu);
        let (weight, bias) = (uniform([outputs, inputs, 1, 1], cpu), uniform([outputs], cpu));
        let shortcut = (batch > 1).then(|| uniform([batch, outputs, size[0], size[1]], cpu));
        let name = format!("{batch} × {inputs} to {outputs} channels of {size:?}, {activation:?}");
        let result = move |device: &Device| {
            let shortcut = shortcut.as_ref().map(|shortcut| on(shortcut, device));
            pointwise(on(&x, device), pack(on(&weight, device)), on(&bias, device), shortcut, activation)
        };
        ("pointwise", name, Box::new(result) as Box<_>)
    })
}

/// A stem, several samples with a shortcut, a projection, a map smaller than the kernel.
fn conv_cases(cpu: &Device) -> impl Iterator<Item = Case> {
    let cases = [
        (1, [3, 32], [31, 46], 3, 2, [(0, 1), (1, 1)]),
        (2, [17, 9], [13, 30], 3, 1, [(1, 1), (1, 1)]),
        (1, [8, 12], [7, 9], 1, 2, [(0, 0), (0, 0)]),
        (3, [2, 3], [2, 1], 3, 1, [(1, 1), (1, 1)]),
    ];
    cases.into_iter().map(|(batch, [inputs, outputs], size, kernel, stride, padding)| {
        let x = uniform([batch, inputs, size[0], size[1]], cpu);
        let (weight, bias) = (uniform([outputs, inputs, kernel, kernel], cpu), uniform([outputs], cpu));
        // of the input's size where the stride is 1
        let shortcut = (stride == 1).then(|| uniform([batch, outputs, size[0], size[1]], cpu));
        let result = move |device: &Device| {
            let shortcut = shortcut.as_ref().map(|shortcut| on(shortcut, device));
            let (weight, bias) = (pack(on(&weight, device)), on(&bias, device));
            conv(on(&x, device), weight, bias, stride, padding, shortcut, Relu)
        };
        ("conv", format!("{size:?}, kernel {kernel}, stride {stride}"), Box::new(result) as Box<_>)
    })
}

/// Kernels, strides, SAME's even and odd cases, several strips.
fn depthwise_cases(cpu: &Device) -> impl Iterator<Item = Case> {
    let cases = [
        ([13, 13], 3, 1, [(1, 1), (1, 1)]),
        ([70, 67], 3, 2, [(0, 1), (1, 1)]),
        ([35, 77], 5, 1, [(2, 2), (2, 2)]),
        ([41, 70], 5, 2, [(2, 2), (1, 2)]),
        ([1, 1], 5, 2, [(2, 2), (2, 2)]),
    ];
    cases.into_iter().map(|(size, kernel, stride, padding)| {
        let x = uniform([2, 6, size[0], size[1]], cpu);
        let (weight, bias) = (uniform([6, 1, kernel, kernel], cpu), uniform([6], cpu));
        let result = move |device: &Device| {
            depthwise(on(&x, device), on(&weight, device), on(&bias, device), stride, padding, Relu6)
        };
        ("depthwise", format!("{size:?}, kernel {kernel}, stride {stride}"), Box::new(result) as Box<_>)
    })
}
