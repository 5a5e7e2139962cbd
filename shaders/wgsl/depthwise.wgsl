// Depthwise 3×3 convolution: every channel is filtered by a kernel of its own; with bias and activation.
//
// x [B, C, h, w], weight [C, 9], bias [C], output [B, C, H, W].
// One invocation `rows` outputs of one column, from the top down. It reads each row of the input once and adds it to
// all the outputs that see it; one that has seen all its rows is written.

#import depthwise_params
#import activated

// What the kernel sees of a row counted from the first of padding.
fn values(plane: u32, row: u32, columns: vec3<u32>) -> vec3<f32> {
    if (row < params.pad_top || row >= params.pad_top + params.in_height) {
        return vec3<f32>(0.0);
    }
    let at = (plane * params.in_height + row - params.pad_top) * params.in_width;
    return vec3<f32>(x[at + columns.x], x[at + columns.y], x[at + columns.z]);
}

fn kernel_row(at: u32) -> vec3<f32> {
    return vec3<f32>(weight[at], weight[at + 1u], weight[at + 2u]);
}

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) local: u32) {
    let invocation = (group.y * groups.x + group.x) * 64u + local;
    let strips = (params.height + params.rows - 1u) / params.rows;
    let column = invocation % params.width;
    let plane = invocation / params.width / strips;
    if (plane >= params.planes) {
        return;
    }
    let first = invocation / params.width % strips * params.rows;
    let end = min(first + params.rows, params.height);

    let left = column * params.stride;
    let columns = vec3<u32>(column_at(left), column_at(left + 1u), column_at(left + 2u));
    // weights of zero keep the padding out
    let shares = vec3<f32>(column_share(left), column_share(left + 1u), column_share(left + 2u));
    let channel = plane % params.channels;
    let top = kernel_row(channel * 9u) * shares;
    let middle = kernel_row(channel * 9u + 3u) * shares;
    let bottom = kernel_row(channel * 9u + 6u) * shares;
    let shift = bias[channel];
    var at = (plane * params.height + first) * params.width + column;
    var row = first * params.stride;
    if (params.stride == 1u) {
        // outputs that have seen one row and two
        var one = 0.0;
        var two = 0.0;
        for (var step = first; step < end + 2u; step++) {
            let seen = values(plane, row, columns);
            row++;
            let sum = two + dot(bottom, seen);
            two = one + dot(middle, seen);
            one = dot(top, seen);
            if (step >= first + 2u) {
                output[at] = activated(sum + shift, params.activation);
                at += params.width;
            }
        }
        return;
    }
    var two = 0.0;
    for (var step = first; step <= end; step++) {
        let even = values(plane, row, columns);
        let odd = values(plane, row + 1u, columns);
        row += 2u;
        if (step > first) {
            output[at] = activated(two + dot(bottom, even) + shift, params.activation);
            at += params.width;
        }
        two = dot(top, even) + dot(middle, odd);
    }
}
