// The classifier's two inputs: X+ = shrink(X * M) and X- = shrink(X) - X+, where M is `soft_mask`'s and shrink is
// bilinear (the identity if both sizes are equal).
//
// coarse [B, h, w], range [B, 2] (minimum and 1 / (maximum - minimum); `map_range_merge`), image [B, 3, H, W],
// regions [B, region_stride]: foreground [3, H', W'], background [3, H', W'], and one value left to `sum_merge`.
// One invocation a pixel of the result, all channels: x the column, y the row, z the sample.

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
}

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;
@group(0) @binding(3) var<storage, read_write> regions: array<f32>;
@group(0) @binding(4) var<storage, read_write> params: Params;

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

@compute @workgroup_size(64, 4, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.region_width || id.y >= params.region_height || id.z >= params.batch) {
        return;
    }
    let rows = taps(id.y, params.region_height, params.height);
    let columns = taps(id.x, params.region_width, params.width);
    let area = params.height * params.width;
    var whole = vec3<f32>(0.0);
    var front = vec3<f32>(0.0);
    for (var corner = 0u; corner < 4u; corner++) {
        let lower = corner >= 2u;
        let right = (corner & 1u) != 0u;
        let share = select(1.0 - rows.fraction, rows.fraction, lower)
            * select(1.0 - columns.fraction, columns.fraction, right);
        // spares three of four masks where nothing is shrunk
        if (share > 0.0) {
            let row = select(rows.low, rows.high, lower);
            let column = select(columns.low, columns.high, right);
            let at = 3u * id.z * area + row * params.width + column;
            let pixel = share * vec3<f32>(image[at], image[at + area], image[at + 2u * area]);
            whole += pixel;
            front += pixel * soft(normalised(id.z, upsampled(id.z, row, column)));
        }
    }
    let plane = params.region_height * params.region_width;
    let at = id.z * params.region_stride + id.y * params.region_width + id.x;
    for (var channel = 0u; channel < 3u; channel++) {
        regions[at + channel * plane] = front[channel];
        regions[at + (channel + 3u) * plane] = whole[channel] - front[channel];
    }
}
