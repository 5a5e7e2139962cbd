//! Pictures in rows and labelled columns: the paper's figures of masks.

use image::{RgbImage, imageops};
use maud::{Markup, html};

use super::drawing::Drawing;
use super::{ReportError, picture};

/// Width of a picture and the room between two, in pixels and in SVG units.
const WIDTH: u32 = 132;
const GAP: u32 = 6;

/// Colour between the pictures of [`PictureGrid::picture`].
const BETWEEN: [u8; 3] = [150; 3];

/// Room for the labels on top and at the left, in SVG units.
const TOP: u32 = 26;
const LEFT: u32 = 92;

/// Pictures of several images (rows), each seen in several ways (columns).
#[derive(Clone, Debug, Default)]
pub struct PictureGrid {
    /// Labels of the columns.
    pub columns: Vec<String>,
    /// Label of each row and one picture a column; none where there is nothing to show.
    pub rows: Vec<(String, Vec<Option<RgbImage>>)>,
}

impl PictureGrid {
    /// The grid with its labels, pictures inside: an SVG file if `alone`, else an element of a page.
    ///
    /// # Errors
    /// [`ReportError::Picture`] for a picture without pixels.
    pub fn svg(&self, alone: bool) -> Result<String, ReportError> {
        let mut top = TOP;
        let mut content: Vec<Markup> = Vec::new();
        for (n, label) in self.columns.iter().enumerate() {
            let middle = LEFT + n as u32 * (WIDTH + GAP) + WIDTH / 2;
            content.push(html! { text x=(middle) y=(TOP - 9) text-anchor="middle" { (label) } });
        }
        for (label, pictures) in &self.rows {
            let height = row_height(pictures);
            content.push(html! { text.soft x="2" y=(top + height / 2) dy="4.5" { (label) } });
            for (n, picture) in pictures.iter().enumerate() {
                let left = LEFT + n as u32 * (WIDTH + GAP);
                content.push(match picture {
                    Some(picture) => {
                        let shrunk = shrunk(picture);
                        let embedded = picture::embed(label, &shrunk)?;
                        // the frame shows where a white mask ends
                        html! {
                            image x=(left) y=(top) width=(embedded.width) height=(embedded.height) href=(embedded.uri) {}
                            rect.frame x=(left) y=(top) width=(embedded.width) height=(embedded.height) {}
                        }
                    }
                    None => html! {
                        rect.frame x=(left) y=(top) width=(WIDTH) height=(height) {}
                        text.soft x=(left + WIDTH / 2) y=(top + height / 2) text-anchor="middle" { "–" }
                    },
                });
            }
            top += height + GAP;
        }
        let labels: Vec<_> = self.rows.iter().map(|(label, _)| label.as_str()).collect();
        let drawing = Drawing {
            content: html! { @for part in &content { (part) } },
            width: f64::from(LEFT + self.columns.len() as u32 * (WIDTH + GAP)),
            height: f64::from(top),
            spoken: format!("Pictures of {}: {}.", labels.join(", "), self.columns.join(", ")),
        };
        Ok(drawing.element(alone).into_string())
    }

    /// The pictures alone, on grey, so that white masks show.
    #[must_use]
    pub fn picture(&self) -> RgbImage {
        let width = self.columns.len() as u32 * (WIDTH + GAP);
        let heights: Vec<u32> = self.rows.iter().map(|(_, pictures)| row_height(pictures) + GAP).collect();
        let mut canvas = RgbImage::from_pixel(width.max(1), heights.iter().sum::<u32>().max(1), image::Rgb(BETWEEN));
        let mut top = 0;
        for ((_, pictures), height) in self.rows.iter().zip(heights) {
            for (n, picture) in pictures.iter().enumerate() {
                if let Some(picture) = picture {
                    imageops::replace(
                        &mut canvas,
                        &shrunk(picture),
                        i64::from(n as u32 * (WIDTH + GAP)),
                        i64::from(top),
                    );
                }
            }
            top += height;
        }
        canvas
    }
}

/// A picture at the width of a column.
fn shrunk(picture: &RgbImage) -> RgbImage {
    let height = scaled_height(picture);
    if picture.width() < WIDTH {
        return imageops::resize(picture, WIDTH, height, imageops::FilterType::Nearest);
    }
    imageops::thumbnail(picture, WIDTH, height)
}

fn scaled_height(picture: &RgbImage) -> u32 {
    (u64::from(picture.height()) * u64::from(WIDTH) / u64::from(picture.width().max(1))).max(1) as u32
}

fn row_height(pictures: &[Option<RgbImage>]) -> u32 {
    pictures.iter().flatten().map(scaled_height).max().unwrap_or(WIDTH)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]
    use super::*;

    #[test]
    fn every_picture_has_its_place_and_a_missing_one_says_so() {
        let picture = |value| Some(RgbImage::from_pixel(WIDTH * 2, WIDTH, image::Rgb([value; 3])));
        let grid = PictureGrid {
            columns: vec!["Input".into(), "Truth".into()],
            rows: vec![("a".into(), vec![picture(10), picture(20)]), ("b".into(), vec![picture(30), None])],
        };
        let svg = grid.svg(true).unwrap();
        assert_eq!(svg.matches("<image").count(), 3);
        assert!(svg.contains(">Truth<") && svg.contains(">–<"));
        let png = grid.picture();
        assert_eq!(png.get_pixel(5, 5).0, [10; 3]);
        assert_eq!(png.get_pixel(WIDTH + GAP + 5, 5).0, [20; 3]);
        assert_eq!(png.get_pixel(5, WIDTH / 2 + GAP + 5).0, [30; 3]);
        assert_eq!(png.get_pixel(WIDTH + GAP + 5, WIDTH / 2 + GAP + 5).0, BETWEEN);
    }
}
