// A tile of eight output channels, as `conv` and `pointwise` compute them.

#import activated

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> shortcut: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
@group(0) @binding(5) var<storage, read_write> params: Params;

const LANES: u32 = 8u;

fn write(value: f32, channel: u32, at: u32) {
    if (channel >= params.outputs) {
        return;
    }
    var sum = value + bias[channel];
    if (params.has_shortcut != 0u) {
        sum += shortcut[at];
    }
    output[at] = activated(sum, params.activation);
}

// Eight channels of one column, if there is such a column; a plane of the output has `pixels`.
fn write_column(low: vec4<f32>, high: vec4<f32>, first: u32, column: u32, pixels: u32) {
    if (column >= params.batch * pixels) {
        return;
    }
    let at = (column / pixels * params.outputs + first) * pixels + column % pixels;
    write(low.x, first, at);
    write(low.y, first + 1u, at + pixels);
    write(low.z, first + 2u, at + 2u * pixels);
    write(low.w, first + 3u, at + 3u * pixels);
    write(high.x, first + 4u, at + 4u * pixels);
    write(high.y, first + 5u, at + 5u * pixels);
    write(high.z, first + 6u, at + 6u * pixels);
    write(high.w, first + 7u, at + 7u * pixels);
}
