// Depthwise 5×5 convolution: every channel is filtered by a kernel of its own; with bias and activation.
//
// x [B, C, h, w], weight [C, 25], bias [C], output [B, C, H, W].
// One invocation `rows` outputs of one column, from the top down. It reads each row of the input once and adds it to
// all the outputs that see it; one that has seen all its rows is written.

#import depthwise_params
#import activated

// Five values of a row, or a row of the kernel.
struct Five {
    first: vec4<f32>,
    last: f32,
}

fn dot_five(a: Five, b: Five) -> f32 {
    return dot(a.first, b.first) + a.last * b.last;
}

// What the kernel sees of a row counted from the first of padding.
fn five_values(plane: u32, row: u32, columns: vec4<u32>, last: u32) -> Five {
    if (row < params.pad_top || row >= params.pad_top + params.in_height) {
        return Five(vec4<f32>(0.0), 0.0);
    }
    let at = (plane * params.in_height + row - params.pad_top) * params.in_width;
    let first = vec4<f32>(x[at + columns.x], x[at + columns.y], x[at + columns.z], x[at + columns.w]);
    return Five(first, x[at + last]);
}

fn five_weights(at: u32, shares: vec4<f32>, share: f32) -> Five {
    let first = vec4<f32>(weight[at], weight[at + 1u], weight[at + 2u], weight[at + 3u]);
    return Five(first * shares, weight[at + 4u] * share);
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
    let columns = vec4<u32>(column_at(left), column_at(left + 1u), column_at(left + 2u), column_at(left + 3u));
    let last = column_at(left + 4u);
    // weights of zero keep the padding out
    let shares =
        vec4<f32>(column_share(left), column_share(left + 1u), column_share(left + 2u), column_share(left + 3u));
    let share = column_share(left + 4u);
    let channel = plane % params.channels;
    let row_0 = five_weights(channel * 25u, shares, share);
    let row_1 = five_weights(channel * 25u + 5u, shares, share);
    let row_2 = five_weights(channel * 25u + 10u, shares, share);
    let row_3 = five_weights(channel * 25u + 15u, shares, share);
    let row_4 = five_weights(channel * 25u + 20u, shares, share);
    let shift = bias[channel];
    var at = (plane * params.height + first) * params.width + column;
    var row = first * params.stride;
    // outputs that have seen one row (or, two rows apart, one pair), two, three, four
    var one = 0.0;
    var two = 0.0;
    var three = 0.0;
    var four = 0.0;
    if (params.stride == 1u) {
        for (var step = first; step < end + 4u; step++) {
            let seen = five_values(plane, row, columns, last);
            row++;
            if (step >= first + 4u) {
                output[at] = activated(four + dot_five(row_4, seen) + shift, params.activation);
                at += params.width;
            }
            four = three + dot_five(row_3, seen);
            three = two + dot_five(row_2, seen);
            two = one + dot_five(row_1, seen);
            one = dot_five(row_0, seen);
        }
        return;
    }
    for (var step = first; step < end + 2u; step++) {
        let even = five_values(plane, row, columns, last);
        let odd = five_values(plane, row + 1u, columns, last);
        row += 2u;
        if (step >= first + 2u) {
            output[at] = activated(two + dot_five(row_4, even) + shift, params.activation);
            at += params.width;
        }
        two = one + dot_five(row_2, even) + dot_five(row_3, odd);
        one = dot_five(row_0, even) + dot_five(row_1, odd);
    }
}
