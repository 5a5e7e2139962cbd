// Statistics of each mask from those of its chunks.
//
// partial [B, chunks, 6] (`mask_stats`), stats [B, 6] in the same order. One workgroup a sample (x).

struct Params {
    /// B, images in the batch.
    batch: u32,
    /// Chunks of a sample.
    chunks: u32,
}

@group(0) @binding(0) var<storage, read_write> partial: array<u32>;
@group(0) @binding(1) var<storage, read_write> stats: array<u32>;
@group(0) @binding(2) var<storage, read_write> params: Params;

var<workgroup> sum_slots: array<vec2<f32>, 256>;
var<workgroup> count_slots: array<vec4<u32>, 256>;
var<private> levels: array<vec2<f32>, 32>;
var<private> counts: vec4<u32>;

// Pairwise sum: `levels[k]` waits with the sum of 2^k values for the next 2^k, so that rounding grows with the
// logarithm of the count. `count` values came before this one.
fn add_pair(count: u32, value: vec2<f32>) {
    var sum = value;
    var level = 0u;
    for (; ((count >> level) & 1u) == 1u; level++) {
        sum += levels[level];
    }
    levels[level] = sum;
}

fn total_pair(count: u32) -> vec2<f32> {
    var sum = vec2(0.0);
    for (var level = 0u; (count >> level) > 0u; level++) {
        sum += select(vec2(0.0), levels[level], ((count >> level) & 1u) == 1u);
    }
    return sum;
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let inside = group.x < params.batch;
    let chunks = select(0u, params.chunks, inside);
    var count = 0u;
    for (var chunk = index; chunk < chunks; chunk += 256u) {
        let at = 6u * (group.x * params.chunks + chunk);
        add_pair(count, vec2(bitcast<f32>(partial[at]), bitcast<f32>(partial[at + 1u])));
        count++;
        counts += vec4(partial[at + 2u], partial[at + 3u], partial[at + 4u], partial[at + 5u]);
    }
    sum_slots[index] = total_pair(count);
    count_slots[index] = counts;
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (index < half) {
            sum_slots[index] += sum_slots[index + half];
            count_slots[index] += count_slots[index + half];
        }
        workgroupBarrier();
    }
    if (index == 0u && inside) {
        let at = 6u * group.x;
        stats[at] = bitcast<u32>(sum_slots[0].x);
        stats[at + 1u] = bitcast<u32>(sum_slots[0].y);
        stats[at + 2u] = count_slots[0].x;
        stats[at + 3u] = count_slots[0].y;
        stats[at + 4u] = count_slots[0].z;
        stats[at + 5u] = count_slots[0].w;
    }
}
