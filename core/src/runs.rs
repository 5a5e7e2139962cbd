//! Where a long row that is mostly empty holds something: what goes over a whole slide row by row looks there alone.

use std::ops::Range;

/// Values that are looked at together.
const BLOCK: usize = 64;

/// The parts of a row outside of which nothing is `set`, in whole blocks, from the left.
pub fn runs<T: Copy>(row: &[T], set: impl Fn(T) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut blocks = row.chunks(BLOCK).enumerate();
    std::iter::from_fn(move || {
        // without an early end, so that a block is one comparison
        let any = |block: &[T]| block.iter().fold(false, |any, &value| any | set(value));
        let (first, block) = blocks.find(|(_, block)| any(block))?;
        let mut end = first * BLOCK + block.len();
        for (_, block) in blocks.by_ref() {
            if !any(block) {
                break;
            }
            end += block.len();
        }
        Some(first * BLOCK..end)
    })
}

/// How many values of a row are `set`.
pub fn count<T: Copy>(row: &[T], set: impl Fn(T) -> bool) -> u64 {
    let of = |run: Range<usize>| row[run].iter().filter(|&&value| set(value)).count() as u64;
    runs(row, &set).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_hold_all_that_is_set() {
        let mut row = vec![0_u8; 300];
        for at in [0, 63, 130, 140, 299] {
            row[at] = 9;
        }
        let found: Vec<_> = runs(&row, |value| value > 0).collect();
        assert_eq!(found, [0..64, 128..192, 256..300]);
        assert_eq!(count(&row, |value| value > 8), 5);
        row[64..128].fill(1);
        assert_eq!(runs(&row, |value| value > 0).next(), Some(0..192));
        assert_eq!(runs(&row, |value| value > 9).next(), None);
        assert_eq!(runs(&[] as &[u8], |_| true).next(), None);
    }
}
