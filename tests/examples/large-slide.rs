//! Writes a large synthetic slide with sparse tissue, to see what a prediction costs:
//! `large-slide OUT [SIDE] [SHARE]` makes a pyramid of `SIDE` × `SIDE` pixels of 0.25 µm (100,000), of which a disc of the
//! share `SHARE` (0.05) is synthetic tissue. All its tiles of tissue are one, so the file is small and quickly made;
//! a reader decodes each of them all the same.

use std::error::Error;
use std::io::Write as _;

use histomask::synth::{SynthClass, SynthConfig, generate};
use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

/// Side of a tile.
const TILE: u32 = 512;
/// Each level is this much coarser than the one before.
const STEP: u32 = 4;
const GLASS: [u8; 3] = [243, 242, 244];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("name the file to write")?;
    let side: u32 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let share: f64 = arguments.next().map_or(Ok(0.05), |text| text.parse())?;

    let config = SynthConfig { size: TILE, ..SynthConfig::default() };
    let texture = generate(1, SynthClass::Irregular, &config).image;
    let tiles = side.div_ceil(TILE);
    // a disc in the middle, its edge along tiles
    let radius = (share * f64::from(side).powi(2) / std::f64::consts::PI).sqrt() / f64::from(TILE);
    let middle = f64::from(tiles) / 2.0;
    let is_tissue = |x: u32, y: u32| {
        (f64::from(x) + 0.5 - middle).hypot(f64::from(y) + 0.5 - middle) < radius && x < tiles && y < tiles
    };

    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let mut link = 4;
    let mut by = 1;
    loop {
        let width = side.div_ceil(by);
        let across = width.div_ceil(TILE);
        let cell = TILE / by;
        let small = imageops::thumbnail(&texture, cell.max(1), cell.max(1));
        let (mut full, mut empty) = (None, None);
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for (row, column) in (0..across).flat_map(|row| (0..across).map(move |column| (row, column))) {
            let cells = (0..by * by).map(|index| is_tissue(column * by + index % by, row * by + index / by));
            let cells: Vec<bool> = cells.collect();
            let same = cells.iter().all(|tissue| *tissue == cells[0]);
            let known = if cells[0] { &mut full } else { &mut empty };
            let place = match known.filter(|_| same) {
                Some(place) => place,
                None => {
                    let tile = RgbImage::from_fn(TILE, TILE, |x, y| {
                        let tissue = cells[(y / cell * by + x / cell) as usize];
                        if tissue { *small.get_pixel(x % cell, y % cell) } else { image::Rgb(GLASS) }
                    });
                    let mut bytes = Vec::new();
                    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&tile)?;
                    let place = (file.len() as u32, bytes.len() as u32);
                    file.extend(bytes);
                    if same {
                        *known = Some(place);
                    }
                    place
                }
            };
            offsets.push(place.0);
            lengths.push(place.1);
        }
        link = directory(&mut file, link, [width, by], &offsets, &lengths);
        if width <= TILE {
            break;
        }
        by *= STEP;
        if by > TILE {
            break;
        }
    }
    std::fs::File::create(&out)?.write_all(&file)?;
    println!("{out}: {side} × {side} pixels, {} KiB", file.len() >> 10);
    Ok(())
}

/// Writes a directory, names it at `link`, and returns where it names the next.
fn directory(file: &mut Vec<u8>, link: usize, [width, by]: [u32; 2], offsets: &[u32], lengths: &[u32]) -> usize {
    let mut aside = |values: &[u32]| {
        file.resize(file.len().next_multiple_of(4), 0);
        let at = file.len() as u32;
        file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        at
    };
    // of one tile the numbers stand in the entry itself
    let mut list = |values: &[u32]| if let [one] = values { *one } else { aside(values) };
    let (offsets_at, lengths_at) = (list(offsets), list(lengths));
    let (bits, per_centimetre) = (aside(&[8 | 8 << 16, 8]), aside(&[40_000 / by, 1]));
    let count = offsets.len() as u32;
    let entries: [(u16, u16, u32, u32); 14] = [
        (254, 4, 1, u32::from(by > 1)),
        (256, 4, 1, width),
        (257, 4, 1, width),
        (258, 3, 3, bits),
        (259, 3, 1, 7),
        (262, 3, 1, 6),
        (277, 3, 1, 3),
        (282, 5, 1, per_centimetre),
        (283, 5, 1, per_centimetre),
        (296, 3, 1, 3),
        (322, 3, 1, TILE),
        (323, 3, 1, TILE),
        (324, 4, count, offsets_at),
        (325, 4, count, lengths_at),
    ];
    file.resize(file.len().next_multiple_of(4), 0);
    let at = file.len() as u32;
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    let next = file.len();
    file.extend([0; 4]);
    file[link..link + 4].copy_from_slice(&at.to_le_bytes());
    next
}
