//! Outlines with fewer corners that stay valid.

use std::collections::{HashMap, HashSet};

use super::Points;

/// How often a tolerance is halved before an outline is left as it is.
const TRIES: usize = 5;
/// Whole numbers in a pixel: coordinates are rounded to 0.01, so that tests on them are exact.
const UNIT: f64 = 100.0;

type Point = [i64; 2];

/// A polygon (outer ring, then holes; coordinates rounded to 0.01) with corners left out that lie within `tolerance` of
/// the line between those that stay (Douglas & Peucker 1973).
///
/// Corners where rings touch stay. If rings would meet elsewhere, or a hole leave its place, it is tried with half the
/// tolerance, and at last left as it is: what was valid stays valid.
#[must_use]
pub fn simplified(rings: &[Points], tolerance: f64) -> Vec<Points> {
    let whole = |point: &[f64; 2]| point.map(|value| (value * UNIT).round() as i64);
    let exact: Vec<Vec<Point>> =
        rings.iter().map(|ring| ring.iter().take(ring.len().saturating_sub(1)).map(whole).collect()).collect();
    let mut seen = HashSet::new();
    let shared: HashSet<Point> = exact.iter().flatten().copied().filter(|point| !seen.insert(*point)).collect();
    let mut tolerance = tolerance * UNIT;
    for _ in 0..TRIES {
        let fewer: Vec<Vec<Point>> = exact.iter().map(|ring| thinned(ring, &shared, tolerance)).collect();
        let alike = |(old, new): (&Vec<Point>, &Vec<Point>)| new.len() >= 3 && area(old).signum() == area(new).signum();
        if exact.iter().zip(&fewer).all(alike) && is_simple(&fewer) && holes_in_place(&fewer, &shared) {
            let point = |point: &Point| point.map(|value| value as f64 / UNIT);
            return fewer.iter().map(|ring| ring.iter().chain(ring.first()).map(point).collect()).collect();
        }
        tolerance /= 2.0;
    }
    rings.to_vec()
}

/// The corners of an open ring that stay.
fn thinned(ring: &[Point], shared: &HashSet<Point>, tolerance: f64) -> Vec<Point> {
    let Some(&first) = ring.first() else { return Vec::new() };
    let far = |point: &Point| (point[0] - first[0]).pow(2) + (point[1] - first[1]).pow(2);
    let furthest = (0..ring.len()).max_by_key(|&at| far(&ring[at])).unwrap_or(0);
    let mut stays: Vec<bool> = ring.iter().map(|point| shared.contains(point)).collect();
    (stays[0], stays[furthest]) = (true, true);
    let anchors: Vec<usize> = (0..ring.len()).filter(|&at| stays[at]).collect();
    let ends = anchors.iter().skip(1).copied().chain([ring.len()]);
    let mut open: Vec<(usize, usize)> = anchors.iter().copied().zip(ends).collect();
    while let Some((from, to)) = open.pop() {
        let (a, b) = (ring[from], ring[to % ring.len()]);
        let worst = (from + 1..to).map(|at| (distance(ring[at], a, b), at)).max_by(|x, y| x.0.total_cmp(&y.0));
        if let Some((off, at)) = worst.filter(|(off, _)| *off > tolerance) {
            debug_assert!(off.is_finite());
            stays[at] = true;
            open.extend([(from, at), (at, to)]);
        }
    }
    ring.iter().zip(stays).filter(|(_, stays)| *stays).map(|(point, _)| *point).collect()
}

/// From a point to the segment between two.
fn distance(point: Point, a: Point, b: Point) -> f64 {
    let [px, py, ax, ay, bx, by] = [point[0], point[1], a[0], a[1], b[0], b[1]].map(|value| value as f64);
    let length = (bx - ax).powi(2) + (by - ay).powi(2);
    let along =
        if length > 0.0 { (((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length).clamp(0.0, 1.0) } else { 0.0 };
    (px - ax - along * (bx - ax)).hypot(py - ay - along * (by - ay))
}

/// Twice the area of an open ring.
fn area(ring: &[Point]) -> i128 {
    edges(ring).map(|[a, b]| i128::from(a[0]) * i128::from(b[1]) - i128::from(b[0]) * i128::from(a[1])).sum()
}

fn edges(ring: &[Point]) -> impl Iterator<Item = [Point; 2]> {
    ring.iter().copied().zip(ring.iter().copied().skip(1).chain(ring.first().copied())).map(|(a, b)| [a, b])
}

/// Whether edges meet in common corners alone.
fn is_simple(rings: &[Vec<Point>]) -> bool {
    let all: Vec<[Point; 2]> = rings.iter().flat_map(|ring| edges(ring)).collect();
    let length: i64 = all.iter().map(|[a, b]| (a[0] - b[0]).abs().max((a[1] - b[1]).abs())).sum();
    let cell = (2 * length / all.len().max(1) as i64).max(1);
    let mut cells: HashMap<[i64; 2], Vec<usize>> = HashMap::new();
    for (index, [a, b]) in all.iter().enumerate() {
        let [columns, rows] =
            [0, 1].map(|axis| a[axis].min(b[axis]).div_euclid(cell)..=a[axis].max(b[axis]).div_euclid(cell));
        for row in rows {
            for column in columns.clone() {
                let others = cells.entry([column, row]).or_default();
                if others.iter().any(|&other| meet(all[index], all[other])) {
                    return false;
                }
                others.push(index);
            }
        }
    }
    true
}

/// Whether two edges meet elsewhere than in a common end.
fn meet([a, b]: [Point; 2], [c, d]: [Point; 2]) -> bool {
    let side = |a: Point, b: Point, p: Point| {
        let [x, y] = [0, 1].map(|axis| i128::from(b[axis] - a[axis]));
        (x * i128::from(p[1] - a[1]) - y * i128::from(p[0] - a[0])).signum()
    };
    let common = [a, b].iter().filter(|end| [c, d].contains(end)).count();
    if common == 2 {
        return true;
    }
    if common == 1 {
        let (shared, one) = if a == c || a == d { (a, b) } else { (b, a) };
        let other = if c == shared { d } else { c };
        // on one line and on the same side of the common end
        let [x, y] = [0, 1].map(|axis| i128::from(one[axis] - shared[axis]) * i128::from(other[axis] - shared[axis]));
        return side(shared, one, other) == 0 && x + y > 0;
    }
    let on = |a: Point, b: Point, p: Point| {
        side(a, b, p) == 0 && (0..2).all(|axis| (a[axis].min(b[axis])..=a[axis].max(b[axis])).contains(&p[axis]))
    };
    let crosses = side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
    crosses || on(a, b, c) || on(a, b, d) || on(c, d, a) || on(c, d, b)
}

/// Whether each hole lies in the outer ring and in no other hole, where rings do not cross.
fn holes_in_place(rings: &[Vec<Point>], shared: &HashSet<Point>) -> bool {
    let boxes: Vec<[Point; 2]> = rings.iter().map(|ring| bounds(ring)).collect();
    (1..rings.len()).all(|hole| {
        // a corner that is no other ring's; a hole of common corners alone has not changed
        let Some(&point) = rings[hole].iter().find(|point| !shared.contains(*point)) else { return true };
        let holds = |ring: usize| {
            let [low, high] = boxes[ring];
            (0..2).all(|axis| (low[axis]..=high[axis]).contains(&point[axis])) && inside(&rings[ring], point)
        };
        holds(0) && (1..rings.len()).all(|other| other == hole || !holds(other))
    })
}

fn bounds(ring: &[Point]) -> [Point; 2] {
    ring.iter().fold([[i64::MAX; 2], [i64::MIN; 2]], |[low, high], point| {
        [[low[0].min(point[0]), low[1].min(point[1])], [high[0].max(point[0]), high[1].max(point[1])]]
    })
}

fn inside(ring: &[Point], [x, y]: Point) -> bool {
    edges(ring).fold(false, |inside, [a, b]| {
        let crossed = (a[1] > y) != (b[1] > y) && {
            let (dx, dy) = (i128::from(b[0] - a[0]), i128::from(b[1] - a[1]));
            let (left, right) = (i128::from(x - a[0]) * dy, dx * i128::from(y - a[1]));
            if dy > 0 { left < right } else { left > right }
        };
        inside ^ crossed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(points: &[[f64; 2]]) -> Points {
        points.iter().copied().chain(points.first().copied()).collect()
    }

    #[test]
    fn stairs_become_lines_and_nothing_crosses() {
        let stairs = ring(&[[0.0, 0.0], [9.0, 0.0], [9.0, 1.0], [10.0, 1.0], [10.0, 10.0], [0.0, 10.0]]);
        let fewer = simplified(std::slice::from_ref(&stairs), 1.0);
        assert!(fewer[0].len() < stairs.len() && fewer[0].first() == fewer[0].last(), "{fewer:?}");
        // a hole in a corner that would be cut off stays inside
        let corner = ring(&[[0.0, 0.0], [20.0, 0.0], [20.0, 17.0], [18.0, 17.0], [18.0, 20.0], [0.0, 20.0]]);
        let hole = ring(&[[17.0, 18.0], [17.5, 18.0], [17.5, 19.5], [17.0, 19.5]]);
        let kept = simplified(&[corner, hole], 3.0);
        let exact: Vec<Vec<Point>> = kept
            .iter()
            .map(|ring| ring.iter().skip(1).map(|point| point.map(|value| (value * UNIT).round() as i64)).collect())
            .collect();
        assert!(is_simple(&exact) && holes_in_place(&exact, &HashSet::new()), "{kept:?}");
    }
}
