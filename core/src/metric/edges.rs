/// The last of the edges `0..=last` that is reached, as they ascend and the first always is. `near` was computed by a
/// product that may have been rounded across an edge.
pub(super) fn last_reached(near: usize, last: usize, reached: impl Fn(usize) -> bool) -> usize {
    if near > 0 && !reached(near) {
        near - 1
    } else if near < last && reached(near + 1) {
        near + 1
    } else {
        near
    }
}
