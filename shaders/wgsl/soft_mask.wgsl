// Soft foreground mask (Eq. 12) at the image's size, from the coarse map:
// bilinear -> (u - low) * inverse range -> sigmoid(omega * (n - sigma)).
//
// coarse [B, h, w], range [B, 2] (minimum and 1 / (maximum - minimum); `map_range_merge`), mask [B, H, W].
// One invocation a pixel: x the column, y the row, z the sample.

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
}

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<f32>;
@group(0) @binding(3) var<storage, read_write> params: Params;

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
    if (id.x >= params.width || id.y >= params.height || id.z >= params.batch) {
        return;
    }
    let value = normalised(id.z, upsampled(id.z, id.y, id.x));
    mask[(id.z * params.height + id.y) * params.width + id.x] = soft(value);
}
