use burn::tensor::Tensor;

/// Class activation maps: the mean over each class's modality maps.
///
/// Channel index is `class * modalities + modality` (`spec` §1.3).
///
/// # Shapes
///
/// `[B, classes * modalities, h, w]` to `[B, classes, h, w]`.
pub fn class_wise(maps: Tensor<4>, modalities: usize) -> Tensor<4> {
    if modalities == 1 {
        return maps;
    }
    let [batch, channels, height, width] = maps.dims();
    let classes = channels / modalities;
    maps.reshape([batch, classes, modalities, height, width]).mean_dim(2).reshape([batch, classes, height, width])
}
