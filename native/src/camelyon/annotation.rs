//! Annotations as ASAP writes them: polygons in pixels of level 0, by group.

use std::collections::BTreeSet;
use std::path::Path;

use roxmltree::{Document, Node};

use super::CamelyonError;
use crate::data::DataError;

/// Groups that are tumour, in the order in which the published sampler takes them.
const POSITIVE: [&str; 3] = ["Tumor", "_0", "_1"];
/// The group that is cut out of the tumour.
const NEGATIVE: &str = "_2";
/// Pixels by which a vertex may leave the slide: drawn on its last pixel, rounded.
const SLACK: f64 = 1.0;

/// Vertices `[x, y]` in pixels of level 0, rounded.
pub(super) type Polygon = Vec<[i64; 2]>;

/// The polygons of a slide.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Annotation {
    /// Tumour.
    pub(super) positive: Vec<Polygon>,
    /// What is no tumour inside it.
    pub(super) negative: Vec<Polygon>,
    /// What was passed over, as sentences.
    pub(super) notes: Vec<String>,
}

/// Reads the annotation of a slide of `size` pixels.
///
/// # Errors
/// [`CamelyonError`]: cannot be read, is no annotation, marks no tumour, or leaves the slide.
pub(super) fn read(path: &Path, size: [u32; 2]) -> Result<Annotation, CamelyonError> {
    let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| CamelyonError::annotation(path, "not UTF-8; it is no annotation of ASAP, or damaged"))?;
    parse(&text, size).map_err(|reason| CamelyonError::annotation(path, reason))
}

fn parse(text: &str, size: [u32; 2]) -> Result<Annotation, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = Document::parse(text).map_err(|error| format!("no well-formed XML ({error}); get it again"))?;
    let root = document.root_element();
    let all: Vec<_> = children(root, "Annotations").flat_map(|list| children(list, "Annotation")).collect();
    if all.is_empty() {
        return Err(format!("`{}` without Annotations/Annotation: no annotation of ASAP", root.tag_name().name()));
    }
    let (mut annotation, mut others) = (Annotation::default(), BTreeSet::new());
    let mut degenerate = 0_usize;
    for group in POSITIVE.into_iter().chain([NEGATIVE]) {
        for node in all.iter().filter(|node| node.attribute("PartOfGroup") == Some(group)) {
            let polygon = polygon(*node, size)?;
            if polygon.len() < 3 {
                degenerate += 1;
            } else if group == NEGATIVE {
                annotation.negative.push(polygon);
            } else {
                annotation.positive.push(polygon);
            }
        }
    }
    for group in all.iter().map(|node| node.attribute("PartOfGroup").unwrap_or("none")) {
        if group != NEGATIVE && !POSITIVE.contains(&group) {
            others.insert(group);
        }
    }
    if !others.is_empty() {
        let names: Vec<_> = others.into_iter().map(|name| format!("`{name}`")).collect();
        annotation.notes.push(format!("annotations of group {} are passed over", names.join(", ")));
    }
    if degenerate > 0 {
        annotation.notes.push(format!("{degenerate} annotations of fewer than three points are passed over"));
    }
    if annotation.positive.is_empty() {
        return Err("no polygon of group Tumor, _0 or _1: nothing is marked as tumour".into());
    }
    Ok(annotation)
}

fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

fn polygon(node: Node<'_, '_>, [width, height]: [u32; 2]) -> Result<Polygon, String> {
    let name = node.attribute("Name").unwrap_or("without a name");
    let points = children(node, "Coordinates").flat_map(|list| children(list, "Coordinate"));
    points
        .map(|point| {
            let number = |axis: &str| -> Option<f64> { point.attribute(axis)?.trim().parse().ok() };
            let at = [number("X"), number("Y")].map(|value| value.filter(|value| value.is_finite()));
            let [Some(x), Some(y)] = at else {
                return Err(format!("a point of `{name}` has no numbers X and Y; get the file again"));
            };
            let inside = |value: f64, side: u32| (-SLACK..=f64::from(side) + SLACK).contains(&value);
            if !inside(x, width) || !inside(y, height) {
                return Err(format!(
                    "the point ({x}, {y}) of `{name}` lies outside the slide of {width} × {height} pixels; is it the \
                     annotation of another slide?"
                ));
            }
            // as numpy rounds
            Ok([x, y].map(|value| value.round_ties_even() as i64))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn xml(annotations: &[(&str, &[[f64; 2]])]) -> String {
        let one = |(group, points): &(&str, &[[f64; 2]])| {
            let points: String = points
                .iter()
                .enumerate()
                .map(|(order, [x, y])| format!("<Coordinate Order=\"{order}\" X=\"{x}\" Y=\"{y}\" />"))
                .collect();
            format!(
                "<Annotation Name=\"A\" Type=\"Polygon\" PartOfGroup=\"{group}\"><Coordinates>{points}</Coordinates></Annotation>"
            )
        };
        let all: String = annotations.iter().map(one).collect();
        format!(
            "<?xml version=\"1.0\"?>\n<ASAP_Annotations><Annotations>{all}</Annotations><AnnotationGroups /></ASAP_Annotations>"
        )
    }

    const SQUARE: [[f64; 2]; 4] = [[1.0, 1.0], [8.5, 1.0], [9.5, 9.4], [1.0, 9.6]];

    #[test]
    fn groups_are_sorted_and_vertices_rounded_as_numpy_does() {
        let dot: &[[f64; 2]] = &[[2.0, 2.0]];
        let text = xml(&[("_2", &SQUARE), ("_1", &SQUARE), ("metastases", &SQUARE), ("Tumor", &SQUARE), ("_0", dot)]);
        let annotation = parse(&text, [10, 10]).unwrap();
        assert_eq!((annotation.positive.len(), annotation.negative.len()), (2, 1));
        assert_eq!(annotation.positive[0], [[1, 1], [8, 1], [10, 9], [1, 10]]);
        assert_eq!(annotation.notes.len(), 2);
        assert!(annotation.notes[0].contains("`metastases`") && annotation.notes[1].starts_with('1'));
    }

    #[test]
    fn what_is_no_annotation_of_the_slide_is_refused() {
        let says = |text: &str, part: &str| {
            let reason = parse(text, [10, 10]).unwrap_err();
            assert!(reason.contains(part), "{reason:?} does not say {part:?}");
        };
        says(&xml(&[("_0", &SQUARE)])[..100], "no well-formed XML");
        says("<html><body/></html>", "`html` without");
        says(&xml(&[("_2", &SQUARE)]), "nothing is marked");
        says(
            &xml(&[("_0", &[[1.0, 1.0], [12.0, 1.0], [3.0, 3.0]])]),
            "(12, 1) of `A` lies outside the slide of 10 × 10",
        );
        says(&xml(&[("_0", &SQUARE)]).replace("9.4", "abc"), "has no numbers");
        says(&xml(&[("_0", &SQUARE)]).replace("9.4", "NaN"), "has no numbers");
    }
}
