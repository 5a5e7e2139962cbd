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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_beside_the_edge_is_put_right() {
        const LAST: usize = 5;
        for edge in 0..=LAST {
            for near in edge.saturating_sub(1)..=LAST.min(edge + 1) {
                let reached = |k| {
                    assert!(k <= LAST, "there is no edge {k}");
                    k <= edge
                };
                assert_eq!(last_reached(near, LAST, reached), edge, "from {near}");
            }
        }
    }
}
