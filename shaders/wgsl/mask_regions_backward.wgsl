// Gradient of `mask_regions` and of the mask's size, with respect to the normalised map n, and what the gradient of
// the map's minimum and maximum needs.
//
// coarse [B, h, w], range [B, 2] (`map_range_merge`), image [B, 3, H, W], gradient [B, region_stride] (as `regions`,
// its last value that of the size), by_normalised [B, H, W], partial [B, chunks, 2]: the chunk's sums of
// by_normalised * (n - 1) and -by_normalised * n, which `sum_merge` adds up for `map_backward`.
// One workgroup a chunk of ceil(H W / chunks) contiguous pixels: x the chunk, y the sample.

#import mask_params
#import upsampled
#import soft
#import touching

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> by_normalised: array<f32>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;
@group(0) @binding(6) var<storage, read_write> params: Params;

var<workgroup> sums: array<vec2<f32>, 256>;

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
