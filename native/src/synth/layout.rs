//! Where the glands lie: as many as reach the wanted area, without touching one another.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::{SynthClass, WORLD, outline::Outline};

/// Side of a cell of the occupancy grid, in world lengths.
const CELL: f32 = 2.0;
const CELLS: usize = (WORLD / CELL) as usize;

/// Largest deviation from the wanted share of the area.
const SLACK: f32 = 0.04;

/// Radius of the first and of the last gland tried.
const RADIUS: (f32, f32) = (25.0, 7.5);

const TRIES: usize = 400;
const RESTARTS: usize = 12;

/// Lays out glands that cover the share `area` of the patch, in `[0, 1]`, to within [`SLACK`]; the closest of
/// [`RESTARTS`] layouts where none does.
pub(super) fn place(class: SynthClass, area: f32, rng: &mut ChaCha8Rng) -> Vec<Outline> {
    let mut best = (f32::INFINITY, Vec::new());
    for _ in 0..RESTARTS {
        let (covered, glands) = attempt(class, area, rng);
        let miss = (covered - area).abs();
        if miss < best.0 {
            best = (miss, glands);
        }
        if best.0 <= SLACK {
            break;
        }
    }
    best.1
}

/// Random sequential placement of ever smaller glands; returns the covered share as well.
fn attempt(class: SynthClass, area: f32, rng: &mut ChaCha8Rng) -> (f32, Vec<Outline>) {
    let gap = match class {
        SynthClass::Regular => 3.5,
        SynthClass::Irregular => 1.5,
    };
    let mut taken = vec![false; CELLS * CELLS];
    let mut covered = 0usize;
    let mut glands = Vec::new();
    for k in 0..TRIES {
        let largest = RADIUS.0 + (RADIUS.1 - RADIUS.0) * k as f32 / TRIES as f32;
        let radius = rng.random_range(0.7..1.0) * largest;
        let centre = [(); 2].map(|()| rng.random_range(-0.08 * WORLD..1.08 * WORLD));
        let gland = Outline::sample(class, centre, radius, rng);
        let Some(cells) = free_cells(&gland, gap, &taken) else { continue };
        let share = (covered + cells.len()) as f32 / taken.len() as f32;
        // A sliver at the border is no gland to learn from.
        if share > area + SLACK || cells.len() < 24 {
            continue;
        }
        covered += cells.len();
        cells.iter().for_each(|&cell| taken[cell] = true);
        glands.push(gland);
        if share >= area - SLACK / 2.0 {
            break;
        }
    }
    (covered as f32 / taken.len() as f32, glands)
}

/// Cells of the grid inside the gland; none if it comes closer than `gap` to a taken one.
fn free_cells(gland: &Outline, gap: f32, taken: &[bool]) -> Option<Vec<usize>> {
    let reach = gland.reach() + gap;
    let range = |c: f32| {
        let low = ((c - reach) / CELL).floor().max(0.0) as usize;
        low..((c + reach) / CELL).ceil().clamp(0.0, CELLS as f32) as usize
    };
    let mut cells = Vec::new();
    for row in range(gland.centre[1]) {
        for column in range(gland.centre[0]) {
            let depth = gland.level((column as f32 + 0.5) * CELL, (row as f32 + 0.5) * CELL);
            let cell = row * CELLS + column;
            if depth > -gap && taken[cell] {
                return None;
            }
            if depth > 0.0 {
                cells.push(cell);
            }
        }
    }
    Some(cells)
}
