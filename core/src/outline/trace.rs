//! Walks along the edges between a region's pixels and all others.

use super::Ring;
use crate::regions::Regions;

/// The rings of all regions, each with the index of its region; of a region the exterior comes first, then its holes.
///
/// A walk has its region on the right hand, seen on a screen (y downwards). Every ring has an edge that leads to the
/// right: the upper edge of a pixel. Such edges are taken as starts row by row, and what a walk has passed is no start
/// any more. A region's first start is at its first pixel and so on the exterior.
pub(super) fn rings(regions: &Regions) -> Vec<(usize, Ring)> {
    let Regions { stride, number, .. } = regions;
    let mut passed = vec![false; number.len()];
    let mut rings = Vec::new();
    let mut corners = Ring::new();
    for pixel in *stride..number.len() {
        let region = number[pixel];
        if region != 0 && number[pixel - stride] != region && !passed[pixel] {
            walk(number, *stride, pixel, &mut passed, &mut corners);
            rings.push((region as usize - 1, corners.clone()));
        }
    }
    rings
}

/// One ring, from the upper left corner of the pixel `start`.
///
/// A corner has the index of the pixel to its lower right. At `start` the ring turns: had it come straight along the
/// row, the edge before would have been the start.
fn walk(number: &[u32], stride: usize, start: usize, passed: &mut [bool], corners: &mut Ring) {
    // the directions right, down, left, up: the way to the next corner, and from a corner to the pixel ahead on the
    // left hand; the one ahead on the right hand is that of the next direction
    let down = stride as isize;
    let step = [1, down, -1, -down];
    let ahead = [-down, 0, -1, -1 - down];
    let region = number[start];
    let inside = |corner: usize, direction: usize| number[corner.wrapping_add_signed(ahead[direction % 4])] == region;

    let mut point = [(start % stride - 1) as u32, (start / stride - 1) as u32];
    corners.clear();
    corners.push(point);
    let (mut corner, mut direction, mut length) = (start, 0, 0);
    loop {
        if direction == 0 {
            passed[corner] = true;
        }
        corner = corner.wrapping_add_signed(step[direction]);
        length += 1;
        // Where two pixels of the region meet in a corner alone, the left turn parts the ring: what lies between them
        // becomes a hole of its own, and no ring passes a corner twice.
        let turned = if inside(corner, direction) {
            (direction + 3) % 4
        } else if inside(corner, direction + 1) {
            continue;
        } else {
            (direction + 1) % 4
        };
        let [x, y] = &mut point;
        match direction {
            0 => *x += length,
            1 => *y += length,
            2 => *x -= length,
            _ => *y -= length,
        }
        corners.push(point);
        if corner == start {
            return;
        }
        (direction, length) = (turned, 0);
    }
}
