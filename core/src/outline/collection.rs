use super::{Polygon, feature, simplified};

/// The text of a FeatureCollection that is written piece by piece: [`Self::BEGIN`], a piece for each polygon,
/// [`Self::END`].
#[derive(Clone, Debug)]
pub struct Collection {
    class: String,
    step: [f64; 2],
    simplify: f64,
    count: u64,
}

impl Collection {
    /// Its beginning.
    pub const BEGIN: &'static str = r#"{"type":"FeatureCollection","features":["#;
    /// Its end.
    pub const END: &'static str = "\n]}\n";

    /// Of polygons in pixels of a mask, `step` pixels of the image each, classified as `class`; outlines may differ from
    /// the mask's pixels by `simplify` pixels of the image.
    #[must_use]
    pub fn new(class: &str, step: [f64; 2], simplify: f64) -> Self {
        Self { class: class.to_owned(), step, simplify, count: 0 }
    }

    /// The next polygon.
    pub fn piece(&mut self, polygon: &Polygon) -> String {
        let mut rings = polygon.scaled(self.step);
        if self.simplify > 0.0 {
            rings = simplified(&rings, self.simplify);
        }
        let area = polygon.pixels as f64 * self.step[0] * self.step[1];
        let separator = if self.count == 0 { "\n" } else { ",\n" };
        self.count += 1;
        format!("{separator}{}", feature(&rings, area, polygon.mean, &self.class))
    }

    /// Polygons so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}
