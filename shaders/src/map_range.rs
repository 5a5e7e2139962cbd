use crate::MaskParams;
use crate::parallel::chunks;
use crate::soft_mask::{blended_row, mix};
use crate::taps::{Taps, taps};

/// Twin of [`MAP_RANGE`](crate::MAP_RANGE): coarse maps `[B, h, w]` to the extremes of the resampled map's chunks,
/// `[B, chunks, 4]`: bits of the minimum and of the maximum, and their positions.
pub fn map_range(params: &MaskParams, coarse: &[f32], partial: &mut [u32]) {
    let [height, width] = [params.height as usize, params.width as usize];
    let (count, pixels) = (params.chunks as usize, height * width);
    let upsampling = Upsampling::new(params);
    chunks(partial, 4, |index, extremes| {
        let (sample, chunk) = (index / count, index % count);
        let (mut low, mut high) = ((f32::INFINITY, u32::MAX), (f32::NEG_INFINITY, u32::MAX));
        upsampling.visit(sample, chunk_bounds(chunk, pixels, count), coarse, |position, values| {
            let position = (sample * pixels + position) as u32;
            let find = |wanted: f32| {
                let found = values.iter().position(|&value| value == wanted || value.is_nan() && wanted.is_nan());
                (wanted, position + found.unwrap_or_default() as u32)
            };
            let (least, most) = range(values);
            if least < low.0 || low.1 == u32::MAX || least.is_nan() && !low.0.is_nan() {
                low = find(least);
            }
            if most > high.0 || high.1 == u32::MAX || most.is_nan() && !high.0.is_nan() {
                high = find(most);
            }
        });
        extremes.copy_from_slice(&[low.0.to_bits(), high.0.to_bits(), low.1, high.1]);
    });
}

/// Minimum and maximum; both NaN if there is one.
fn range(values: &[f32]) -> (f32, f32) {
    const LANES: usize = 16;
    let (mut low, mut high, mut nan) = ([f32::INFINITY; LANES], [f32::NEG_INFINITY; LANES], [false; LANES]);
    for values in values.chunks(LANES) {
        for (lane, &value) in values.iter().enumerate() {
            low[lane] = if value < low[lane] { value } else { low[lane] };
            high[lane] = if value > high[lane] { value } else { high[lane] };
            nan[lane] |= value.is_nan();
        }
    }
    if nan.contains(&true) {
        return (f32::NAN, f32::NAN);
    }
    (low.into_iter().fold(f32::INFINITY, f32::min), high.into_iter().fold(f32::NEG_INFINITY, f32::max))
}

/// The pixels of a chunk.
pub(crate) fn chunk_bounds(chunk: usize, pixels: usize, chunks: usize) -> std::ops::Range<usize> {
    let size = pixels.div_ceil(chunks);
    let begin = (chunk * size).min(pixels);
    begin..(begin + size).min(pixels)
}

/// Resampling of coarse maps to an image's size.
pub(crate) struct Upsampling {
    map: [usize; 2],
    image: [usize; 2],
    align_corners: bool,
    columns: Vec<Taps>,
}

impl Upsampling {
    pub(crate) fn new(params: &MaskParams) -> Self {
        let map @ [_, map_width] = [params.map_height as usize, params.map_width as usize];
        let image @ [_, width] = [params.height as usize, params.width as usize];
        let align_corners = params.align_corners != 0;
        let columns = (0..width).map(|x| taps(x, width, map_width, align_corners)).collect();
        Self { map, image, align_corners, columns }
    }

    /// Calls `visit(first pixel, values)` for each row, or part of one, of `pixels` of a sample.
    pub(crate) fn visit(
        &self,
        sample: usize,
        pixels: std::ops::Range<usize>,
        coarse: &[f32],
        mut visit: impl FnMut(usize, &mut [f32]),
    ) {
        let ([map_height, map_width], [height, width]) = (self.map, self.image);
        let map = &coarse[sample * map_height * map_width..][..map_height * map_width];
        let mut values = vec![0.0; width];
        let mut begin = pixels.start;
        while begin < pixels.end {
            let (row, column) = (begin / width, begin % width);
            let end = pixels.end.min((row + 1) * width);
            let blended = blended_row(map, map_width, taps(row, height, map_height, self.align_corners));
            let values = &mut values[..end - begin];
            for (value, taps) in values.iter_mut().zip(&self.columns[column..]) {
                *value = mix(blended[taps.low], blended[taps.high], taps.fraction);
            }
            visit(begin, values);
            begin = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_extremes_and_a_nan_are_found() {
        let (map_height, map_width, height, width) = (2, 3, 2, 3);
        let mut params =
            MaskParams { batch: 2, map_height, map_width, height, width, chunks: 2, ..MaskParams::default() };
        let mut partial = [0; 16];
        map_range(&params, &[1.0, -2.0, -2.0, 5.0, 6.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN], &mut partial);
        let bits = f32::to_bits;
        assert_eq!(partial[..8], [bits(-2.0), bits(1.0), 1, 0, bits(5.0), bits(6.0), 3, 4]);
        // the pixel on the left reads it too, with weight 0
        assert_eq!(partial[12..], [bits(f32::NAN), bits(f32::NAN), 10, 10]);
        params = MaskParams { batch: 1, chunks: 7, ..params };
        let mut partial = [0; 28];
        map_range(&params, &[0.0; 6], &mut partial);
        assert_eq!(partial[24..], [bits(f32::INFINITY), bits(f32::NEG_INFINITY), u32::MAX, u32::MAX]);
    }
}
