//! Sample values narrower than a byte.

/// Values of `bits` (1 to 8) each, whose rows of `per_row` begin at whole bytes, as a byte each.
pub(super) fn unpacked(packed: Vec<u8>, per_row: usize, rows: usize, bits: u32) -> Vec<u8> {
    if bits == 8 {
        return packed;
    }
    let bits = bits as usize;
    let mask = (1_u16 << bits) - 1;
    let stride = (per_row * bits).div_ceil(8);
    let mut values = Vec::with_capacity(per_row * rows);
    for row in packed.chunks(stride.max(1)).take(rows) {
        values.extend((0..per_row).map(|index| {
            let (byte, shift) = (index * bits / 8, index * bits % 8);
            let at = |byte: usize| u16::from(row.get(byte).copied().unwrap_or_default());
            let both = at(byte) << 8 | at(byte + 1);
            (both >> (16 - bits - shift) & mask) as u8
        }));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_begin_at_bytes() {
        assert_eq!(unpacked(vec![0b1010_0000, 0b0110_0000], 3, 2, 1), [1, 0, 1, 0, 1, 1]);
        assert_eq!(unpacked(vec![0b1101_1000], 3, 1, 2), [3, 1, 2]);
        assert_eq!(unpacked(vec![0xab, 0xc0], 3, 1, 4), [10, 11, 12]);
        assert_eq!(unpacked(vec![0b1010_1111, 0b1000_0000], 3, 1, 3), [5, 3, 7]);
    }
}
