use crate::MaskParams;
use crate::parallel::chunks;
use crate::soft_mask::{blended_row, mix, soft};
use crate::taps::{Taps, taps};

/// Rows of the result that a task computes: few enough for two threads on one sample, and enough that the input rows
/// shared by two tasks, whose masks are computed twice, are few.
const BAND: usize = 16;

/// Twin of [`MASK_REGIONS`](crate::MASK_REGIONS): coarse maps `[B, h, w]`, their ranges `[B, 2]` and images
/// `[B, 3, H, W]` to `regions` `[B, region_stride]`, in each sample X⁺ `[3, H', W']`, X⁻ `[3, H', W']` and one value
/// left as it is.
pub fn mask_regions(params: &MaskParams, coarse: &[f32], range: &[f32], image: &[f32], regions: &mut [f32]) {
    let [height, width] = [params.height as usize, params.width as usize];
    let [region_height, region_width] = [params.region_height as usize, params.region_width as usize];
    let align_corners = params.align_corners != 0;
    let map_size = [params.map_height as usize, params.map_width as usize];
    let maps = NormalisedMaps::new(coarse, range, map_size, [height, width], align_corners);
    let columns: Vec<Taps> = (0..region_width).map(|x| read(x, region_width, width, align_corners)).collect();

    let plane = region_height * region_width;
    let mut bands = Vec::new();
    for (sample, values) in regions.chunks_mut(params.region_stride as usize).enumerate() {
        let mut planes: Vec<_> =
            values[..6 * plane].chunks_mut(plane).map(|plane| plane.chunks_mut(BAND * region_width)).collect();
        for first in (0..region_height).step_by(BAND) {
            bands.push((sample, first, planes.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()));
        }
    }
    let shrink = Shrink { params, maps, image, columns };
    chunks(&mut bands, 1, |_, bands| {
        for (sample, first, planes) in bands {
            shrink.band(*sample, *first, planes);
        }
    });
}

struct Shrink<'a> {
    params: &'a MaskParams,
    maps: NormalisedMaps<'a>,
    image: &'a [f32],
    columns: Vec<Taps>,
}

impl Shrink<'_> {
    /// Fills six planes `[rows, W']` of a sample, whose first row is `first`.
    fn band(&self, sample: usize, first: usize, planes: &mut [&mut [f32]]) {
        let [height, width] = [self.params.height as usize, self.params.width as usize];
        let (region_height, region_width) = (self.params.region_height as usize, self.columns.len());
        // the two input rows of an output row are neighbours: one is even, one odd
        let mut masks = [vec![0.0; width], vec![0.0; width]];
        let mut computed = [None; 2];
        let [mut front, mut whole] = [vec![0.0; width], vec![0.0; width]];
        let (foregrounds, backgrounds) = planes.split_at_mut(3);
        for y in 0..foregrounds[0].len() / region_width {
            let rows = read(first + y, region_height, height, self.params.align_corners != 0);
            for row in [rows.low, rows.high] {
                if computed[row % 2] != Some(row) {
                    computed[row % 2] = Some(row);
                    self.mask(sample, row, &mut masks[row % 2]);
                }
            }
            let [upper, lower] = [rows.low, rows.high].map(|row| &masks[row % 2][..width]);
            for (channel, (foreground, background)) in foregrounds.iter_mut().zip(&mut *backgrounds).enumerate() {
                let [top, bottom] = [rows.low, rows.high]
                    .map(|row| &self.image[((3 * sample + channel) * height + row) * width..][..width]);
                let (front, whole) = (&mut front[..width], &mut whole[..width]);
                for x in 0..width {
                    front[x] = mix(top[x] * upper[x], bottom[x] * lower[x], rows.fraction);
                    whole[x] = mix(top[x], bottom[x], rows.fraction);
                }
                let foreground = &mut foreground[y * region_width..][..region_width];
                let background = &mut background[y * region_width..][..region_width];
                for ((foreground, background), taps) in foreground.iter_mut().zip(background).zip(&self.columns) {
                    *foreground = mix(front[taps.low], front[taps.high], taps.fraction);
                    *background = mix(whole[taps.low], whole[taps.high], taps.fraction) - *foreground;
                }
            }
        }
    }

    fn mask(&self, sample: usize, row: usize, mask: &mut [f32]) {
        self.maps.write(sample, row, 0, mask);
        mask.iter_mut().for_each(|value| *value = soft(*value, self.params.omega, self.params.sigma));
    }
}

/// Taps of which the second is the first where it has no weight: a NaN there does not count.
pub(crate) fn read(position: usize, output: usize, input: usize, align_corners: bool) -> Taps {
    let taps = taps(position, output, input, align_corners);
    if taps.fraction == 0.0 { Taps { high: taps.low, ..taps } } else { taps }
}

/// The normalised maps at the images' size, a row at a time.
pub(crate) struct NormalisedMaps<'a> {
    coarse: &'a [f32],
    range: &'a [f32],
    map_size: [usize; 2],
    height: usize,
    align_corners: bool,
    columns: Vec<Taps>,
}

impl<'a> NormalisedMaps<'a> {
    /// Maps `[B, h, w]` with ranges `[B, 2]`, at `size` `[H, W]`.
    pub(crate) fn new(
        coarse: &'a [f32],
        range: &'a [f32],
        map_size: [usize; 2],
        [height, width]: [usize; 2],
        align_corners: bool,
    ) -> Self {
        let columns = (0..width).map(|x| taps(x, width, map_size[1], align_corners)).collect();
        Self { coarse, range, map_size, height, align_corners, columns }
    }

    /// Fills `values` with those of a row, from `column` on.
    pub(crate) fn write(&self, sample: usize, row: usize, column: usize, values: &mut [f32]) {
        let [map_height, map_width] = self.map_size;
        let map = &self.coarse[sample * map_height * map_width..][..map_height * map_width];
        let (low, inverse) = (self.range[2 * sample], self.range[2 * sample + 1]);
        let blended = blended_row(map, map_width, taps(row, self.height, map_height, self.align_corners));
        for (value, taps) in values.iter_mut().zip(&self.columns[column..]) {
            *value = (mix(blended[taps.low], blended[taps.high], taps.fraction) - low) * inverse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_shrinking_each_pixel_is_split_by_its_own_mask() {
        let params = MaskParams {
            batch: 1,
            map_height: 1,
            map_width: 2,
            height: 1,
            width: 2,
            omega: 5.0,
            sigma: 0.2,
            region_height: 1,
            region_width: 2,
            region_stride: 13,
            ..MaskParams::default()
        };
        let image = [1.0, f32::NAN, 0.5, f32::NAN, 0.0, f32::NAN];
        let mut regions = [9.0; 13];
        mask_regions(&params, &[0.7, 0.4], &[0.2, 2.0], &image, &mut regions);
        let mask = soft(1.0, 5.0, 0.2);
        for channel in 0..3 {
            let pixel = image[2 * channel];
            assert!((regions[2 * channel] - pixel * mask).abs() < 1e-6);
            assert!((regions[6 + 2 * channel] - pixel * (1.0 - mask)).abs() < 1e-6);
            assert!(regions[2 * channel + 1].is_nan() && regions[7 + 2 * channel].is_nan());
        }
        assert_eq!(regions[12], 9.0, "the size is another kernel's");
    }
}
