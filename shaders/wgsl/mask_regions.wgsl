// The classifier's two inputs: X+ = shrink(X * M) and X- = shrink(X) - X+, where M is `soft_mask`'s and shrink is
// bilinear (the identity if both sizes are equal).
//
// coarse [B, h, w], range [B, 2] (minimum and 1 / (maximum - minimum); `map_range_merge`), image [B, 3, H, W],
// regions [B, region_stride]: foreground [3, H', W'], background [3, H', W'], and one value left to `sum_merge`.
// One invocation a pixel of the result, all channels: x the column, y the row, z the sample.

#import mask_params
#import upsampled
#import soft

@group(0) @binding(0) var<storage, read_write> coarse: array<f32>;
@group(0) @binding(1) var<storage, read_write> range: array<f32>;
@group(0) @binding(2) var<storage, read_write> image: array<f32>;
@group(0) @binding(3) var<storage, read_write> regions: array<f32>;
@group(0) @binding(4) var<storage, read_write> params: Params;

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
