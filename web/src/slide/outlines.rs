//! Polygons of a GeoJSON file that someone gave: of this slide, or refused.

use histomask_core::outline::Shapes;
use histomask_core::whole_slide::doubts;
use serde_json::{Value, json};

use crate::error::Failure;

/// Polygons of a slide, and what is doubtful about them.
pub(super) struct Outlines {
    pub(super) shapes: Shapes,
    /// Whether each is called tissue, as `histomask` writes it.
    tissue: bool,
    doubts: Vec<String>,
}

impl Outlines {
    /// Of a slide of this width and height, by the rules of `histomask predict`.
    pub(super) fn read(text: &str, size: [u32; 2]) -> Result<Self, Failure> {
        let shapes = Shapes::from_geojson(text)?;
        let doubts = doubts(&shapes, size)?;
        Ok(Self { shapes, tissue: is_tissue(text), doubts })
    }

    /// For the page.
    pub(super) fn json(&self) -> String {
        let polygons: Vec<_> = self.shapes.shapes.iter().map(|shape| &shape.rings).collect();
        json!({ "polygons": polygons, "tissue": self.tissue, "doubts": self.doubts }).to_string()
    }
}

fn is_tissue(text: &str) -> bool {
    let collection: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let features = collection.get("features").unwrap_or(&collection).as_array();
    let called = |feature: &Value| {
        let class = feature.get("properties").and_then(|properties| properties.get("classification"));
        let name = class.map(|class| class.get("name").unwrap_or(class)).and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case("tissue"))
    };
    features.is_some_and(|features| !features.is_empty() && features.iter().all(called))
}
