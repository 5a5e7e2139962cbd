use super::morphology::fill_holes;
use crate::regions::Regions;

/// Where the mask's foreground begins.
const FOREGROUND: f32 = 0.5;
/// Just below, in 8 bits too.
const BELOW: f32 = 0.498;

/// Pieces of foreground smaller than `smallest` pixels become background, then holes that small foreground; holes at the
/// border are none. What changes is put just on the other side of 0.5, so that its order among pixels stays nearly as it
/// was.
pub(super) fn without_small_pieces(mask: &mut [f32], size: [usize; 2], smallest: usize) {
    let pieces = Regions::of(mask, size[1], size[0], |soft| soft >= FOREGROUND);
    pieces.visit(|piece| piece.pixels < smallest, |pixel| mask[pixel] = mask[pixel].min(BELOW));
    let inside: Vec<bool> = mask.iter().map(|&soft| soft >= FOREGROUND).collect();
    let filled = fill_holes(inside, size, smallest.saturating_sub(1));
    mask.iter_mut().zip(filled).filter(|(_, inside)| *inside).for_each(|(soft, _)| *soft = soft.max(FOREGROUND));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specks_and_pinholes_go_and_larger_ones_stay() {
        let rows = ["#..####", "...#.##", "##.####", "##....."];
        let size = [rows.len(), rows[0].len()];
        let soft = |rows: &[&str]| -> Vec<f32> {
            rows.iter().flat_map(|row| row.bytes().map(|byte| if byte == b'#' { 0.9 } else { 0.1 })).collect()
        };
        let foreground = |mask: &[f32]| mask.iter().map(|&soft| soft >= 0.5).collect::<Vec<_>>();
        let mut mask = soft(&rows);
        without_small_pieces(&mut mask, size, 2);
        assert_eq!(foreground(&mask), foreground(&soft(&["...####", "...####", "##.####", "##....."])));
        assert_eq!(mask[0], BELOW, "as near as it may be to what it was");
        let mut mask = soft(&rows);
        without_small_pieces(&mut mask, size, 5);
        assert_eq!(foreground(&mask), foreground(&soft(&["...####", "...####", "...####", "......."])));
        let mut mask = soft(&rows);
        without_small_pieces(&mut mask, size, 0);
        assert_eq!(mask, soft(&rows));
    }
}
