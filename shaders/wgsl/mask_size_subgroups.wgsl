// Size of the soft mask (Eq. 10) without writing it: the sum of the chunk's pixels.
//
// coarse [B, h, w], range [B, 2] (`map_range_merge`), partial [B, chunks]; `sum_merge` merges.
// One workgroup a chunk: x the chunk of ceil(H * W / chunks) pixels, y the sample.
//
// `mask_size` with subgroup operations. naga takes them without a directive and refuses one; a browser wants
// `enable subgroups;` put before this text.

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
    /// Chunks that the pixels of a sample are split into.
    chunks: u32,
}

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

var<workgroup> slots: array<f32, 256>;
var<private> levels: array<f32, 32>;

struct Taps {
    low: u32,
    high: u32,
    fraction: f32,
}

fn taps(position: u32, output: u32, input: u32) -> Taps {
    var numerator = position * (input - 1u);
    var denominator = max(output - 1u, 1u);
    if (params.align_corners == 0u) {
        let centre = (2u * position + 1u) * input;
        numerator = select(0u, centre - output, centre > output);
        denominator = 2u * output;
    }
    let low = min(numerator / denominator, input - 1u);
    return Taps(low, min(low + 1u, input - 1u), f32(numerator - low * denominator) / f32(denominator));
}

// mix(a, a, share) may differ from a, by how the driver writes it; this does not.
fn blend(a: f32, b: f32, share: f32) -> f32 {
    return a + (b - a) * share;
}

fn upsampled(sample: u32, row: u32, column: u32) -> f32 {
    let y = taps(row, params.height, params.map_height);
    let x = taps(column, params.width, params.map_width);
    let top = (sample * params.map_height + y.low) * params.map_width;
    let bottom = (sample * params.map_height + y.high) * params.map_width;
    let left = blend(coarse[top + x.low], coarse[bottom + x.low], y.fraction);
    let right = blend(coarse[top + x.high], coarse[bottom + x.high], y.fraction);
    return blend(left, right, x.fraction);
}

fn normalised(sample: u32, value: f32) -> f32 {
    return (value - range[2u * sample]) * range[2u * sample + 1u];
}

fn soft(value: f32) -> f32 {
    // exp of NaN need not be NaN: SwiftShader's is infinite
    if ((bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u) {
        return value;
    }
    return 1.0 / (1.0 + exp(-params.omega * (value - params.sigma)));
}

// First pixel of the workgroup's chunk and the one after its last; none outside the dispatch.
fn bounds(group: vec3<u32>, pixels: u32) -> vec2<u32> {
    let size = (pixels + params.chunks - 1u) / params.chunks;
    let begin = min(group.x * size, pixels);
    let inside = group.x < params.chunks && group.y < params.batch;
    return vec2(begin, select(begin, min(begin + size, pixels), inside));
}

// Pairwise sum: `levels[k]` waits with the sum of 2^k values for the next 2^k, so that rounding grows with the
// logarithm of the count. `count` values came before this one.
fn add(count: u32, value: f32) {
    var sum = value;
    var level = 0u;
    for (; ((count >> level) & 1u) == 1u; level++) {
        sum += levels[level];
    }
    levels[level] = sum;
}

fn total(count: u32) -> f32 {
    var sum = 0.0;
    for (var level = 0u; (count >> level) > 0u; level++) {
        sum += select(0.0, levels[level], ((count >> level) & 1u) == 1u);
    }
    return sum;
}

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
    // lanes are counted, not derived from the workgroup's indices: WGSL does not say how these map to subgroups
    let lanes = subgroupAdd(1u);
    let lane = subgroupExclusiveAdd(1u);
    let lowest = subgroupMin(index);
    let sum = subgroupAdd(own_size(group, index));
    slots[index] = select(0.0, sum, lane == 0u);
    workgroupBarrier();
    var share = 0.0;
    if (lowest == 0u) {
        for (var slot = lane; slot < 256u; slot += lanes) {
            share += slots[slot];
        }
    }
    let result = subgroupAdd(share);
    if (index == 0u && group.x < params.chunks && group.y < params.batch) {
        partial[group.y * params.chunks + group.x] = result;
    }
}
