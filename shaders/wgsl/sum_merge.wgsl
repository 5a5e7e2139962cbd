// Sums of the chunks' partial sums.
//
// partial [B, chunks, columns], sums: column c of a sample at sample * stride + offset + c; the rest stays as it is.
// One workgroup a sum: x the column, y the sample; with `whole_batch` each adds the samples up too.

#import pairwise

struct Params {
    /// B, images in the batch.
    batch: u32,
    /// Chunks of a sample.
    chunks: u32,
    /// Sums of a sample.
    columns: u32,
    /// 1 if every sample gets the sum over all samples, else 0.
    whole_batch: u32,
    /// From a sample's sums to the next one's.
    stride: u32,
    /// Of the first column within a sample's stride.
    offset: u32,
}

@group(0) @binding(0) var<storage, read_write> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<storage, read_write> params: Params;

var<workgroup> slots: array<f32, 256>;

@compute @workgroup_size(256, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let inside = group.x < params.columns && group.y < params.batch;
    var begin = group.y * params.chunks;
    var end = begin + params.chunks;
    if (params.whole_batch != 0u) {
        begin = 0u;
        end = params.batch * params.chunks;
    }
    if (!inside) {
        end = begin;
    }
    var count = 0u;
    for (var chunk = begin + index; chunk < end; chunk += 256u) {
        add(count, partial[chunk * params.columns + group.x]);
        count++;
    }
    slots[index] = total(count);
    workgroupBarrier();
    for (var half = 128u; half > 0u; half >>= 1u) {
        if (index < half) {
            slots[index] += slots[index + half];
        }
        workgroupBarrier();
    }
    if (index == 0u && inside) {
        sums[group.y * params.stride + params.offset + group.x] = slots[0];
    }
}
