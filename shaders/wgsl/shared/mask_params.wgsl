// Sizes and settings of one call, the same for every stage of the mask.
struct Params {
    /// B, images in the batch.
    batch: u32,
    /// h, rows of the coarse map.
    map_height: u32,
    /// w, columns of the coarse map.
    map_width: u32,
    /// H, rows of the image.
    height: u32,
    /// W, columns of the image.
    width: u32,
    /// 1 if resampling aligns the corners, else 0.
    align_corners: u32,
    /// Slope of the sigmoid.
    omega: f32,
    /// Threshold of the sigmoid on the normalised map.
    sigma: f32,
    /// H', rows of the classifier's input.
    region_height: u32,
    /// W', columns of the classifier's input.
    region_width: u32,
    /// 6 H' W' + 1, values of one sample: two regions of three channels, then the mask's size.
    region_stride: u32,
    /// Chunks that the pixels of a sample are split into.
    chunks: u32,
}
