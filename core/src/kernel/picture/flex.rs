//! Pictures on the CPU backend: the kernels' twins.

use burn::backend::Flex;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, TensorData};
use histomask_shaders::{ModelInputParams, OverlayParams, model_input, overlay};

use super::ops::{PictureOps, input_shape, painted_shape};
use crate::kernel::cpu_tensor::{dense, from_values};

impl PictureOps for Flex {
    fn model_input(pixels: IntTensor<Self>, params: ModelInputParams) -> FloatTensor<Self> {
        let mut tensor = vec![0.0; 3 * params.height as usize * params.width as usize];
        model_input(&params, &words(pixels), &mut tensor);
        from_values(TensorData::new(tensor, input_shape(&params)))
    }

    fn overlay(
        image: IntTensor<Self>,
        mask: FloatTensor<Self>,
        truth: IntTensor<Self>,
        colors: IntTensor<Self>,
        params: OverlayParams,
    ) -> IntTensor<Self> {
        let mut painted = vec![0; params.height as usize * params.row_stride as usize];
        overlay(&params, &words(image), dense(mask).storage(), &words(truth), &words(colors), &mut painted);
        from_values(TensorData::new(painted, painted_shape(&params)))
    }
}

/// The 32-bit words of an integer tensor in row order.
fn words(tensor: IntTensor<Flex>) -> Vec<u32> {
    let data = tensor.to_contiguous().into_data();
    let data = if data.dtype() == DType::U32 { data } else { data.convert::<u32>() };
    data.try_into_vec().unwrap_or_default()
}
