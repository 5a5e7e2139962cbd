// A soft mask drawn over its picture: heat by value, then the edge of the true mask, then that of the predicted one.
//
// image [H, W] (RGBA8, R in the low byte, alpha ignored), mask [H, W], truth [H, W] (one unused element without it),
// colors [256] (RGBA8), painted [H, row_stride] (opaque RGBA8; what is right of W is left as it is).
// One invocation a pixel: x the column, y the row. Every blend is rounded to 8 bits.

struct Params {
    /// H, rows of the picture.
    height: u32,
    /// W, columns of the picture.
    width: u32,
    /// Pixels from one row of `painted` to the next, W or more.
    row_stride: u32,
    /// 1 if `truth` is given (not 0 is foreground), else 0.
    has_truth: u32,
    /// 1 if the edge of the predicted foreground is drawn, else 0.
    contour: u32,
    /// Pixels of an edge's line, at most 16; one of shade follows.
    thickness: u32,
    /// Foreground is `mask >= threshold`.
    threshold: f32,
    /// Opacity of the heat at full strength, in `[0, 1]`.
    opacity: f32,
}

@group(0) @binding(0) var<storage, read_write> image: array<u32>;
@group(0) @binding(1) var<storage, read_write> mask: array<f32>;
@group(0) @binding(2) var<storage, read_write> truth: array<u32>;
@group(0) @binding(3) var<storage, read_write> colors: array<u32>;
@group(0) @binding(4) var<storage, read_write> painted: array<u32>;
@group(0) @binding(5) var<storage, read_write> params: Params;

const TRUE_EDGE: vec3<f32> = vec3<f32>(255.0, 159.0, 0.0);
const PREDICTED_EDGE: vec3<f32> = vec3<f32>(255.0, 255.0, 255.0);
const SHADE: vec3<f32> = vec3<f32>(16.0, 16.0, 24.0);
const SHADE_OPACITY: f32 = 0.45;
const MAX_THICKNESS: u32 = 16u;

fn is_nan(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u;
}

fn unpacked(pixel: u32) -> vec3<f32> {
    return vec3<f32>(f32(pixel & 255u), f32((pixel >> 8u) & 255u), f32((pixel >> 16u) & 255u));
}

// Half goes up; `round` would take it to the even neighbour.
fn half_up(value: vec3<f32>) -> vec3<f32> {
    let low = floor(value);
    return low + select(vec3<f32>(0.0), vec3<f32>(1.0), value - low >= vec3<f32>(0.5));
}

fn composite(below: vec3<f32>, over: vec3<f32>, alpha: f32) -> vec3<f32> {
    return half_up(below * (1.0 - alpha) + over * alpha);
}

fn heat(below: vec3<f32>, soft: f32) -> vec3<f32> {
    var value = 0.0;
    if (!is_nan(soft)) {
        value = clamp(soft, 0.0, 1.0);
    }
    let color = unpacked(colors[u32(half_up(vec3<f32>(value * 255.0)).x)]);
    return composite(below, color, clamp(params.opacity, 0.0, 1.0) * (0.15 + 0.85 * value));
}

// Whether a pixel is in the region whose edge is drawn: outside the true mask, so that its edge stays visible under
// a prediction that is right, or inside the predicted one. The border of the picture is no edge.
fn in_region(of_truth: bool, column: i32, row: i32) -> bool {
    if (column < 0 || row < 0 || column >= i32(params.width) || row >= i32(params.height)) {
        return true;
    }
    let at = u32(row) * params.width + u32(column);
    if (of_truth) {
        return truth[at] == 0u;
    }
    return !is_nan(mask[at]) && mask[at] >= params.threshold;
}

// Steps along the sides of pixels to the nearest one out of the region: 0 out of it, `reach + 1` if none is in reach.
fn depth(of_truth: bool, column: i32, row: i32, reach: i32) -> i32 {
    for (var steps = 0; steps <= reach; steps++) {
        for (var up = -steps; up <= steps; up++) {
            let across = steps - abs(up);
            if (!in_region(of_truth, column - across, row + up) || !in_region(of_truth, column + across, row + up)) {
                return steps;
            }
        }
    }
    return reach + 1;
}

fn with_edge(color: vec3<f32>, of_truth: bool, id: vec3<u32>, line: vec3<f32>) -> vec3<f32> {
    let thickness = i32(min(params.thickness, MAX_THICKNESS));
    let steps = depth(of_truth, i32(id.x), i32(id.y), thickness + 1);
    if (steps == 0 || steps > thickness + 1) {
        return color;
    }
    if (steps <= thickness) {
        return line;
    }
    return composite(color, SHADE, SHADE_OPACITY);
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.width || id.y >= params.height || id.z > 0u) {
        return;
    }
    let at = id.y * params.width + id.x;
    var color = heat(unpacked(image[at]), mask[at]);
    if (params.has_truth != 0u) {
        color = with_edge(color, true, id, TRUE_EDGE);
    }
    if (params.contour != 0u) {
        color = with_edge(color, false, id, PREDICTED_EDGE);
    }
    let bytes = vec3<u32>(color);
    painted[id.y * params.row_stride + id.x] = bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | 0xff000000u;
}
