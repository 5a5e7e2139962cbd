// Convolution with square kernels, over all input channels: a matrix product over taps and channels, with bias,
// shortcut and activation as the sums are written.
//
// x [B, I, h, w], weight [ceil(O / 8), k * k, I, 8] (zero beyond O), bias [O], shortcut [B, O, H, W] (one unused
// element without it), output [B, O, H, W].
// One invocation 8 output channels of 4 columns, which lie 8 apart; a column is a pixel of a sample's output. As in
// `pointwise`, neighbours share columns and weights through the caches.

#import product

struct Params {
    /// B, samples.
    batch: u32,
    /// I, channels of the input.
    inputs: u32,
    /// h, rows of the input.
    in_height: u32,
    /// w, columns of the input.
    in_width: u32,
    /// O, channels of the output.
    outputs: u32,
    /// H, rows of the output.
    height: u32,
    /// W, columns of the output.
    width: u32,
    /// k, rows and columns of the kernel.
    kernel: u32,
    /// Step from one output to the next, in both directions.
    stride: u32,
    /// Rows of zeros above the input.
    pad_top: u32,
    /// Columns of zeros to the left of the input.
    pad_left: u32,
    /// 1 if the shortcut is added, else 0.
    has_shortcut: u32,
    /// What follows: 0 nothing, 1 ReLU, 2 ReLU6.
    activation: u32,
}

const COLUMNS: u32 = 32u;

// What the first tap of a column sees: where its sample begins in x, a row and a column counted from the first of padding.
struct Origin {
    start: u32,
    row: u32,
    column: u32,
}

// The last column's for those beyond it, whose sums nobody writes.
fn origin(column: u32) -> Origin {
    let pixels = params.height * params.width;
    let within = min(column, params.batch * pixels - 1u);
    let at = within % pixels;
    let start = within / pixels * params.inputs * params.in_height * params.in_width;
    return Origin(start, at / params.width * params.stride, at % params.width * params.stride);
}

// Where a tap sees the first channel of x, and 1, or 0 where it sees padding.
struct Seen {
    at: u32,
    share: f32,
}

fn seen(origin: Origin, tap_row: u32, tap_column: u32) -> Seen {
    // beyond the last row and column where it is padding in front of the first
    let row = origin.row + tap_row - params.pad_top;
    let column = origin.column + tap_column - params.pad_left;
    let inside = row < params.in_height && column < params.in_width;
    let at = origin.start + select(0u, row * params.in_width + column, inside);
    return Seen(at, select(0.0, 1.0, inside));
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
    let invocation = (group.y * groups.x + group.x) * 64u + local;
    let inputs = params.inputs;
    let tiles = (params.outputs + 7u) / 8u;
    let tile = invocation / LANES % tiles;
    let column = invocation / LANES / tiles * COLUMNS + invocation % LANES;
    if (column >= params.batch * params.height * params.width) {
        return;
    }
    let origin_0 = origin(column);
    let origin_1 = origin(column + 8u);
    let origin_2 = origin(column + 16u);
    let origin_3 = origin(column + 24u);
    // sums of the tile's first and second four channels
    var low_0 = vec4<f32>(0.0);
    var low_1 = vec4<f32>(0.0);
    var low_2 = vec4<f32>(0.0);
    var low_3 = vec4<f32>(0.0);
    var high_0 = vec4<f32>(0.0);
    var high_1 = vec4<f32>(0.0);
    var high_2 = vec4<f32>(0.0);
    var high_3 = vec4<f32>(0.0);
    var at_weight = tile * params.kernel * params.kernel * inputs * 2u;
    let plane = params.in_height * params.in_width;
    for (var tap_row = 0u; tap_row < params.kernel; tap_row++) {
        for (var tap_column = 0u; tap_column < params.kernel; tap_column++) {
            let seen_0 = seen(origin_0, tap_row, tap_column);
            let seen_1 = seen(origin_1, tap_row, tap_column);
            let seen_2 = seen(origin_2, tap_row, tap_column);
            let seen_3 = seen(origin_3, tap_row, tap_column);
            var at = 0u;
            for (var channel = 0u; channel < inputs; channel++) {
                let low = weight[at_weight];
                let high = weight[at_weight + 1u];
                at_weight += 2u;
                let x_0 = x[seen_0.at + at] * seen_0.share;
                let x_1 = x[seen_1.at + at] * seen_1.share;
                let x_2 = x[seen_2.at + at] * seen_2.share;
                let x_3 = x[seen_3.at + at] * seen_3.share;
                low_0 += low * x_0;
                high_0 += high * x_0;
                low_1 += low * x_1;
                high_1 += high * x_1;
                low_2 += low * x_2;
                high_2 += high * x_2;
                low_3 += low * x_3;
                high_3 += high * x_3;
                at += plane;
            }
        }
    }
    let first = tile * 8u;
    let pixels = params.height * params.width;
    write_column(low_0, high_0, first, column, pixels);
    write_column(low_1, high_1, first, column + 8u, pixels);
    write_column(low_2, high_2, first, column + 16u, pixels);
    write_column(low_3, high_3, first, column + 24u, pixels);
}
