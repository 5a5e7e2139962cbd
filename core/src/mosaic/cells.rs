use super::Axis;

/// Positions of coarse maps over a part of an image; some are missing, where there was nothing to see.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Column and row of the first one in the image.
    pub origin: [usize; 2],
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[maps, height, width]`.
    pub maps: Vec<f32>,
    /// Whether a position was computed, `[height, width]`.
    pub present: Vec<bool>,
}

impl Cells {
    /// Missing everywhere.
    #[must_use]
    pub fn new(maps: usize, origin: [usize; 2], width: usize, height: usize) -> Self {
        Self { origin, width, height, maps: vec![0.0; maps * width * height], present: vec![false; width * height] }
    }

    /// Puts in maps `[maps, h, w]` whose first position is in column `x` and row `y` of the image; what lies outside is
    /// left out.
    pub fn put(&mut self, [x, y]: [usize; 2], [width, height]: [usize; 2], maps: &[f32]) {
        let (all, part) = (self.width * self.height, width * height);
        for row in 0..height {
            for column in 0..width {
                let (Some(to_x), Some(to_y)) =
                    ((x + column).checked_sub(self.origin[0]), (y + row).checked_sub(self.origin[1]))
                else {
                    continue;
                };
                if to_x >= self.width || to_y >= self.height {
                    continue;
                }
                let (to, from) = (to_y * self.width + to_x, row * width + column);
                self.present[to] = true;
                for map in 0..self.maps.len() / all.max(1) {
                    self.maps[map * all + to] = maps.get(map * part + from).copied().unwrap_or_default();
                }
            }
        }
    }

    /// Indices of the positions that are there in a rectangle of the image's positions.
    #[must_use]
    pub fn within(&self, [x, y]: [usize; 2], [end_x, end_y]: [usize; 2]) -> Vec<usize> {
        let span = |from: usize, end: usize, origin: usize, length: usize| {
            from.saturating_sub(origin).min(length)..end.saturating_sub(origin).min(length)
        };
        let columns = span(x, end_x, self.origin[0], self.width);
        span(y, end_y, self.origin[1], self.height)
            .flat_map(|row| columns.clone().map(move |column| row * self.width + column))
            .filter(|&at| self.present[at])
            .collect()
    }

    /// The values of positions, `[maps, n]`.
    #[must_use]
    pub fn values(&self, at: &[usize]) -> Vec<f32> {
        self.maps.chunks(self.present.len().max(1)).flat_map(|map| at.iter().map(|&at| map[at])).collect()
    }
}

/// How maps become one that goes from 0 to 1: weighted by a posterior, then by its range (`spec` §1.4, §1.5).
#[derive(Clone, Debug, PartialEq)]
pub struct MapScale {
    /// Weight of each map.
    pub weights: Vec<f32>,
    /// What is subtracted from their sum, and what it is then multiplied by.
    pub low: f32,
    /// See [`MapScale::low`].
    pub inverse: f32,
}

impl MapScale {
    /// By the range over values `[maps, n]`, or without a range as they are. A constant map becomes 0.
    #[must_use]
    pub fn over(values: &[f32], weights: Vec<f32>, ranged: bool) -> Self {
        let mut scale = Self { weights, low: 0.0, inverse: 1.0 };
        let count = values.len() / scale.weights.len().max(1);
        if ranged && count > 0 {
            let sum = |at: usize| -> f32 {
                scale.weights.iter().enumerate().map(|(map, weight)| weight * values[map * count + at]).sum()
            };
            let (low, high) = (0..count)
                .map(sum)
                .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            let range = high - low;
            (scale.low, scale.inverse) = (low, if range < f32::MIN_POSITIVE { 0.0 } else { 1.0 / range });
        }
        scale
    }

    fn of(&self, cells: &Cells, at: usize) -> f32 {
        let maps = cells.maps.chunks(cells.present.len().max(1));
        let sum: f32 = maps.zip(&self.weights).map(|(map, weight)| weight * map[at]).sum();
        (sum - self.low) * self.inverse
    }
}

/// The map from 0 to 1 at each position `[height, width]`, NaN where it is missing: that of the windows around it, whose
/// scales `scale` names by column and row; one that is missing has no say.
///
/// `stride` is the pixels of a position.
#[must_use]
pub fn normalised<'s>(
    cells: &Cells,
    [columns, rows]: [&Axis; 2],
    stride: usize,
    scale: impl Fn(usize, usize) -> Option<&'s MapScale>,
) -> Vec<f32> {
    let middle = |cell: usize| (cell as f64 + 0.5) * stride as f64;
    let mut map = Vec::with_capacity(cells.present.len());
    for row in 0..cells.height {
        let (top, bottom, down) = rows.around(middle(cells.origin[1] + row));
        for column in 0..cells.width {
            let at = row * cells.width + column;
            if !cells.present[at] {
                map.push(f32::NAN);
                continue;
            }
            let (left, right, across) = columns.around(middle(cells.origin[0] + column));
            let windows = [
                (left, top, (1.0 - across) * (1.0 - down)),
                (right, top, across * (1.0 - down)),
                (left, bottom, (1.0 - across) * down),
                (right, bottom, across * down),
            ];
            let (mut sum, mut weights) = (0.0, 0.0);
            for (column, row, weight) in windows {
                if weight > 0.0
                    && let Some(scale) = scale(column, row)
                {
                    sum += weight * scale.of(cells, at);
                    weights += weight;
                }
            }
            map.push(sum / weights);
        }
    }
    map
}
