// Statistics of the chunk's mask pixels: the sum, the sum of the pixel entropy in nats, and the confusion counts.
//
// mask [B, pixels], truth [B, pixels] (0 background, else foreground), partial [B, chunks, 6]: sum and entropy as
// bits of floats, then true positives, false positives, false negatives, true negatives. `mask_stats_merge` merges.
// One workgroup a chunk: x the chunk of ceil(pixels / chunks) pixels, y the sample.
//
// `mask_stats` with subgroup operations. naga takes them without a directive and refuses one; a browser wants
// `enable subgroups;` put before this text.

struct Params {
    /// B, images in the batch.
    batch: u32,
    /// Pixels of a sample.
    pixels: u32,
    /// Chunks that the pixels of a sample are split into.
    chunks: u32,
    /// A pixel is foreground from this mask value on.
    threshold: f32,
}

@group(0) @binding(0) var<storage, read_write> mask: array<f32>;
@group(0) @binding(1) var<storage, read_write> truth: array<u32>;
@group(0) @binding(2) var<storage, read_write> partial: array<u32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

var<workgroup> sum_slots: array<vec2<f32>, 256>;
var<workgroup> count_slots: array<vec4<u32>, 256>;
var<private> levels: array<vec2<f32>, 32>;
var<private> counts: vec4<u32>;

// First pixel of the workgroup's chunk and the one after its last; none outside the dispatch.
fn bounds(group: vec3<u32>, pixels: u32) -> vec2<u32> {
    let size = (pixels + params.chunks - 1u) / params.chunks;
    let begin = min(group.x * size, pixels);
    let inside = group.x < params.chunks && group.y < params.batch;
    return vec2(begin, select(begin, min(begin + size, pixels), inside));
}

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

// -p ln p, 0 where p is; a NaN stays.
fn surprise(p: f32) -> f32 {
    let bits = bitcast<u32>(p);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return p;
    }
    return select(-p * log(p), 0.0, p == 0.0);
}

// Sum and entropy of every 256th pixel of the chunk; counts them in `counts`.
fn own_stats(group: vec3<u32>, index: u32) -> vec2<f32> {
    let chunk = bounds(group, params.pixels);
    var count = 0u;
    for (var pixel = chunk.x + index; pixel < chunk.y; pixel += 256u) {
        let at = group.y * params.pixels + pixel;
        let value = mask[at];
        add_pair(count, vec2(value, surprise(value) + surprise(1.0 - value)));
        count++;
        let found = value >= params.threshold;
        let there = truth[at] != 0u;
        counts += vec4<u32>(vec4(found && there, found && !there, !found && there, !found && !there));
    }
    return total_pair(count);
}

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    // lanes are counted, not derived from the workgroup's indices: WGSL does not say how these map to subgroups
    let lanes = subgroupAdd(1u);
    let lane = subgroupExclusiveAdd(1u);
    let lowest = subgroupMin(index);
    let sum = subgroupAdd(own_stats(group, index));
    let count = subgroupAdd(counts);
    sum_slots[index] = select(vec2(0.0), sum, lane == 0u);
    count_slots[index] = select(vec4(0u), count, lane == 0u);
    workgroupBarrier();
    var sums = vec2(0.0);
    counts = vec4(0u);
    if (lowest == 0u) {
        for (var slot = lane; slot < 256u; slot += lanes) {
            sums += sum_slots[slot];
            counts += count_slots[slot];
        }
    }
    sums = subgroupAdd(sums);
    counts = subgroupAdd(counts);
    if (index == 0u && group.x < params.chunks && group.y < params.batch) {
        let at = 6u * (group.y * params.chunks + group.x);
        partial[at] = bitcast<u32>(sums.x);
        partial[at + 1u] = bitcast<u32>(sums.y);
        partial[at + 2u] = counts.x;
        partial[at + 3u] = counts.y;
        partial[at + 4u] = counts.z;
        partial[at + 5u] = counts.w;
    }
}
