// Model input from an RGBA image (`spec` §3.2): bilinear resize with anti-aliasing as Pillow does it, then
// (v / 255 - mean) / std.
//
// pixels [h, w] (RGBA8, R in the low byte, alpha ignored), tensor [3, H, W].
// One invocation a pixel of the tensor: x the column, y the row.
//
// Pillow resizes the rows, rounds to 8 bits, resizes the columns and rounds again, with a triangle as wide as the
// shrink factor and weights in 22 bits. All of it is whole numbers here, so every device yields the same levels.
// Products and remainders fit 32 bits for sides up to 16384 where 2 (h * h / H + h) <= 2^26, and the same for w.

struct Params {
    /// h, rows of the image.
    in_height: u32,
    /// w, columns of the image.
    in_width: u32,
    /// H, rows of the tensor.
    height: u32,
    /// W, columns of the tensor.
    width: u32,
    /// Mean of the red channel in `[0, 1]`, subtracted.
    mean_r: f32,
    /// Mean of the green channel.
    mean_g: f32,
    /// Mean of the blue channel.
    mean_b: f32,
    /// Deviation of the red channel, divided by.
    std_r: f32,
    /// Deviation of the green channel.
    std_g: f32,
    /// Deviation of the blue channel.
    std_b: f32,
}

@group(0) @binding(0) var<storage, read_write> pixels: array<u32>;
@group(0) @binding(1) var<storage, read_write> tensor: array<f32>;
@group(0) @binding(2) var<storage, read_write> params: Params;

// Bits of a weight's fraction.
const PRECISION: u32 = 22u;

// The inputs of one output position. Positions are in units of 1 / (2 * output) of an input.
struct Window {
    first: u32,
    end: u32,
    centre: u32,
    total: u32,
}

// Height of the triangle over an input; its half base is as long as it is high.
fn triangle(position: u32, centre: u32, output: u32, input: u32) -> u32 {
    let reach = 2u * max(input, output);
    let sample = (2u * position + 1u) * output;
    return reach - min(max(sample, centre) - min(sample, centre), reach);
}

fn window(position: u32, output: u32, input: u32) -> Window {
    let reach = 2u * max(input, output);
    let centre = (2u * position + 1u) * input;
    let low = centre + output;
    let first = (low - min(low, reach)) / (2u * output);
    let end = min((low + reach - 1u) / (2u * output), input);
    var total = 0u;
    for (var at = first; at < end; at++) {
        total += triangle(at, centre, output, input);
    }
    return Window(first, end, centre, total);
}

// height / total with PRECISION bits, rounded; in two steps, as height * 2^22 may exceed 32 bits.
fn share(height: u32, total: u32) -> u32 {
    let coarse = height << 16u;
    let rest = (coarse % total) << (PRECISION - 16u);
    return ((coarse / total) << (PRECISION - 16u)) + (rest + total / 2u) / total;
}

fn to_levels(sum: vec3<u32>) -> vec3<u32> {
    return min((sum + (1u << (PRECISION - 1u))) >> vec3<u32>(PRECISION), vec3<u32>(255u));
}

fn resized_row(row: u32, columns: Window, output: u32, input: u32) -> vec3<u32> {
    var sum = vec3<u32>(0u);
    for (var x = columns.first; x < columns.end; x++) {
        let pixel = pixels[row * input + x];
        let weight = share(triangle(x, columns.centre, output, input), columns.total);
        sum += weight * vec3<u32>(pixel & 255u, (pixel >> 8u) & 255u, (pixel >> 16u) & 255u);
    }
    return to_levels(sum);
}

@compute @workgroup_size(16, 16, 1)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let height = params.height;
    let width = params.width;
    if (id.x >= width || id.y >= height || id.z > 0u) {
        return;
    }
    let in_height = params.in_height;
    let in_width = params.in_width;
    let columns = window(id.x, width, in_width);
    let rows = window(id.y, height, in_height);
    var sum = vec3<u32>(0u);
    for (var y = rows.first; y < rows.end; y++) {
        let weight = share(triangle(y, rows.centre, height, in_height), rows.total);
        sum += weight * resized_row(y, columns, width, in_width);
    }
    let mean = vec3<f32>(params.mean_r, params.mean_g, params.mean_b);
    let deviation = vec3<f32>(params.std_r, params.std_g, params.std_b);
    let value = (vec3<f32>(to_levels(sum)) / 255.0 - mean) / deviation;
    let plane = height * width;
    let at = id.y * width + id.x;
    tensor[at] = value.x;
    tensor[plane + at] = value.y;
    tensor[2u * plane + at] = value.z;
}
