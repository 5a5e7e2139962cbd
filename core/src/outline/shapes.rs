//! Polygons that someone drew or that were written here: read from GeoJSON, and as pixels of any scale.

use serde_json::Value;

/// A closed ring of points `[x, y]`; the first is repeated at the end.
pub type Points = Vec<[f64; 2]>;

/// Deepest nesting of collections.
const DEEPEST: usize = 8;

/// Why a text holds no polygons.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeoJsonError {
    /// No JSON.
    #[error("no GeoJSON ({0}); export the annotations again, in QuPath by File → Export objects as GeoJSON")]
    Json(String),
    /// JSON of another kind.
    #[error("no GeoJSON: {0}; a FeatureCollection of polygons is needed, as QuPath exports it")]
    Kind(String),
    /// Points or lines alone, or nothing.
    #[error("it holds no polygon; draw areas, not points or lines")]
    Empty,
    /// Polygons of another picture.
    #[error(
        "{outside} of {all} polygons lie outside of the picture ({width}×{height} pixels); do they belong to another one? \
         Coordinates are its pixels"
    )]
    Outside {
        /// Polygons that lie wholly outside.
        outside: usize,
        /// All polygons.
        all: usize,
        /// Pixels of the picture.
        width: u32,
        /// Pixels of the picture.
        height: u32,
    },
    /// Coordinates that are hardly pixels.
    #[error(
        "its polygons together are smaller than a pixel; coordinates are pixels of the image, not shares of it, degrees or \
         millimetres"
    )]
    Tiny,
    /// A polygon that is none.
    #[error("feature {feature}: {reason}; correct or remove it")]
    Feature {
        /// Counted from 1.
        feature: usize,
        /// What is wrong.
        reason: String,
    },
}

/// A polygon: its outer ring, then its holes. What an odd number of its rings surrounds is inside.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Closed rings.
    pub rings: Vec<Points>,
}

/// Polygons, and how many features were none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shapes {
    /// Polygons; a pixel that any of them holds is inside.
    pub shapes: Vec<Shape>,
    /// Features that are points, lines or have no geometry.
    pub others: usize,
}

impl Shapes {
    /// The polygons of a GeoJSON text: a FeatureCollection, a Feature, a geometry, or QuPath's plain list of features.
    ///
    /// # Errors
    /// [`GeoJsonError`].
    pub fn from_geojson(text: &str) -> Result<Self, GeoJsonError> {
        let text = text.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(text).map_err(|error| GeoJsonError::Json(error.to_string()))?;
        let mut shapes = Self::default();
        let features = match (&value, value.get("type").and_then(Value::as_str)) {
            (Value::Array(features), _) => features.as_slice(),
            (_, Some("FeatureCollection")) => match value.get("features") {
                Some(Value::Array(features)) => features.as_slice(),
                _ => return Err(GeoJsonError::Kind("its `features` are no list".into())),
            },
            (_, Some(_)) => std::slice::from_ref(&value),
            _ => return Err(GeoJsonError::Kind("it has no `type`".into())),
        };
        for (index, feature) in features.iter().enumerate() {
            let geometry = match feature.get("type").and_then(Value::as_str) {
                Some("Feature") => feature.get("geometry").unwrap_or(&Value::Null),
                _ => feature,
            };
            let failed = |reason| GeoJsonError::Feature { feature: index + 1, reason };
            shapes.add(geometry, 0).map_err(failed)?;
        }
        Ok(shapes)
    }

    fn add(&mut self, geometry: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("collections are nested too deeply".into());
        }
        let list = |name: &str| geometry.get(name).and_then(Value::as_array).ok_or(format!("it has no `{name}`"));
        match geometry.get("type").and_then(Value::as_str) {
            Some("Polygon") => self.shapes.push(polygon(list("coordinates")?)?),
            Some("MultiPolygon") => {
                for part in list("coordinates")? {
                    self.shapes.push(polygon(part.as_array().ok_or("a polygon of it is no list")?)?);
                }
            }
            Some("GeometryCollection") => {
                for part in list("geometries")? {
                    self.add(part, depth + 1)?;
                }
            }
            Some("Point" | "MultiPoint" | "LineString" | "MultiLineString") | None => self.others += 1,
            Some(other) => return Err(format!("`{other}` is no geometry")),
        }
        Ok(())
    }

    /// The least and the largest coordinates, `[x, y]` each; nothing without polygons.
    #[must_use]
    pub fn bounds(&self) -> Option<[[f64; 2]; 2]> {
        self.shapes.iter().filter_map(Shape::bounds).reduce(|[low, high], [other_low, other_high]| {
            let pair = |a: [f64; 2], b: [f64; 2], take: fn(f64, f64) -> f64| [take(a[0], b[0]), take(a[1], b[1])];
            [pair(low, other_low, f64::min), pair(high, other_high, f64::max)]
        })
    }

    /// Refuses what is hardly an area in pixels: points or lines alone, coordinates from 0 to 1 or in degrees. No
    /// feature at all is a picture that holds nothing.
    ///
    /// # Errors
    /// [`GeoJsonError::Empty`], [`GeoJsonError::Tiny`].
    pub fn refuse_no_areas(&self) -> Result<(), GeoJsonError> {
        let Some([low, high]) = self.bounds() else {
            return if self.others > 0 { Err(GeoJsonError::Empty) } else { Ok(()) };
        };
        // a single pixel, as it is written here, has whole numbers for corners
        let shares = low.iter().all(|least| *least >= 0.0) && high.iter().all(|most| *most <= 1.0);
        let whole = low.iter().chain(&high).all(|number| number.fract() == 0.0);
        if (0..2).all(|axis| high[axis] - low[axis] < 0.5) || (shares && !whole) {
            return Err(GeoJsonError::Tiny);
        }
        Ok(())
    }

    /// How many polygons lie wholly beyond a picture of this width and height.
    #[must_use]
    pub fn outside(&self, [width, height]: [f64; 2]) -> usize {
        let beyond =
            |[low, high]: [[f64; 2]; 2]| high[0] <= 0.0 || high[1] <= 0.0 || low[0] >= width || low[1] >= height;
        self.shapes.iter().filter_map(Shape::bounds).filter(|bounds| beyond(*bounds)).count()
    }

    /// The pixels whose middle lies inside: `[height, width]`, row-major, each `scale` wide and high.
    #[must_use]
    pub fn mask(&self, width: usize, height: usize, scale: [f64; 2]) -> Vec<bool> {
        let mut rows = self.rows(scale);
        let mut mask = vec![false; width * height];
        for (y, row) in mask.chunks_mut(width.max(1)).enumerate() {
            rows.fill(y, row);
        }
        mask
    }

    /// Rows of pixels, each `scale` wide and high, to be taken from the top.
    #[must_use]
    pub fn rows(&self, scale: [f64; 2]) -> ShapeRows {
        let mut edges: Vec<Edge> = Vec::new();
        for (shape, polygon) in (0_u32..).zip(&self.shapes) {
            for ring in &polygon.rings {
                for (from, to) in ring.iter().zip(ring.iter().skip(1)) {
                    let [from, to] = [from, to].map(|point| [point[0] / scale[0], point[1] / scale[1]]);
                    let (top, bottom) = if from[1] <= to[1] { (from, to) } else { (to, from) };
                    if top[1] < bottom[1] {
                        edges.push(Edge { shape, top, bottom });
                    }
                }
            }
        }
        edges.sort_by(|a, b| a.top[1].total_cmp(&b.top[1]));
        ShapeRows { edges, next: 0, active: Vec::new(), row: 0 }
    }
}

impl Shape {
    /// The least and the largest coordinates of the outer ring.
    fn bounds(&self) -> Option<[[f64; 2]; 2]> {
        let points = self.rings.first()?.iter().copied();
        points.map(|point| [point; 2]).reduce(|[low, high], [point, _]| {
            [[low[0].min(point[0]), low[1].min(point[1])], [high[0].max(point[0]), high[1].max(point[1])]]
        })
    }
}

fn polygon(rings: &[Value]) -> Result<Shape, String> {
    let number = |value: Option<&Value>| {
        value.and_then(Value::as_f64).filter(|number| number.is_finite()).ok_or("a coordinate is no number")
    };
    let mut shape = Shape::default();
    for ring in rings {
        let points = ring.as_array().ok_or("a ring is no list of points")?;
        let mut ring: Points = points
            .iter()
            .map(|point| Ok([number(point.get(0))?, number(point.get(1))?]))
            .collect::<Result<_, &str>>()?;
        if ring.first() != ring.last() {
            ring.extend(ring.first().copied());
        }
        if ring.len() < 4 {
            return Err("a ring has fewer than three corners".into());
        }
        shape.rings.push(ring);
    }
    if shape.rings.is_empty() {
        return Err("a polygon has no ring".into());
    }
    Ok(shape)
}

/// An edge in pixels, its upper end first.
#[derive(Clone, Debug)]
struct Edge {
    shape: u32,
    top: [f64; 2],
    bottom: [f64; 2],
}

/// Polygons as rows of pixels.
#[derive(Clone, Debug)]
pub struct ShapeRows {
    /// By their upper end.
    edges: Vec<Edge>,
    next: usize,
    active: Vec<Edge>,
    row: usize,
}

impl ShapeRows {
    /// Sets the pixels of row `y` whose middle lies inside, and leaves the others. Rows come in ascending order.
    pub fn fill(&mut self, y: usize, row: &mut [bool]) {
        if y < self.row {
            (self.next, self.active) = (0, Vec::new());
        }
        self.row = y;
        let middle = y as f64 + 0.5;
        while let Some(edge) = self.edges.get(self.next).filter(|edge| edge.top[1] <= middle) {
            self.active.push(edge.clone());
            self.next += 1;
        }
        self.active.retain(|edge| edge.bottom[1] > middle);
        let crossing = |Edge { shape, top, bottom }: &Edge| {
            (*shape, top[0] + (bottom[0] - top[0]) * (middle - top[1]) / (bottom[1] - top[1]))
        };
        let mut crossings: Vec<(u32, f64)> = self.active.iter().map(crossing).collect();
        crossings.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // every ring is closed, so each polygon is crossed an even number of times
        for pair in crossings.chunks_exact(2) {
            let pixel = |x: f64| (x - 0.5).ceil().clamp(0.0, row.len() as f64) as usize;
            let (from, to) = (pixel(pair[0].1), pixel(pair[1].1));
            if from < to {
                row[from..to].fill(true);
            }
        }
    }
}
