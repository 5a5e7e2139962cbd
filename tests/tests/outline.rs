//! Masks as polygons and back, and the GeoJSON made of them.
#![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::collections::BTreeSet;

use histomask_core::outline::{
    Outliner, Points, Polygon, Ring, Shapes, geojson, geojson_scaled, outlines, rasterise, simplified,
};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// `#` is foreground; rows of one width.
fn drawn(rows: &[&str]) -> (Vec<f32>, usize, usize) {
    let mask = rows.iter().flat_map(|row| row.bytes().map(|pixel| if pixel == b'#' { 0.75 } else { 0.25 })).collect();
    (mask, rows[0].len(), rows.len())
}

/// Σ xᵢ yᵢ₊₁ − xᵢ₊₁ yᵢ over a ring, half of it: the area inside, negative for a ring that runs the other way.
fn area(ring: &Ring) -> i64 {
    let corners: Vec<[i64; 2]> = ring.iter().map(|corner| corner.map(i64::from)).collect();
    corners.windows(2).map(|pair| pair[0][0] * pair[1][1] - pair[1][0] * pair[0][1]).sum::<i64>() / 2
}

/// The number of 4-connected regions, by filling one after the other.
fn regions(mask: &[bool], width: usize) -> usize {
    let mut left: BTreeSet<usize> = (0..mask.len()).filter(|&pixel| mask[pixel]).collect();
    let mut count = 0;
    while let Some(first) = left.pop_first() {
        count += 1;
        let mut open = vec![first];
        while let Some(pixel) = open.pop() {
            let (x, above) = (pixel % width, pixel.wrapping_sub(width));
            let beside = [(x > 0).then(|| pixel - 1), (x + 1 < width).then_some(pixel + 1)];
            open.extend(beside.into_iter().flatten().chain([above, pixel + width]).filter(|next| left.remove(next)));
        }
    }
    count
}

/// What must hold of the outlines of any mask.
fn check(mask: &[f32], width: usize, height: usize, threshold: f32) -> Vec<Polygon> {
    let foreground: Vec<bool> = mask.iter().map(|&value| value >= threshold).collect();
    let polygons = outlines(mask, width, height, threshold);
    assert_eq!(rasterise(&polygons, width, height), foreground, "{polygons:?}");
    assert_eq!(polygons.len(), regions(&foreground, width), "one polygon a region");
    for polygon in &polygons {
        let holes = &polygon.holes;
        assert!(area(&polygon.exterior) > 0 && holes.iter().all(|hole| area(hole) < 0), "right-handed: {polygon:?}");
        for ring in std::iter::once(&polygon.exterior).chain(holes) {
            let corners: BTreeSet<_> = ring.iter().collect();
            assert_eq!(
                (ring.first(), corners.len()),
                (ring.last(), ring.len() - 1),
                "closed, no corner twice: {ring:?}"
            );
            let again = [ring[0], ring[1]];
            let level: Vec<bool> = ring.windows(2).chain([again.as_slice()]).map(|e| e[0][1] == e[1][1]).collect();
            assert!(level.windows(2).all(|pair| pair[0] != pair[1]), "every corner is a turn: {ring:?}");
        }
        let own = rasterise(std::slice::from_ref(polygon), width, height);
        assert_eq!(regions(&own, width), 1, "connected: {polygon:?}");
        let values: Vec<f64> =
            own.iter().zip(mask).filter(|(inside, _)| **inside).map(|(_, &value)| value.into()).collect();
        assert_eq!(polygon.pixels as usize, values.len());
        assert_eq!(area(&polygon.exterior) + holes.iter().map(area).sum::<i64>(), values.len() as i64);
        assert!((polygon.mean - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-9, "{polygon:?}");
    }
    polygons
}

/// Polygons in an order of their own, each ring from its first corner row by row.
fn in_order(polygons: Vec<Polygon>) -> Vec<(Ring, Vec<Ring>, u64)> {
    let turned = |ring: &Ring| {
        let mut open = ring[1..].to_vec();
        let first = (0..open.len()).min_by_key(|&at| (open[at][1], open[at][0])).unwrap();
        open.rotate_left(first);
        open
    };
    let mut all: Vec<_> = polygons
        .iter()
        .map(|polygon| {
            let mut holes: Vec<Ring> = polygon.holes.iter().map(turned).collect();
            holes.sort();
            (turned(&polygon.exterior), holes, polygon.pixels)
        })
        .collect();
    all.sort();
    all
}

/// Whether edges meet in common corners alone, and holes lie in the outer ring and apart: each edge with each other one,
/// in hundredths of a pixel.
fn is_valid(rings: &[Points]) -> bool {
    type Point = [i64; 2];
    let exact: Vec<Vec<Point>> = rings
        .iter()
        .map(|ring| ring.iter().map(|point| point.map(|value| (value * 100.0).round() as i64)).collect())
        .collect();
    let edges: Vec<[Point; 2]> = exact.iter().flat_map(|ring| ring.windows(2).map(|pair| [pair[0], pair[1]])).collect();
    let side = |a: Point, b: Point, p: Point| ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])).signum();
    let on = |[a, b]: [Point; 2], p: Point| {
        side(a, b, p) == 0 && (0..2).all(|axis| (a[axis].min(b[axis])..=a[axis].max(b[axis])).contains(&p[axis]))
    };
    for (index, &[a, b]) in edges.iter().enumerate() {
        for &[c, d] in &edges[index + 1..] {
            let crosses = side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
            let touch = |edge: [Point; 2], p: Point| on(edge, p) && !edge.contains(&p);
            let same = [a, b] == [c, d] || [a, b] == [d, c];
            if crosses || same || touch([a, b], c) || touch([a, b], d) || touch([c, d], a) || touch([c, d], b) {
                return false;
            }
        }
    }
    // where nothing crosses, twice the areas tell: holes lie inside and apart if what is left is what the rings surround
    let inside = |ring: &[Point], [x, y]: [f64; 2]| {
        ring.windows(2).fold(false, |inside, pair| {
            let [[ax, ay], [bx, by]] = [pair[0], pair[1]].map(|point| point.map(|value| value as f64));
            inside ^ ((ay > y) != (by > y) && x < ax + (bx - ax) * (y - ay) / (by - ay))
        })
    };
    exact[1..].iter().enumerate().all(|(hole, ring)| {
        // a point just inside of the hole, beside the middle of its first edge
        let [a, b] = [ring[0], ring[1]].map(|point| point.map(|value| value as f64));
        let length = (b[0] - a[0]).hypot(b[1] - a[1]);
        let normal = [(b[1] - a[1]) / length * 1e-3, -(b[0] - a[0]) / length * 1e-3];
        let middle = [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
        let beside = [[middle[0] + normal[0], middle[1] + normal[1]], [middle[0] - normal[0], middle[1] - normal[1]]];
        let point = if inside(ring, beside[0]) { beside[0] } else { beside[1] };
        let holds = |other: &Vec<Point>| inside(other, point);
        holds(&exact[0]) && exact[1..].iter().enumerate().all(|(other, ring)| other == hole || !holds(ring))
    })
}

/// How far the corners of `old` that `new` leaves out lie from the edges that stand for them, at most.
fn furthest_left_out(old: &Points, new: &Points) -> f64 {
    let mut worst: f64 = 0.0;
    let mut left = old.iter();
    assert_eq!(left.next(), new.first(), "another first corner");
    for edge in new.windows(2) {
        let [a, b] = [edge[0], edge[1]];
        let between: Vec<_> = left.by_ref().take_while(|point| **point != b).collect();
        for point in between {
            let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
            let along = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / (dx * dx + dy * dy);
            let along = along.clamp(0.0, 1.0);
            worst = worst.max((point[0] - a[0] - along * dx).hypot(point[1] - a[1] - along * dy));
        }
    }
    assert_eq!(left.next(), None, "corners behind the last one");
    worst
}

proptest! {
    #[test]
    fn simplified_outlines_stay_valid(
        (width, mask) in (4..24_usize, 4..24_usize).prop_flat_map(|(width, height)|
            vec(prop_oneof![3 => Just(1.0_f32), 2 => Just(0.0_f32)], width * height).prop_map(move |mask| (width, mask))),
        tolerance in 0.3..6.0_f64,
        scale in [0.7..3.0_f64, 0.7..3.0_f64],
    ) {
        for polygon in outlines(&mask, width, mask.len() / width, 0.5) {
            let exact = polygon.scaled(scale);
            prop_assert!(is_valid(&exact), "{:?}", exact);
            let fewer = simplified(&exact, tolerance);
            prop_assert_eq!(fewer.len(), exact.len());
            prop_assert!(is_valid(&fewer), "{:?} of {:?}", fewer, exact);
            for (new, old) in fewer.iter().zip(&exact) {
                prop_assert!(new.len() >= 4 && new.len() <= old.len() && new.first() == new.last());
                let off = furthest_left_out(old, new);
                prop_assert!(off <= tolerance + 1e-9, "{off} px off, in place of {tolerance}: {new:?} of {old:?}");
            }
        }
    }

    #[test]
    fn rows_one_by_one_give_the_outlines_of_the_whole(
        (width, mask) in (1..24_usize, 1..24_usize).prop_flat_map(|(width, height)|
            vec(any::<u8>(), width * height).prop_map(move |mask| (width, mask))),
        threshold in prop_oneof![Just(128_u8), 30..220_u8],
    ) {
        let soft: Vec<f32> = mask.iter().map(|&value| f32::from(value)).collect();
        let whole = outlines(&soft, width, mask.len() / width, threshold.into());
        let means: Vec<f64> = whole.iter().map(|polygon| polygon.mean / 255.0).collect();
        let mut outliner = Outliner::new(width, threshold);
        let mut streamed: Vec<Polygon> = mask.chunks(width).flat_map(|row| outliner.push(row)).collect();
        streamed.extend(outliner.finish());
        let mut found: Vec<f64> = streamed.iter().map(|polygon| polygon.mean).collect();
        found.sort_by(f64::total_cmp);
        let mut means = means;
        means.sort_by(f64::total_cmp);
        prop_assert!(found.iter().zip(&means).all(|(a, b)| (a - b).abs() < 1e-9));
        for ring in streamed.iter().flat_map(|polygon| std::iter::once(&polygon.exterior).chain(&polygon.holes)) {
            let corners: BTreeSet<_> = ring.iter().collect();
            prop_assert_eq!((ring.first(), corners.len()), (ring.last(), ring.len() - 1));
        }
        prop_assert_eq!(in_order(streamed), in_order(whole));
    }

    #[test]
    fn geojson_of_any_scale_gives_the_mask_back(
        (width, mask) in (1..24_usize, 1..24_usize).prop_flat_map(|(width, height)|
            vec(0.0..1.0_f32, width * height).prop_map(move |mask| (width, mask))),
        scale in [0.05..40.0_f64, 0.05..40.0_f64],
    ) {
        let height = mask.len() / width;
        let foreground: Vec<bool> = mask.iter().map(|&value| value >= 0.5).collect();
        let text = geojson_scaled(&mask, width, height, 0.5, "gland", scale);
        prop_assert_eq!(Shapes::from_geojson(&text).unwrap().mask(width, height, scale), &foreground[..]);
        let plain = Shapes::from_geojson(&geojson(&mask, width, height, 0.5, "gland")).unwrap();
        prop_assert_eq!(plain.mask(width, height, [1.0; 2]), foreground);
    }

    #[test]
    fn rasterised_outlines_are_the_mask(
        (width, mask) in (1..24_usize, 1..24_usize).prop_flat_map(|(width, height)|
            vec(0.0..1.0_f32, width * height).prop_map(move |mask| (width, mask))),
        threshold in prop_oneof![Just(0.5_f32), 0.1..0.9_f32],
    ) {
        check(&mask, width, mask.len() / width, threshold);
    }

    #[test]
    fn a_mask_of_any_length_is_outlined(mask in vec(0.0..1.0_f32, 0..40), width in 0..9_usize, height in 0..9_usize) {
        let mut whole: Vec<bool> = mask.iter().map(|&value| value >= 0.5).collect();
        whole.resize(width * height, false);
        prop_assert_eq!(rasterise(&outlines(&mask, width, height, 0.5), width, height), whole);
    }
}

#[test]
fn plain_shapes_have_the_rings_one_would_draw() {
    let (mask, width, height) = drawn(&["#"]);
    let polygons = check(&mask, width, height, 0.5);
    assert_eq!(polygons[0].exterior, [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]);

    let full = check(&[1.0; 12], 4, 3, 0.5);
    assert_eq!(full[0].exterior, [[0, 0], [4, 0], [4, 3], [0, 3], [0, 0]]);
    assert!(check(&[0.0; 12], 4, 3, 0.5).is_empty());
    assert!(check(&[f32::NAN; 12], 4, 3, 0.5).is_empty());
    assert_eq!(check(&[0.5; 12], 4, 3, 0.5).len(), 1, "the threshold itself is foreground");
    assert_eq!(check(&[0.0; 12], 4, 3, 0.0).len(), 1);
}

#[test]
fn pixels_that_meet_in_a_corner_are_apart_and_holes_may_touch() {
    let board: Vec<f32> = (0..49).map(|pixel| (pixel % 2) as f32).collect();
    assert_eq!(check(&board, 7, 7, 0.5).len(), 24);

    // the hole touches the exterior in (2, 2): two rings that meet there, not one that crosses itself
    let (mask, width, height) = drawn(&["###", "#.#", "##."]);
    let polygons = check(&mask, width, height, 0.5);
    assert_eq!(polygons[0].holes, [[[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]]]);
    assert!(polygons[0].exterior.contains(&[2, 2]), "{polygons:?}");

    let (mask, width, height) = drawn(&["####", "#.##", "##.#", "####"]);
    assert_eq!(check(&mask, width, height, 0.5)[0].holes.len(), 2);
}

#[test]
fn nested_regions_each_keep_their_own_holes() {
    let (mask, width, height) = drawn(&[
        "#######.", "#.....#.", "#.###.#.", "#.#.#.#.", "#.###.#.", "#.....#.", "#######.", "........", "......##",
    ]);
    let polygons = check(&mask, width, height, 0.5);
    let shape: Vec<_> = polygons.iter().map(|polygon| (polygon.pixels, polygon.holes.len())).collect();
    assert_eq!(shape, [(24, 1), (8, 1), (2, 0)]);
    assert_eq!(area(&polygons[0].holes[0]), -25);
}

#[test]
fn geojson_is_what_qupath_reads() {
    let (mask, width, height) = drawn(&["###.", "#.#.", "###.", "...#"]);
    let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
    let collection = read(geojson(&mask, width, height, 0.5, "gland \"A\"\n"));
    assert_eq!(collection["type"], "FeatureCollection");
    let features = collection["features"].as_array().unwrap();
    assert_eq!(features.len(), 2);
    let color = features[0]["properties"]["classification"]["color"].clone();
    let channels: Vec<u64> = color.as_array().unwrap().iter().map(|channel| channel.as_u64().unwrap()).collect();
    assert!(channels.len() == 3 && channels.iter().all(|&channel| channel < 256), "{color}");
    assert_eq!(
        features[0],
        json!({
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]],
                    [[1, 2], [2, 2], [2, 1], [1, 1], [1, 2]],
                ],
            },
            "properties": {
                "objectType": "annotation",
                "classification": { "name": "gland \"A\"\n", "color": color },
                "measurements": { "Mask area px^2": 8, "Mask mean": 0.75 },
            },
        })
    );
    assert_eq!(
        read(geojson(&[0.0; 4], 2, 2, 0.5, "x")),
        json!({ "type": "FeatureCollection", "features": [] }),
        "without foreground the collection is empty"
    );
    let class = |name| read(geojson(&[1.0], 1, 1, 0.5, name))["features"][0]["properties"]["classification"].clone();
    assert_ne!(class("benign")["color"], class("malignant")["color"]);
}
