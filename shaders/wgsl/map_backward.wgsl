// Gradient of the coarse map: min-max's, u -> n = (u - low) * inverse with low and high two values of u, then the
// adjoint of the bilinear upsampling.
//
// by_normalised [B, H, W], range [B, 2] (low and inverse; `map_range_merge`), extremes [B, 2] (positions
// (sample * H + row) * W + column of low and high, 0xffffffff for none), sums [B, 2] (`mask_regions_backward`'s,
// merged over what low and high were taken over), by_coarse [B, h, w].
// dn/du = inverse, dn/dlow = (n - 1) * inverse, dn/dhigh = -n * inverse.
// One workgroup a cell of the coarse map, over the pixels that read it: x the column, y the row, z the sample.

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
}

@group(0) @binding(0) var<storage, read_write> by_normalised: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_coarse: array<f32>;
@group(0) @binding(5) var<storage, read_write> params: Params;

var<workgroup> shares: array<f32, 256>;

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

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) cell: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    let inside = cell.x < params.map_width && cell.y < params.map_height && cell.z < params.batch;
    var sum = 0.0;
    if (inside) {
        let rows = touching(cell.y, params.height, params.map_height);
        let columns = touching(cell.x, params.width, params.map_width);
        let across = columns.y - columns.x;
        let lowest = extremes[2u * cell.z];
        let highest = extremes[2u * cell.z + 1u];
        let by_low = sums[2u * cell.z];
        let by_high = sums[2u * cell.z + 1u];
        let pixels = across * (rows.y - rows.x);
        for (var index = local; index < pixels; index += 256u) {
            let row = rows.x + index / across;
            let column = columns.x + index % across;
            let at = (cell.z * params.height + row) * params.width + column;
            let value = by_normalised[at] + select(0.0, by_low, at == lowest) + select(0.0, by_high, at == highest);
            sum += weight(taps(row, params.height, params.map_height), cell.y)
                * weight(taps(column, params.width, params.map_width), cell.x) * value;
        }
    }
    shares[local] = sum;
    for (var half = 128u; half > 0u; half >>= 1u) {
        workgroupBarrier();
        if (local < half) {
            shares[local] += shares[local + half];
        }
    }
    if (local == 0u && inside) {
        let at = (cell.z * params.map_height + cell.y) * params.map_width + cell.x;
        by_coarse[at] = shares[0] * range[2u * cell.z + 1u];
    }
}
