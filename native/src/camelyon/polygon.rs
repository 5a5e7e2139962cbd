//! Filled polygons, as `PIL.ImageDraw.polygon(outline=1, fill=1)` draws them: the pixels between the crossings of each
//! line of pixels, even-odd, and those of the outline (Bresenham).

use super::annotation::Polygon;

/// A part of a slide's level 0 and which of its pixels polygons cover.
pub(super) struct Window {
    at: [i64; 2],
    width: usize,
    height: usize,
    /// `[height, width]`, row-major.
    pub(super) covered: Vec<bool>,
}

impl Window {
    /// Nothing is covered yet. `at` is the upper left corner.
    pub(super) fn new(at: [i64; 2], width: usize, height: usize) -> Self {
        Self { at, width, height, covered: vec![false; width * height] }
    }

    /// The tumour: the union of `positive` without `negative`.
    pub(super) fn tumour<'p>(mut self, positive: &'p [Polygon], negative: impl Iterator<Item = &'p Polygon>) -> Self {
        positive.iter().for_each(|polygon| self.fill(polygon, true));
        negative.for_each(|polygon| self.fill(polygon, false));
        self
    }

    /// How many pixels of each column are covered.
    pub(super) fn columns(&self) -> Vec<u32> {
        let mut counts = vec![0; self.width];
        for line in self.covered.chunks_exact(self.width.max(1)) {
            line.iter().zip(&mut counts).for_each(|(&covered, count)| *count += u32::from(covered));
        }
        counts
    }

    /// Sets the pixels of a polygon and of its outline.
    fn fill(&mut self, polygon: &[[i64; 2]], value: bool) {
        let mut crossings: Vec<Vec<f64>> = vec![Vec::new(); self.height];
        let next = polygon.iter().cycle().skip(1);
        for (&from, &to) in polygon.iter().zip(next) {
            let [from, to] = [from, to].map(|[x, y]| [x - self.at[0], y - self.at[1]]);
            self.line(from, to, value);
            let ([x0, y0], [x1, y1]) = if from[1] <= to[1] { (from, to) } else { (to, from) };
            // the lower end belongs to the next edge, and a level edge is outline alone
            let slope = (x1 - x0) as f64 / ((y1 - y0) as f64);
            for y in y0.clamp(0, self.height as i64)..y1.clamp(0, self.height as i64) {
                if let Some(line) = crossings.get_mut(y as usize) {
                    line.push(x0 as f64 + (y - y0) as f64 * slope);
                }
            }
        }
        for (y, line) in crossings.iter_mut().enumerate() {
            line.sort_by(f64::total_cmp);
            for pair in line.chunks_exact(2) {
                let (first, last) = ((pair[0] + 0.5).floor(), (pair[1] - 0.5).ceil());
                let (first, end) = (first.max(0.0), (last + 1.0).min(self.width as f64));
                if first < end {
                    let row = y * self.width;
                    if let Some(pixels) = self.covered.get_mut(row + first as usize..row + end as usize) {
                        pixels.fill(value);
                    }
                }
            }
        }
    }

    /// Bresenham's line without its last pixel, which the next one begins with.
    fn line(&mut self, [mut x, mut y]: [i64; 2], to: [i64; 2], value: bool) {
        let outside = |a: i64, b: i64, side: usize| a.max(b) < 0 || a.min(b) >= side as i64;
        if outside(x, to[0], self.width) || outside(y, to[1], self.height) {
            return;
        }
        let (dx, dy) = ((to[0] - x).abs(), (to[1] - y).abs());
        let (step_x, step_y) = ((to[0] - x).signum(), (to[1] - y).signum());
        let (long, short) = (dx.max(dy), dx.min(dy));
        let mut error = 2 * short - long;
        for _ in 0..long {
            if y >= 0
                && (0..self.width as i64).contains(&x)
                && let Some(pixel) = self.covered.get_mut(y as usize * self.width + x as usize)
            {
                *pixel = value;
            }
            let aside = error >= 0;
            if aside {
                error -= 2 * long;
            }
            error += 2 * short;
            if dx > dy {
                x += step_x;
                y += if aside { step_y } else { 0 };
            } else {
                y += step_y;
                x += if aside { step_x } else { 0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(at: [i64; 2], polygons: &[Polygon], holes: &[Polygon]) -> Vec<String> {
        let window = Window::new(at, 8, 6).tumour(polygons, holes.iter());
        window.covered.chunks(8).map(|row| row.iter().map(|&on| if on { '#' } else { '.' }).collect()).collect()
    }

    fn square(from: i64, to: i64) -> Polygon {
        vec![[from, from], [to, from], [to, to], [from, to]]
    }

    #[test]
    fn edges_belong_to_the_polygon_and_holes_are_cut_with_theirs() {
        assert_eq!(
            drawn([0, 0], &[square(1, 4)], &[square(2, 3)]),
            ["........", ".####...", ".#..#...", ".#..#...", ".####...", "........"]
        );
        // the same from another corner of the slide, cut at the window's edge
        assert_eq!(
            drawn([2, 2], &[square(1, 4)], &[]),
            ["###.....", "###.....", "###.....", "........", "........", "........"]
        );
    }

    #[test]
    fn a_triangle_is_what_pillow_draws() {
        // Pillow 13: polygon([(0, 0), (7, 2), (2, 5)], fill=1), then the same with outline=1
        assert_eq!(
            drawn([0, 0], &[vec![[0, 0], [7, 2], [2, 5]]], &[]),
            ["##......", "######..", ".#######", ".######.", "..###...", "..#....."]
        );
    }
}
