struct Params {
    /// B * C, planes.
    planes: u32,
    /// C, channels.
    channels: u32,
    /// h, rows of the input.
    in_height: u32,
    /// w, columns of the input.
    in_width: u32,
    /// H, rows of the output.
    height: u32,
    /// W, columns of the output.
    width: u32,
    /// Step from one output to the next, 1 or 2, in both directions.
    stride: u32,
    /// Rows of zeros above the input.
    pad_top: u32,
    /// Columns of zeros to the left of the input.
    pad_left: u32,
    /// Outputs of an invocation.
    rows: u32,
    /// What follows: 0 nothing, 1 ReLU, 2 ReLU6.
    activation: u32,
}

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
@group(0) @binding(4) var<storage, read_write> params: Params;

// Where a column counted from the first of padding is in a row of the input; 0 in the padding.
fn column_at(column: u32) -> u32 {
    return select(0u, column - params.pad_left, column_share(column) > 0.0);
}

// 1, or 0 in the padding.
fn column_share(column: u32) -> f32 {
    return select(0.0, 1.0, column >= params.pad_left && column < params.pad_left + params.in_width);
}
