//! Between burn's tensors and slices of the CPU backend.

use burn::backend::autodiff::Autodiff;
use burn::backend::tensor::FloatTensor;
use burn::backend::{DType, Flex, TensorMetadata as _};
use burn::tensor::{Tensor, TensorData};

/// The primitive of a 32-bit tensor on the CPU backend's autodiff; `None` on any other device or type.
pub(super) fn autodiff_primitive<const D: usize>(tensor: &Tensor<D>) -> Option<FloatTensor<Autodiff<Flex>>> {
    let primitive = tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
    (primitive.primitive().dtype() == DType::F32).then_some(primitive)
}

/// The tensor with its values in row order from the start of its storage.
pub(super) fn dense(tensor: FloatTensor<Flex>) -> FloatTensor<Flex> {
    let all = tensor.shape().num_elements();
    if tensor.is_contiguous() && tensor.storage::<f32>().len() == all {
        return tensor;
    }
    from_values(tensor.to_contiguous().into_data())
}

/// The values of a small tensor.
pub(super) fn read(tensor: &FloatTensor<Flex>) -> Vec<f32> {
    dense(tensor.clone()).storage::<f32>().to_vec()
}

/// A tensor of the CPU backend.
pub(super) fn from_values(data: TensorData) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(data)
}
