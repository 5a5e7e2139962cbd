//! Binary pictures: opening and closing by a square, holes.

use super::optical_density::transposed;
use crate::regions::Regions;

/// Closing by a square of `2 radius + 1`: gaps narrower than that are filled. Outside the picture nothing is set.
pub(super) fn close(picture: &[bool], size: [usize; 2], radius: usize) -> Vec<bool> {
    let grown = window(picture, size, radius, |set, _| set > 0);
    // outside, the complement is set no more than the picture is, so that the border does not shrink
    window(&grown, size, radius, |set, inside| set == inside)
}

/// Opening by a square of `2 radius + 1`: what remains are the places of squares that are wholly set; outside, the
/// border's values go on.
pub(super) fn open(picture: &[bool], size: [usize; 2], radius: usize) -> Vec<bool> {
    let shrunk = window(picture, size, radius, |set, inside| set == inside);
    window(&shrunk, size, radius, |set, _| set > 0)
}

/// Decides each pixel by how many pixels of a square around it are set and how many lie inside the picture, one axis
/// after the other.
fn window(picture: &[bool], size: [usize; 2], radius: usize, rule: fn(usize, usize) -> bool) -> Vec<bool> {
    let rows = window_rows(picture, size[1], radius, rule);
    let turned = [size[1], size[0]];
    transposed(&window_rows(&transposed(&rows, size), size[0], radius, rule), turned)
}

fn window_rows(picture: &[bool], width: usize, radius: usize, rule: fn(usize, usize) -> bool) -> Vec<bool> {
    let mut result = Vec::with_capacity(picture.len());
    let mut before = vec![0; width + 1];
    for row in picture.chunks_exact(width.max(1)) {
        let mut count = 0;
        for (before, &set) in before.iter_mut().skip(1).zip(row) {
            count += usize::from(set);
            *before = count;
        }
        result.extend((0..width).map(|x| {
            let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            rule(before[to] - before[from], to - from)
        }));
    }
    result
}

/// Sets every unset region of at most `largest` pixels that does not touch the border; regions are joined by edges.
pub(super) fn fill_holes(mut picture: Vec<bool>, [height, width]: [usize; 2], largest: usize) -> Vec<bool> {
    let holes = Regions::of(&picture, width, height, |set: bool| !set);
    holes.visit(|hole| !hole.at_edge && hole.pixels <= largest, |pixel| picture[pixel] = true);
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> (Vec<bool>, [usize; 2]) {
        (rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#')).collect(), [rows.len(), rows[0].len()])
    }

    #[test]
    fn holes_are_filled_by_size_and_never_at_the_border() {
        let (before, size) = picture(&["#####.", "#.#.#.", "###.#.", "#####.", "#.####"]);
        let (small, _) = picture(&["#####.", "###.#.", "###.#.", "#####.", "#.####"]);
        let (all, _) = picture(&["#####.", "#####.", "#####.", "#####.", "#.####"]);
        assert_eq!(fill_holes(before.clone(), size, 1), small);
        assert_eq!(fill_holes(before, size, 2), all);
    }

    #[test]
    fn opening_keeps_squares_and_closing_fills_gaps() {
        let (before, size) = picture(&[".......", ".###..#", ".###...", ".####..", "......."]);
        let (opened, _) = picture(&[".......", ".###...", ".###...", ".###...", "......."]);
        assert_eq!(open(&before, size, 1), opened);
        let (gap, size) = picture(&["##.##", "##.##", "....."]);
        let (closed, _) = picture(&["#####", "#####", "....."]);
        let found = close(&gap, size, 1);
        assert_eq!(found[..10], closed[..10]);
    }
}
