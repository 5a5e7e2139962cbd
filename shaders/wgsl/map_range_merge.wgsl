// Range of each map from the extremes of its chunks: the minimum and 1 / (maximum - minimum), and where they are.
//
// partial [B, chunks, 4] (`map_range`), range [B, 2], extremes [B, 2] (positions of the minimum and of the maximum).
// A range below the smallest normal number gives the inverse 0: a constant map becomes 0. A NaN makes both NaN.
// One workgroup a sample (x); with `whole_batch` each merges all samples.

#import extremes

struct Params {
    /// B, images in the batch.
    batch: u32,
    /// Chunks that the pixels of a sample are split into.
    chunks: u32,
    /// 1 if all samples share one range, else 0.
    whole_batch: u32,
}

@group(0) @binding(0) var<storage, read_write> partial: array<u32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

var<workgroup> slots: array<vec4<u32>, 256>;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    var begin = group.x * params.chunks;
    var end = begin + params.chunks;
    if (params.whole_batch != 0u) {
        begin = 0u;
        end = params.batch * params.chunks;
    }
    if (group.x >= params.batch) {
        end = begin;
    }
    var best = nothing();
    for (var chunk = begin + index; chunk < end; chunk += 256u) {
        let at = 4u * chunk;
        best = first(best, keys(partial[at], partial[at + 2u], partial[at + 1u], partial[at + 3u]));
    }
    slots[index] = best;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (index < half) {
            slots[index] = first(slots[index], slots[index + half]);
        }
        workgroupBarrier();
    }
    if (index > 0u || group.x >= params.batch) {
        return;
    }
    best = slots[0];
    let low = bitcast<f32>(bits_of(best.x));
    let high = bitcast<f32>(bits_of(best.z) ^ 0x80000000u);
    let spread = high - low;
    var inverse = 1.0 / spread;
    if ((bitcast<u32>(spread) & 0x7fffffffu) < 0x00800000u) {
        inverse = 0.0;
    }
    // the key of a NaN is 0, and it takes the place of the minimum and of the maximum alike
    range[2u * group.x] = low;
    range[2u * group.x + 1u] = select(inverse, low, best.x == 0u);
    extremes[2u * group.x] = best.y;
    extremes[2u * group.x + 1u] = best.w;
}
