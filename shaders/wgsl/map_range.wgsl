// The chunk's minimum and maximum of the map resampled to the image's size, and where they are.
//
// coarse [B, h, w], partial [B, chunks, 4]: bits of the minimum, bits of the maximum, their positions
// sample * H * W + y * W + x, the first on ties. A NaN makes both NaN. A chunk without pixels gives (inf, -inf).
// `map_range_merge` merges. One workgroup a chunk: x the chunk of ceil(H * W / chunks) pixels, y the sample.

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
    /// Chunks that the pixels of a sample are split into.
    chunks: u32,
}

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> partial: array<u32>;
@group(0) @binding(2) var<storage, read_write> params: Params;

var<workgroup> slots: array<vec4<u32>, 256>;

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

// First pixel of the workgroup's chunk and the one after its last; none outside the dispatch.
fn bounds(group: vec3<u32>, pixels: u32) -> vec2<u32> {
    let size = (pixels + params.chunks - 1u) / params.chunks;
    let begin = min(group.x * size, pixels);
    let inside = group.x < params.chunks && group.y < params.batch;
    return vec2(begin, select(begin, min(begin + size, pixels), inside));
}

// Sorts floats by their bits: ascending, both zeros as one, NaN (0) before everything.
fn ascending(bits: u32) -> u32 {
    let magnitude = bits & 0x7fffffffu;
    let key = select(magnitude | 0x80000000u, ~bits, bits > 0x80000000u);
    return select(key, 0u, magnitude > 0x7f800000u);
}

fn bits_of(key: u32) -> u32 {
    return select(key ^ 0x80000000u, ~key, key < 0x80000000u);
}

// Keys of a minimum and of a maximum, each with its position: (key, position, key, position). The maximum's sign is
// turned, so that of both the first in order is wanted.
fn keys(low: u32, low_at: u32, high: u32, high_at: u32) -> vec4<u32> {
    return vec4(ascending(low), low_at, ascending(high ^ 0x80000000u), high_at);
}

fn nothing() -> vec4<u32> {
    return keys(0x7f800000u, 0xffffffffu, 0xff800000u, 0xffffffffu);
}

fn before(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
}

fn first(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4(select(b.xy, a.xy, before(a.xy, b.xy)), select(b.zw, a.zw, before(a.zw, b.zw)));
}

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
