// Pointwise (1×1) convolution: a matrix product, with bias, shortcut and activation as the sums are written.
//
// x [B, I, P] (P pixels of a plane), weight [ceil(O / 8), I, 8] (a tile of 8 output channels for each input channel,
// zero beyond O), bias [O], shortcut [B, O, P] (one unused element without it), output [B, O, P].
// One invocation 8 output channels of 8 columns, which lie 8 apart; a column is a pixel of a sample. Eight neighbours
// take neighbouring columns, the next eight the next tile: a group reads few columns and many weights, all of them
// more than once. No workgroup memory: software adapters pay for barriers, and caches of real ones hold the columns.

#import product

struct Params {
    /// B, samples.
    batch: u32,
    /// I, channels of the input.
    inputs: u32,
    /// O, channels of the output.
    outputs: u32,
    /// P, pixels of a plane.
    pixels: u32,
    /// 1 if the shortcut is added, else 0.
    has_shortcut: u32,
    /// What follows: 0 nothing, 1 ReLU, 2 ReLU6.
    activation: u32,
}

const COLUMNS: u32 = 64u;

// Where a column begins in x; the last column for those beyond it, whose sums nobody writes.
fn start(column: u32) -> u32 {
    let within = min(column, params.batch * params.pixels - 1u);
    return within / params.pixels * params.inputs * params.pixels + within % params.pixels;
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
    let invocation = (group.y * groups.x + group.x) * 64u + local;
    let inputs = params.inputs;
    let tiles = (params.outputs + 7u) / 8u;
    let tile = invocation / LANES % tiles;
    let column = invocation / LANES / tiles * COLUMNS + invocation % LANES;
    if (column >= params.batch * params.pixels) {
        return;
    }
    var at_0 = start(column);
    var at_1 = start(column + 8u);
    var at_2 = start(column + 16u);
    var at_3 = start(column + 24u);
    var at_4 = start(column + 32u);
    var at_5 = start(column + 40u);
    var at_6 = start(column + 48u);
    var at_7 = start(column + 56u);
    // sums of the tile's first and second four channels
    var low_0 = vec4<f32>(0.0);
    var low_1 = vec4<f32>(0.0);
    var low_2 = vec4<f32>(0.0);
    var low_3 = vec4<f32>(0.0);
    var low_4 = vec4<f32>(0.0);
    var low_5 = vec4<f32>(0.0);
    var low_6 = vec4<f32>(0.0);
    var low_7 = vec4<f32>(0.0);
    var high_0 = vec4<f32>(0.0);
    var high_1 = vec4<f32>(0.0);
    var high_2 = vec4<f32>(0.0);
    var high_3 = vec4<f32>(0.0);
    var high_4 = vec4<f32>(0.0);
    var high_5 = vec4<f32>(0.0);
    var high_6 = vec4<f32>(0.0);
    var high_7 = vec4<f32>(0.0);
    var at_weight = tile * inputs * 2u;
    let pixels = params.pixels;
    for (var channel = 0u; channel < inputs; channel++) {
        let low = weight[at_weight];
        let high = weight[at_weight + 1u];
        at_weight += 2u;
        let x_0 = x[at_0];
        let x_1 = x[at_1];
        let x_2 = x[at_2];
        let x_3 = x[at_3];
        let x_4 = x[at_4];
        let x_5 = x[at_5];
        let x_6 = x[at_6];
        let x_7 = x[at_7];
        low_0 += low * x_0;
        high_0 += high * x_0;
        low_1 += low * x_1;
        high_1 += high * x_1;
        low_2 += low * x_2;
        high_2 += high * x_2;
        low_3 += low * x_3;
        high_3 += high * x_3;
        low_4 += low * x_4;
        high_4 += high * x_4;
        low_5 += low * x_5;
        high_5 += high * x_5;
        low_6 += low * x_6;
        high_6 += high * x_6;
        low_7 += low * x_7;
        high_7 += high * x_7;
        at_0 += pixels;
        at_1 += pixels;
        at_2 += pixels;
        at_3 += pixels;
        at_4 += pixels;
        at_5 += pixels;
        at_6 += pixels;
        at_7 += pixels;
    }
    let first = tile * 8u;
    write_column(low_0, high_0, first, column, pixels);
    write_column(low_1, high_1, first, column + 8u, pixels);
    write_column(low_2, high_2, first, column + 16u, pixels);
    write_column(low_3, high_3, first, column + 24u, pixels);
    write_column(low_4, high_4, first, column + 32u, pixels);
    write_column(low_5, high_5, first, column + 40u, pixels);
    write_column(low_6, high_6, first, column + 48u, pixels);
    write_column(low_7, high_7, first, column + 56u, pixels);
}
