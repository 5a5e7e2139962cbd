//! Outlines of a mask that is never whole in memory: rows go in, polygons come out as soon as nothing more can join them.
//!
//! Held are the labels of two rows and the outlines of regions that still grow.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::{Polygon, Ring};
use crate::runs::runs;

/// Number of the background.
const BACKGROUND: u32 = 0;
/// The end of a chain that leads along the line between two rows, to the right.
const ALONG: usize = usize::MAX;
/// No chain.
const NONE: usize = usize::MAX;

/// Makes the polygons of [`outlines`](super::outlines) from rows of 8-bit values, whatever their number.
///
/// Along the line between two rows every corner of pixels either begins an outline, leads it on, or joins two pieces of
/// it; regions are numbered as in a labelling of two rows (Rosenfeld & Pfaltz 1966). A ring that passes a corner twice
/// is parted there, so that polygons are valid. The mean of a polygon is that of the values over 255.
#[derive(Debug)]
pub struct Outliner {
    width: usize,
    threshold: u8,
    rows: u32,
    /// Labels of the last row and of the one that comes, with a pixel of background on each side.
    above: Vec<u32>,
    here: Vec<u32>,
    /// Columns outside of which the two are background; most of a slide is empty.
    above_runs: Vec<Range<usize>>,
    here_runs: Vec<Range<usize>>,
    /// Of each label an equal or smaller one of the same region; of the smallest, itself.
    parent: Vec<u32>,
    parts: HashMap<u32, Part>,
    chains: Vec<Chain>,
    free: Vec<usize>,
    /// The chain whose end lies on the vertical edge that leads down from each corner of the last line.
    ends: Vec<usize>,
}

/// A region that still grows.
#[derive(Debug, Default)]
struct Part {
    pixels: u64,
    sum: u64,
    rings: Vec<Ring>,
    /// The last row that it has a pixel in, counted from 1.
    row: u32,
}

/// A piece of an outline, its region on the right hand.
#[derive(Debug, Default)]
struct Chain {
    points: VecDeque<[u32; 2]>,
    /// Where its two ends lie: the column of a vertical edge, or [`ALONG`].
    head: usize,
    tail: usize,
    /// A label of its region.
    label: u32,
}

impl Outliner {
    /// For rows of `width` values; foreground are those from `threshold` on.
    #[must_use]
    pub fn new(width: usize, threshold: u8) -> Self {
        Self {
            width,
            threshold,
            rows: 0,
            above: vec![BACKGROUND; width + 2],
            here: vec![BACKGROUND; width + 2],
            above_runs: Vec::new(),
            here_runs: Vec::new(),
            parent: vec![BACKGROUND],
            parts: HashMap::new(),
            chains: Vec::new(),
            free: Vec::new(),
            ends: vec![NONE; width + 1],
        }
    }

    /// The next row; what a row too short does not hold is background. Returned are the regions that end above it.
    pub fn push(&mut self, row: &[u8]) -> Vec<Polygon> {
        self.label(row);
        self.line();
        let finished = self.finished();
        std::mem::swap(&mut self.above, &mut self.here);
        std::mem::swap(&mut self.above_runs, &mut self.here_runs);
        self.rows += 1;
        finished
    }

    /// The regions that reach the last row.
    #[must_use]
    pub fn finish(mut self) -> Vec<Polygon> {
        self.push(&[])
    }

    /// Labels the pixels of a row.
    fn label(&mut self, row: &[u8]) {
        // what the row before the last left
        for Range { start, end } in self.here_runs.drain(..) {
            self.here[start + 1..end + 1].fill(BACKGROUND);
        }
        let row = row.get(..self.width).unwrap_or(row);
        let threshold = self.threshold;
        self.here_runs.extend(runs(row, |value| value >= threshold));
        let columns: Vec<_> = self.here_runs.iter().cloned().flatten().filter(|&x| row[x] >= threshold).collect();
        for x in columns {
            let value = row[x];
            let label = match (self.here[x], self.above[x + 1]) {
                (BACKGROUND, BACKGROUND) => {
                    let fresh = self.parent.len() as u32;
                    self.parent.push(fresh);
                    self.parts.insert(fresh, Part::default());
                    fresh
                }
                (BACKGROUND, one) | (one, BACKGROUND) => self.root(one),
                (left, above) => self.join(left, above),
            };
            self.here[x + 1] = label;
            if let Some(part) = self.parts.get_mut(&label) {
                part.pixels += 1;
                part.sum += u64::from(value);
                part.row = self.rows + 1;
            }
        }
    }

    /// The smallest label of a region, found by halving the way to it.
    fn root(&mut self, mut label: u32) -> u32 {
        while self.parent[label as usize] != label {
            let above = self.parent[self.parent[label as usize] as usize];
            self.parent[label as usize] = above;
            label = above;
        }
        label
    }

    fn join(&mut self, one: u32, other: u32) -> u32 {
        let (one, other) = (self.root(one), self.root(other));
        let (low, high) = (one.min(other), one.max(other));
        if low != high {
            self.parent[high as usize] = low;
            let mut joined = self.parts.remove(&high).unwrap_or_default();
            let part = self.parts.entry(low).or_default();
            if joined.rings.len() > part.rings.len() {
                std::mem::swap(&mut joined.rings, &mut part.rings);
            }
            part.rings.append(&mut joined.rings);
            part.pixels += joined.pixels;
            part.sum += joined.sum;
            part.row = part.row.max(joined.row);
        }
        low
    }

    /// Walks along the line above the row that has just been labelled.
    fn line(&mut self) {
        let mut along = NONE;
        for x in corners(&self.above_runs, &self.here_runs).into_iter().flatten() {
            let (a, b) = (self.above[x], self.above[x + 1]);
            let (c, d) = (self.here[x], self.here[x + 1]);
            let [a_in, b_in, c_in, d_in] = [a, b, c, d].map(|label| label != BACKGROUND);
            let at = [x as u32, self.rows];
            match (a_in != b_in, a_in != c_in, c_in != d_in, b_in != d_in) {
                (up, left, down, right) if up && left && down && right => {
                    // two regions, or one, that meet in a corner alone: each turns back to itself
                    if a_in {
                        self.connect(self.ends[x], along, at);
                        along = self.begin(x, true, at, d);
                    } else {
                        let (from_left, from_above) = (along, self.ends[x]);
                        self.lead(from_above, false, ALONG, at);
                        self.lead(from_left, true, x, at);
                        along = from_above;
                    }
                }
                (true, true, false, false) => {
                    let (tail, head) = if a_in { (self.ends[x], along) } else { (along, self.ends[x]) };
                    self.ends[x] = NONE;
                    along = NONE;
                    self.connect(tail, head, at);
                }
                (true, false, false, true) => {
                    along = std::mem::replace(&mut self.ends[x], NONE);
                    self.lead(along, a_in, ALONG, at);
                }
                (false, true, true, false) => {
                    self.lead(along, c_in, x, at);
                    along = NONE;
                }
                (false, false, true, true) => along = self.begin(x, d_in, at, if d_in { d } else { b }),
                // straight on, or nothing
                _ => {}
            }
        }
    }

    /// A chain of one corner that leads down and to the right; its tail leads to the right where the pixel below is
    /// inside.
    fn begin(&mut self, x: usize, inside: bool, at: [u32; 2], label: u32) -> usize {
        let (head, tail) = if inside { (x, ALONG) } else { (ALONG, x) };
        let chain = Chain { points: VecDeque::from([at]), head, tail, label };
        let index = match self.free.pop() {
            Some(index) => {
                self.chains[index] = chain;
                index
            }
            None => {
                self.chains.push(chain);
                self.chains.len() - 1
            }
        };
        self.ends[x] = index;
        index
    }

    /// Leads an end of a chain around a corner.
    fn lead(&mut self, index: usize, tail: bool, to: usize, at: [u32; 2]) {
        let Some(chain) = self.chains.get_mut(index) else { return };
        if tail {
            chain.points.push_back(at);
            chain.tail = to;
        } else {
            chain.points.push_front(at);
            chain.head = to;
        }
        if to != ALONG {
            self.ends[to] = index;
        }
    }

    /// Joins the tail of one chain and the head of another in a corner; of one and the same this closes a ring.
    fn connect(&mut self, tail: usize, head: usize, at: [u32; 2]) {
        if tail >= self.chains.len() || head >= self.chains.len() {
            return;
        }
        self.chains[tail].points.push_back(at);
        if tail == head {
            let Chain { points, label, .. } = std::mem::take(&mut self.chains[tail]);
            self.free.push(tail);
            let root = self.root(label);
            self.parts.entry(root).or_default().rings.extend(simple(points));
            return;
        }
        let (keep, drop) =
            if self.chains[tail].points.len() >= self.chains[head].points.len() { (tail, head) } else { (head, tail) };
        let gone = std::mem::take(&mut self.chains[drop]);
        self.free.push(drop);
        let kept = &mut self.chains[keep];
        let place = if keep == tail {
            kept.points.extend(gone.points);
            kept.tail = gone.tail;
            gone.tail
        } else {
            gone.points.into_iter().rev().for_each(|point| kept.points.push_front(point));
            kept.head = gone.head;
            gone.head
        };
        if let Some(end) = self.ends.get_mut(place) {
            *end = keep;
        }
    }

    /// The regions of the last row that have no pixel in the new one.
    fn finished(&mut self) -> Vec<Polygon> {
        let mut polygons = Vec::new();
        let mut last = BACKGROUND;
        let labels: Vec<_> = self.above_runs.iter().cloned().flatten().map(|x| self.above[x + 1]).collect();
        for label in labels {
            if label == BACKGROUND || label == last {
                continue;
            }
            last = label;
            let root = self.root(label);
            if self.parts.get(&root).is_some_and(|part| part.row <= self.rows)
                && let Some(part) = self.parts.remove(&root)
            {
                polygons.push(part.polygon());
            }
        }
        polygons
    }
}

impl Part {
    fn polygon(self) -> Polygon {
        let mut polygon = Polygon {
            pixels: self.pixels,
            mean: self.sum as f64 / 255.0 / self.pixels.max(1) as f64,
            ..Polygon::default()
        };
        for ring in self.rings {
            if area(&ring) > 0 { polygon.exterior = ring } else { polygon.holes.push(ring) }
        }
        polygon
    }
}

/// The corners of the pixels that lie in any of two rows' runs.
fn corners(above: &[Range<usize>], here: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut runs: Vec<_> = above.iter().chain(here).map(|run| run.start..run.end + 1).collect();
    runs.sort_unstable_by_key(|run| run.start);
    runs.dedup_by(|next, run| {
        let meets = next.start <= run.end;
        if meets {
            run.end = run.end.max(next.end);
        }
        meets
    });
    runs
}

/// Twice the area inside, negative for a ring that runs the other way.
fn area(ring: &Ring) -> i64 {
    let edges = ring.iter().zip(ring.iter().skip(1));
    edges.map(|(from, to)| i64::from(from[0]) * i64::from(to[1]) - i64::from(to[0]) * i64::from(from[1])).sum()
}

/// A ring parted where it passes a corner twice, each part closed and begun at its first corner, row by row.
fn simple(points: VecDeque<[u32; 2]>) -> Vec<Ring> {
    let mut rings = Vec::new();
    let (mut open, mut place) = (Vec::with_capacity(points.len()), HashMap::new());
    let mut close = |mut ring: Vec<[u32; 2]>| {
        let first = (0..ring.len()).min_by_key(|&index| (ring[index][1], ring[index][0])).unwrap_or(0);
        ring.rotate_left(first);
        ring.extend(ring.first().copied());
        rings.push(ring);
    };
    for point in points {
        if let Some(&from) = place.get(&point) {
            let part = open.split_off(from);
            part.iter().for_each(|point| {
                place.remove(point);
            });
            close(part);
        }
        place.insert(point, open.len());
        open.push(point);
    }
    close(open);
    rings
}
