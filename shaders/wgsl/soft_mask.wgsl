// Soft foreground mask (Eq. 12) at the image's size, from the coarse map:
// bilinear -> (u - low) * inverse range -> sigmoid(omega * (n - sigma)).
//
// coarse [B, h, w], range [B, 2] (minimum and 1 / (maximum - minimum); `map_range_merge`), mask [B, H, W].
// One invocation a pixel: x the column, y the row, z the sample.

#import mask_params
#import upsampled
#import soft

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

@compute @workgroup_size(64, 4, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width || id.y >= params.height || id.z >= params.batch) {
        return;
    }
    let value = normalised(id.z, upsampled(id.z, id.y, id.x));
    mask[(id.z * params.height + id.y) * params.width + id.x] = soft(value);
}
