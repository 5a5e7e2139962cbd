// First pixel of the workgroup's chunk and the one after its last; none outside the dispatch.
fn bounds(group: vec3<u32>, pixels: u32) -> vec2<u32> {
    let size = (pixels + params.chunks - 1u) / params.chunks;
    let begin = min(group.x * size, pixels);
    let inside = group.x < params.chunks && group.y < params.batch;
    return vec2(begin, select(begin, min(begin + size, pixels), inside));
}
