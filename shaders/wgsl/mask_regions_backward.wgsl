// Gradient of `mask_regions` and of the mask's size, with respect to the normalised map n, and what the gradient of
// the map's minimum and maximum needs.
//
// coarse [B, h, w], range [B, 2] (`map_range_merge`), image [B, 3, H, W], gradient [B, region_stride] (as `regions`,
// its last value that of the size), by_normalised [B, H, W], partial [B, chunks, 2]: the chunk's sums of
// by_normalised * (n - 1) and -by_normalised * n, which `sum_merge` adds up for `map_backward`.
// One workgroup a chunk of ceil(H W / chunks) contiguous pixels: x the chunk, y the sample.

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
    /// Chunks of a sample's pixels.
    chunks: u32,
}

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_normalised: array<f32>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;
@group(0) @binding(6) var<storage, read_write> params: Params;

var<workgroup> sums: array<vec2<f32>, 256>;

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

// First output position that reads input `position` with a weight above 0, and one past the last.
// Those have |source - position| < 1, where source is what `taps` divides into a whole part and a fraction.
fn touching(position: u32, output: u32, input: u32) -> vec2<u32> {
    var step = i32(2u * input);
    var below = i32(output) * (2 * i32(position) - 1) - i32(input);
    var above = i32(output) * (2 * i32(position) + 3) - i32(input);
    // a single input is read by every output, which the other convention's arithmetic gives too
    if (params.align_corners != 0u && input > 1u) {
        let denominator = max(i32(output) - 1, 1);
        step = i32(input) - 1;
        below = (i32(position) - 1) * denominator;
        above = (i32(position) + 1) * denominator;
    }
    let first = select(0, below / step + 1, below >= 0);
    let end = select(0, (above - 1) / step + 1, above > 0);
    return vec2<u32>(u32(first), min(u32(end), output));
}

// Share of input `position` in an output.
fn weight(taps: Taps, position: u32) -> f32 {
    let low = select(0.0, 1.0 - taps.fraction, taps.low == position);
    return low + select(0.0, taps.fraction, taps.high == position);
}

// Gradient of the mask at a pixel: that of the size, and that of X+ less that of X- at the outputs reading the pixel.
fn by_mask(sample: u32, row: u32, column: u32) -> f32 {
    let rows = touching(row, params.region_height, params.height);
    let columns = touching(column, params.region_width, params.width);
    let plane = params.region_height * params.region_width;
    let start = sample * params.region_stride;
    var by_product = vec3<f32>(0.0);
    for (var y = rows.x; y < rows.y; y++) {
        let share = weight(taps(y, params.region_height, params.height), row);
        for (var x = columns.x; x < columns.y; x++) {
            let at = start + y * params.region_width + x;
            let front = vec3<f32>(gradient[at], gradient[at + plane], gradient[at + 2u * plane]);
            let back = vec3<f32>(gradient[at + 3u * plane], gradient[at + 4u * plane], gradient[at + 5u * plane]);
            by_product += share * weight(taps(x, params.region_width, params.width), column) * (front - back);
        }
    }
    let area = params.height * params.width;
    let at = 3u * sample * area + row * params.width + column;
    let pixel = vec3<f32>(image[at], image[at + area], image[at + 2u * area]);
    return gradient[start + 6u * plane] + dot(pixel, by_product);
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let area = params.height * params.width;
    let chunk = (area + params.chunks - 1u) / params.chunks;
    let inside = group.x < params.chunks && group.y < params.batch;
    let end = select(0u, min((group.x + 1u) * chunk, area), inside);
    var sum = vec2<f32>(0.0);
    for (var pixel = group.x * chunk + local; pixel < end; pixel += 256u) {
        let row = pixel / params.width;
        let column = pixel % params.width;
        let value = normalised(group.y, upsampled(group.y, row, column));
        let mask = soft(value);
        let by_value = by_mask(group.y, row, column) * params.omega * mask * (1.0 - mask);
        by_normalised[group.y * area + pixel] = by_value;
        sum += by_value * vec2<f32>(value - 1.0, -value);
    }
    sums[local] = sum;
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (local < half) {
            sums[local] += sums[local + half];
        }
    }
    if (local == 0u && inside) {
        let at = 2u * (group.y * params.chunks + group.x);
        partial[at] = sums[0].x;
        partial[at + 1u] = sums[0].y;
    }
}
