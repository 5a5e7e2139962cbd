//! Outlines for QuPath.

use serde::{Serialize, Serializer};

use super::{Points, Polygon, outlines, simplified};

/// A GeoJSON FeatureCollection (RFC 7946) as QuPath imports it: one annotation for each 4-connected region of
/// `mask >= threshold`, in pixels of the image, classified as `class_name`.
///
/// `mask` is `[height, width]`, row-major; see [`outlines`]. Measurements are written as QuPath does since 0.4.
#[must_use]
pub fn geojson(mask: &[f32], width: usize, height: usize, threshold: f32, class_name: &str) -> String {
    collection(mask, [width, height], threshold, class_name, None)
}

/// [`geojson`] of a mask that stands for a larger image: `scale` pixels of it in one of the mask, across and down.
///
/// Coordinates are rounded to 0.01 pixels, as QuPath does since 0.6. Edges stay level and upright, and corners that
/// differ stay apart where `scale` is at least 0.01, so polygons stay valid.
#[must_use]
pub fn geojson_scaled(
    mask: &[f32],
    width: usize,
    height: usize,
    threshold: f32,
    class_name: &str,
    scale: [f64; 2],
) -> String {
    collection(mask, [width, height], threshold, class_name, Some(scale))
}

fn collection(
    mask: &[f32],
    [width, height]: [usize; 2],
    threshold: f32,
    class_name: &str,
    scale: Option<[f64; 2]>,
) -> String {
    let polygons = outlines(mask, width, height, threshold);
    let classification = Classification { name: class_name, color: color(class_name) };
    let collection = FeatureCollection {
        kind: "FeatureCollection",
        features: Features { polygons: &polygons, classification, scale },
    };
    // all keys are text, and what is not finite becomes null: nothing here can fail
    serde_json::to_string(&collection).unwrap_or_default()
}

#[derive(Serialize)]
struct FeatureCollection<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    features: Features<'a>,
}

/// [`geojson`] with corners left out that lie within `tolerance` pixels of the lines between the others
/// ([`simplified`]): polygons stay valid, but are no longer the mask's pixels exactly.
#[must_use]
pub fn geojson_simplified(
    mask: &[f32],
    width: usize,
    height: usize,
    threshold: f32,
    class_name: &str,
    tolerance: f64,
) -> String {
    let features = outlines(mask, width, height, threshold).into_iter().map(|polygon| {
        let rings = simplified(&polygon.scaled([1.0; 2]), tolerance);
        feature(&rings, polygon.pixels as f64, polygon.mean, class_name)
    });
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.collect::<Vec<_>>().join(","))
}

/// One feature of such a collection, of an outline whose points are already in pixels of the image: `area` of them, where
/// the soft mask has a mean of `mean`. For collections that are written piece by piece.
#[must_use]
pub fn feature(rings: &[Points], area: f64, mean: f64, class_name: &str) -> String {
    let feature = Feature {
        kind: "Feature",
        geometry: Geometry { kind: "Polygon", coordinates: rings },
        properties: Properties {
            object_type: "annotation",
            classification: Classification { name: class_name, color: color(class_name) },
            measurements: Measurements {
                area: serde_json::Number::from_f64(area.round()).unwrap_or_else(|| 0.into()),
                mean,
            },
        },
    };
    serde_json::to_string(&feature).unwrap_or_default()
}

impl Polygon {
    /// Its rings where a pixel of the mask is `scale` pixels of the image wide and high, rounded to 0.01.
    #[must_use]
    pub fn scaled(&self, scale: [f64; 2]) -> Vec<Points> {
        let point = |&[x, y]: &[u32; 2]| [hundredths(f64::from(x) * scale[0]), hundredths(f64::from(y) * scale[1])];
        std::iter::once(&self.exterior).chain(&self.holes).map(|ring| ring.iter().map(point).collect()).collect()
    }
}

/// As QuPath rounds coordinates since 0.6.
fn hundredths(length: f64) -> f64 {
    (length * 100.0).round() / 100.0
}

/// Features are made one at a time while they are written.
struct Features<'a> {
    polygons: &'a [Polygon],
    classification: Classification<'a>,
    scale: Option<[f64; 2]>,
}

impl Serialize for Features<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.polygons.iter().map(|polygon| Feature {
            kind: "Feature",
            geometry: Geometry { kind: "Polygon", coordinates: Rings(polygon, self.scale) },
            properties: Properties {
                object_type: "annotation",
                classification: self.classification,
                measurements: Measurements { area: area(polygon.pixels, self.scale), mean: polygon.mean },
            },
        }))
    }
}

#[derive(Serialize)]
struct Feature<'a, R> {
    #[serde(rename = "type")]
    kind: &'static str,
    geometry: Geometry<R>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Geometry<R> {
    #[serde(rename = "type")]
    kind: &'static str,
    coordinates: R,
}

/// The exterior, then the holes.
struct Rings<'a>(&'a Polygon, Option<[f64; 2]>);

impl Serialize for Rings<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rings = std::iter::once(&self.0.exterior).chain(&self.0.holes);
        match self.1 {
            None => serializer.collect_seq(rings),
            Some(scale) => serializer.collect_seq(self.0.scaled(scale)),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    object_type: &'static str,
    classification: Classification<'a>,
    measurements: Measurements,
}

#[derive(Clone, Copy, Serialize)]
struct Classification<'a> {
    name: &'a str,
    color: [u8; 3],
}

/// Pixels of the image: a whole number where the mask has its size.
fn area(pixels: u64, scale: Option<[f64; 2]>) -> serde_json::Number {
    let scaled = scale.and_then(|[x, y]| serde_json::Number::from_f64((pixels as f64 * x * y).round()));
    scaled.unwrap_or_else(|| pixels.into())
}

#[derive(Serialize)]
struct Measurements {
    #[serde(rename = "Mask area px^2")]
    area: serde_json::Number,
    #[serde(rename = "Mask mean")]
    mean: f64,
}

/// The colours of Okabe & Ito (2008), told apart with and without colour blindness; without black.
const PALETTE: [[u8; 3]; 7] =
    [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]];

/// A class's colour: the same for the same name in every file (FNV-1a).
fn color(class_name: &str) -> [u8; 3] {
    let hash =
        class_name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    PALETTE[hash as usize % PALETTE.len()]
}
