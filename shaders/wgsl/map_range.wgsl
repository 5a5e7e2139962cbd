// The chunk's minimum and maximum of the map resampled to the image's size, and where they are.
//
// coarse [B, h, w], partial [B, chunks, 4]: bits of the minimum, bits of the maximum, their positions
// sample * H * W + y * W + x, the first on ties. A NaN makes both NaN. A chunk without pixels gives (inf, -inf).
// `map_range_merge` merges. One workgroup a chunk: x the chunk of ceil(H * W / chunks) pixels, y the sample.

#import mask_params
#import upsampled
#import bounds
#import extremes

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<u32>;
@group(0) @binding(2) var<storage, read_write> params: Params;

var<workgroup> slots: array<vec4<u32>, 256>;

// Extremes of every 256th pixel of the chunk.
fn own_extremes(group: vec3<u32>, index: u32) -> vec4<u32> {
    let pixels = params.height * params.width;
    let chunk = bounds(group, pixels);
    var best = nothing();
    for (var pixel = chunk.x + index; pixel < chunk.y; pixel += 256u) {
        let bits = bitcast<u32>(upsampled(group.y, pixel / params.width, pixel % params.width));
        let at = group.y * pixels + pixel;
        best = first(best, keys(bits, at, bits, at));
    }
    return best;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    slots[index] = own_extremes(group, index);
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (index < half) {
            slots[index] = first(slots[index], slots[index + half]);
        }
        workgroupBarrier();
    }
    let best = slots[0];
    if (index == 0u && group.x < params.chunks && group.y < params.batch) {
        let at = 4u * (group.y * params.chunks + group.x);
        partial[at] = bits_of(best.x);
        partial[at + 1u] = bits_of(best.z) ^ 0x80000000u;
        partial[at + 2u] = best.y;
        partial[at + 3u] = best.w;
    }
}
