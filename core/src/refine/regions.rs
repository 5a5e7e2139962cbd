//! Binary pictures: opening and closing by a square, holes.

use std::collections::VecDeque;

use super::optical_density::transposed;

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
    for row in picture.chunks_exact(width.max(1)) {
        let mut before = vec![0usize; width + 1];
        for (x, &set) in row.iter().enumerate() {
            before[x + 1] = before[x] + usize::from(set);
        }
        result.extend((0..width).map(|x| {
            let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            rule(before[to] - before[from], to - from)
        }));
    }
    result
}

/// Sets every unset region of at most `largest` pixels that does not touch the border; regions are joined by edges.
pub(super) fn fill_holes(mut picture: Vec<bool>, size: [usize; 2], largest: usize) -> Vec<bool> {
    for (region, at_border) in regions(&picture, size, false) {
        if !at_border && region.len() <= largest {
            region.into_iter().for_each(|pixel| picture[pixel] = true);
        }
    }
    picture
}

/// The regions of pixels that are `set`, joined by edges, and whether each touches the border.
pub(super) fn regions(picture: &[bool], [height, width]: [usize; 2], set: bool) -> Vec<(Vec<usize>, bool)> {
    let mut seen: Vec<bool> = picture.iter().map(|&pixel| pixel != set).collect();
    let mut found = Vec::new();
    for start in 0..picture.len() {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let (mut region, mut queue, mut at_border) = (vec![start], VecDeque::from([start]), false);
        while let Some(pixel) = queue.pop_front() {
            let (y, x) = (pixel / width, pixel % width);
            at_border |= y == 0 || x == 0 || y + 1 == height || x + 1 == width;
            let neighbours = [
                (y > 0).then(|| pixel - width),
                (y + 1 < height).then(|| pixel + width),
                (x > 0).then(|| pixel - 1),
                (x + 1 < width).then(|| pixel + 1),
            ];
            for next in neighbours.into_iter().flatten() {
                if !std::mem::replace(&mut seen[next], true) {
                    region.push(next);
                    queue.push_back(next);
                }
            }
        }
        found.push((region, at_border));
    }
    found
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
