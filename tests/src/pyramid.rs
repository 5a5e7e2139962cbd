//! Small TIFF files, written byte by byte, so that tests can damage what they mean to.

/// A page of uncompressed RGB tiles.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Pixels, `[height, width, 3]`.
    pub pixels: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Side of a tile; 0 for one strip.
    pub tile: u32,
    /// ImageDescription.
    pub description: String,
    /// More whole numbers by tag, which take the place of those that would be written.
    pub more: Vec<(u16, u32)>,
    /// Tiles that are sparse: of no bytes.
    pub sparse: Vec<usize>,
}

impl Page {
    /// A page whose pixel in column x and row y is `colour(x, y)`.
    #[must_use]
    pub fn new(width: u32, height: u32, tile: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| colour(x, y));
        Self { pixels: pixels.collect(), width, height, tile, ..Self::default() }
    }

    /// The bytes of each tile, those at the edges filled up with black.
    fn tiles(&self) -> Vec<Vec<u8>> {
        if self.tile == 0 {
            return vec![self.pixels.clone()];
        }
        let (across, down) = (self.width.div_ceil(self.tile), self.height.div_ceil(self.tile));
        let pixel = |x: u32, y: u32| {
            let at = 3 * (y as usize * self.width as usize + x as usize);
            if x < self.width && y < self.height { [0, 1, 2].map(|c| self.pixels[at + c]) } else { [0; 3] }
        };
        let tile = |index: u32| {
            let (left, top) = (index % across * self.tile, index / across * self.tile);
            let places = (0..self.tile).flat_map(|y| (0..self.tile).map(move |x| (x, y)));
            places.flat_map(|(x, y)| pixel(left + x, top + y)).collect()
        };
        (0..across * down).map(tile).collect()
    }
}

/// Tag, type, values, and bytes of a text.
type Entry = (u16, u16, Vec<u32>, Vec<u8>);

/// A classic little-endian TIFF of these pages; with `sub` all but the first are SubIFDs of the first.
#[must_use]
pub fn tiff(pages: &[Page], sub: bool) -> Vec<u8> {
    let mut file = b"II\x2a\0\0\0\0\0".to_vec();
    let mut directories: Vec<Vec<Entry>> = Vec::new();
    for page in pages {
        let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
        for (index, tile) in page.tiles().into_iter().enumerate() {
            let sparse = page.sparse.contains(&index);
            offsets.push(if sparse { 0 } else { file.len() as u32 });
            lengths.push(if sparse { 0 } else { tile.len() as u32 });
            if !sparse {
                file.extend(tile);
            }
        }
        let mut entries = vec![
            (256, 4, vec![page.width], vec![]),
            (257, 4, vec![page.height], vec![]),
            (258, 4, vec![8, 8, 8], vec![]),
            (259, 4, vec![1], vec![]),
            (262, 4, vec![2], vec![]),
            (270, 2, vec![], [page.description.as_bytes(), b"\0"].concat()),
            (277, 4, vec![3], vec![]),
        ];
        if page.tile == 0 {
            entries.extend([(273, 4, offsets, vec![]), (278, 4, vec![page.height], vec![]), (279, 4, lengths, vec![])]);
        } else {
            let sides = [(322, 4, vec![page.tile], vec![]), (323, 4, vec![page.tile], vec![])];
            entries.extend(sides.into_iter().chain([(324, 4, offsets, vec![]), (325, 4, lengths, vec![])]));
        }
        for &(tag, value) in &page.more {
            entries.retain(|entry| entry.0 != tag);
            entries.push((tag, 4, vec![value], vec![]));
        }
        directories.push(entries);
    }
    // the main page last, so that it can name those below it
    let order: Vec<usize> = if sub { (1..pages.len()).chain([0]).collect() } else { (0..pages.len()).collect() };
    let (mut below, mut link) = (Vec::new(), 4);
    for index in order {
        let mut entries = directories[index].clone();
        if sub && index == 0 {
            entries.push((330, 4, below.clone(), vec![]));
        }
        entries.sort_by_key(|entry| entry.0);
        let mut raw = (entries.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, numbers, text) in entries {
            let values = if kind == 2 { text } else { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
            let count = if kind == 2 { values.len() } else { values.len() / 4 };
            raw.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            raw.extend((count as u32).to_le_bytes());
            if values.len() <= 4 {
                raw.extend([&values[..], &[0; 4][values.len()..]].concat());
            } else {
                raw.extend((file.len() as u32).to_le_bytes());
                file.extend(values);
            }
        }
        let at = file.len() as u32;
        if sub && index > 0 {
            below.push(at);
        } else {
            file[link..link + 4].copy_from_slice(&at.to_le_bytes());
            link = file.len() + raw.len();
        }
        file.extend(raw);
        file.extend([0; 4]);
    }
    file
}
