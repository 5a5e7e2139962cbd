// Gradient of the coarse map: min-max's, u -> n = (u - low) * inverse with low and high two values of u, then the
// adjoint of the bilinear upsampling.
//
// by_normalised [B, H, W], range [B, 2] (low and inverse; `map_range_merge`), extremes [B, 2] (positions
// (sample * H + row) * W + column of low and high, 0xffffffff for none), sums [B, 2] (`mask_regions_backward`'s,
// merged over what low and high were taken over), by_coarse [B, h, w].
// dn/du = inverse, dn/dlow = (n - 1) * inverse, dn/dhigh = -n * inverse.
// One workgroup a cell of the coarse map, over the pixels that read it: x the column, y the row, z the sample.

#import mask_params
#import touching

@group(0) @binding(0) var<storage, read_write> by_normalised: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_coarse: array<f32>;
@group(0) @binding(5) var<storage, read_write> params: Params;

var<workgroup> shares: array<f32, 256>;

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
