// Size of the soft mask (Eq. 10) without writing it: the sum of the chunk's pixels.
//
// coarse [B, h, w], range [B, 2] (`map_range_merge`), partial [B, chunks]; `sum_merge` merges.
// One workgroup a chunk: x the chunk of ceil(H * W / chunks) pixels, y the sample.

#import mask_params
#import upsampled
#import soft
#import bounds
#import pairwise

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

var<workgroup> slots: array<f32, 256>;

// Sum of every 256th pixel of the chunk.
fn own_size(group: vec3<u32>, index: u32) -> f32 {
    let chunk = bounds(group, params.height * params.width);
    var count = 0u;
    for (var pixel = chunk.x + index; pixel < chunk.y; pixel += 256u) {
        let value = upsampled(group.y, pixel / params.width, pixel % params.width);
        add(count, soft(normalised(group.y, value)));
        count++;
    }
    return total(count);
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    slots[index] = own_size(group, index);
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (index < half) {
            slots[index] += slots[index + half];
        }
        workgroupBarrier();
    }
    if (index == 0u && group.x < params.chunks && group.y < params.batch) {
        partial[group.y * params.chunks + group.x] = slots[0];
    }
}
