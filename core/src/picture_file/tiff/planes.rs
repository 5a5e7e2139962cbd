//! Samples that stand in planes: in one page, a plane behind the other, or in a page each.

use super::super::PictureError;
use super::super::raster::{Raster, Values};
use super::{SAVE_RGB, Tiff, chunks, page_of};
use crate::ifd::{Page, tag};

/// The samples of a page whose planes stand one behind the other, those of a pixel side by side. Each plane is read as a
/// page of its own, by `alone`: the `tiff` library (0.11.3) panics at tiles that reach beyond such a picture's edge.
pub(super) fn read(
    file: &Tiff<'_>,
    page: &Page<'_>,
    planes: usize,
    alone: impl Fn(&Tiff<'_>, &Page<'_>) -> Result<Values, PictureError>,
) -> Result<Values, PictureError> {
    let alike = |tag| {
        let values = page.numbers(tag);
        values.iter().all(|value| Some(value) == values.first()).then(|| values.first().copied().unwrap_or(1))
    };
    let (Some(bits), Some(format)) = (alike(tag::BITS), alike(tag::SAMPLE_FORMAT)) else {
        return Err(PictureError::refused("a TIFF whose planes hold samples of different kinds", SAVE_RGB));
    };
    let tags = chunks::tags(page);
    let lists = tags.map(|tag| page.numbers(tag));
    let each = lists[0].len() / planes;
    if each == 0 || lists.iter().any(|list| list.len() != each * planes) {
        return Err(PictureError::Damaged("its planes have different numbers of strips or tiles".into()));
    }
    let changes = [(tag::SAMPLES, 1), (tag::PLANAR, 1), (tag::BITS, bits), (tag::SAMPLE_FORMAT, format)];
    let of_plane = |plane: usize| {
        let part = |list: &[u64]| list.iter().skip(plane * each).take(each).copied().collect();
        let lists = [(tags[0], part(&lists[0])), (tags[1], part(&lists[1]))];
        let bytes = file.directories.plain(file.bytes.to_vec(), page, &changes, &lists);
        let plane = Tiff::read(&bytes)?;
        alone(&plane, page_of(&plane, 0)?)
    };
    interleaved((0..planes).map(of_plane).collect::<Result<_, _>>()?)
}

/// Three pages of grey as one of RGB.
pub(super) fn joined(planes: [Raster; 3]) -> Result<Raster, PictureError> {
    let (width, height) = (planes[0].width, planes[0].height);
    Raster::new(width, height, 3, interleaved(planes.map(|plane| plane.values).into())?)
}

/// Planes as pixels.
fn interleaved(planes: Vec<Values>) -> Result<Values, PictureError> {
    fn of<T: Copy>(values: &[T], planes: usize) -> Vec<T> {
        let pixels = values.len() / planes;
        let pixel = |index: usize| (0..planes).filter_map(move |plane| values.get(plane * pixels + index).copied());
        (0..pixels).flat_map(pixel).collect()
    }
    let count = planes.len().max(1);
    let appended = planes.into_iter().map(Some).reduce(|all, next| all?.followed_by(next?)).flatten();
    Ok(match appended.ok_or_else(|| PictureError::Damaged("its planes differ".into()))? {
        Values::U8(values) => Values::U8(of(&values, count)),
        Values::U16(values) => Values::U16(of(&values, count)),
        Values::U32(values) => Values::U32(of(&values, count)),
        Values::F32(values) => Values::F32(of(&values, count)),
    })
}
