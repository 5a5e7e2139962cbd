use crate::resample::bilinear_slice;

/// The largest 32-bit float below 0.5.
const BELOW_HALF: f32 = 0.499_999_97;

/// The region a mask is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// What speaks for one class. A pixel where classes tie belongs to it (`spec` §5.5).
    Class(usize),
    /// What speaks for any class but this one. A pixel that ties with it is background.
    AnyBut(usize),
}

/// How interpolated maps become a soft mask.
///
/// Each rule is the method's published one (`spec` §5.0): a pixel is foreground by the rule exactly where the soft mask
/// reaches 0.5. So one threshold, one precision-recall curve and one overlay serve all methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decision {
    /// One map, the soft mask itself, whatever the class.
    Soft,
    /// One map a class: foreground where the class has the highest. Soft mask: sigmoid of the lead over the others.
    Argmax,
    /// Two maps of background and foreground, whatever the class: foreground where the second is higher.
    TwoRegions,
    /// One map a class: foreground above this value `u`. Soft mask: `a / (a + u)`.
    Above(f32),
    /// One map a class and round: foreground where any round reaches this share of the map's maximum, negative values
    /// cut off.
    Peak(f32),
}

/// A mask value on the side of 0.5 that the published rule has decided for.
fn on_its_side(foreground: bool, soft: f32) -> f32 {
    if foreground { soft.max(0.5) } else { soft.min(BELOW_HALF) }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Decision {
    /// The soft mask of a region, `to[0] * to[1]` values in `[0, 1]`.
    ///
    /// `maps` holds `[N, h, w]` with `size = [h, w]`, `classes` is C; N is C, C a round, 2 or 1, as the rule needs. A
    /// class that has no map is nowhere.
    #[must_use]
    pub fn mask(
        self,
        maps: &[f32],
        size: [usize; 2],
        classes: usize,
        of: Target,
        to: [usize; 2],
        align_corners: bool,
    ) -> Vec<f32> {
        // one at a time at full size: with many classes all of them would be most of the memory
        let maps = maps.chunks_exact((size[0] * size[1]).max(1));
        let whole = |map: &[f32]| bilinear_slice(map, size, to, align_corners);
        let wanted = |class: usize| match of {
            Target::Class(one) => class == one,
            Target::AnyBut(normal) => class != normal,
        };
        match self {
            Self::Soft => maps.map(whole).next().unwrap_or_default(),
            Self::TwoRegions => lead(maps.map(whole), to, &|region| region == 1, false),
            Self::Argmax => lead(maps.map(whole), to, &wanted, matches!(of, Target::Class(_))),
            Self::Above(limit) => {
                let maps = maps.enumerate().filter(|&(class, _)| wanted(class)).map(|(_, map)| whole(map));
                union(maps, to, |map| map.iter().map(|&a| on_its_side(a > limit, a / (a + limit))).collect())
            }
            Self::Peak(share) => {
                let of_region = |index: usize| wanted(index % classes.max(1));
                let maps = maps.enumerate().filter(|&(index, _)| of_region(index)).map(|(_, map)| whole(map));
                union(maps, to, |map| peak(map, share))
            }
        }
    }
}

/// By how much the wanted maps lead over the others, through a sigmoid.
fn lead(
    maps: impl Iterator<Item = Vec<f32>>,
    size: [usize; 2],
    wanted: &dyn Fn(usize) -> bool,
    ties: bool,
) -> Vec<f32> {
    let (mut ours, mut others) =
        (vec![f32::NEG_INFINITY; size[0] * size[1]], vec![f32::NEG_INFINITY; size[0] * size[1]]);
    for (index, map) in maps.enumerate() {
        let highest = if wanted(index) { &mut ours } else { &mut others };
        highest.iter_mut().zip(map).for_each(|(highest, value)| *highest = highest.max(value));
    }
    let soft = |(ours, other): (f32, f32)| {
        let lead = ours - other;
        on_its_side(lead > 0.0 || (ties && lead == 0.0), sigmoid(lead))
    };
    ours.into_iter().zip(others).map(soft).collect()
}

/// The largest value at each pixel among maps, each made soft first.
fn union(maps: impl Iterator<Item = Vec<f32>>, size: [usize; 2], soft: impl Fn(&[f32]) -> Vec<f32>) -> Vec<f32> {
    let mut mask = vec![0f32; size[0] * size[1]];
    for map in maps {
        mask.iter_mut().zip(soft(&map)).for_each(|(mask, value)| *mask = mask.max(value));
    }
    mask
}

/// [`heat`](super::heat) and [`peak`](super::peak) on the host, bent so that `share` of the maximum becomes 0.5.
fn peak(map: &[f32], share: f32) -> Vec<f32> {
    let maximum = map.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let bend = |heat: f32| {
        if heat < share { 0.5 * heat / share } else { 0.5 + 0.5 * (heat - share) / (1.0 - share).max(f32::EPSILON) }
    };
    map.iter()
        .map(|&value| {
            let heat = value.max(0.0) / maximum;
            on_its_side(heat >= share, bend(heat).min(1.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [1, 4];

    fn foreground(decision: Decision, maps: &[f32], of: Target) -> Vec<bool> {
        let mask = decision.mask(maps, SIZE, 2, of, SIZE, true);
        assert!(mask.iter().all(|value| (0.0..=1.0).contains(value)), "{mask:?}");
        mask.iter().map(|&value| value >= 0.5).collect()
    }

    #[test]
    fn argmax_gives_every_pixel_to_one_class_and_ties_to_the_class_asked_for() {
        // the third pixel leads by less than a sigmoid can tell from 0.5
        let maps = [1.0, 2.0, 1e-9, 3.0, 2.0, 1.0, 0.0, 3.0];
        assert_eq!(foreground(Decision::Argmax, &maps, Target::Class(0)), [false, true, true, true]);
        assert_eq!(foreground(Decision::Argmax, &maps, Target::Class(1)), [true, false, false, true]);
        assert_eq!(foreground(Decision::Argmax, &maps, Target::AnyBut(0)), [true, false, false, false]);
        assert_eq!(foreground(Decision::TwoRegions, &maps, Target::Class(0)), [true, false, false, false]);
    }

    #[test]
    fn attention_must_exceed_its_limit() {
        let maps = [0.1, 0.125, 0.126, 1.0, 0.0, 0.2, 0.0, 0.0];
        assert_eq!(foreground(Decision::Above(0.125), &maps, Target::Class(0)), [false, false, true, true]);
        assert_eq!(foreground(Decision::Above(0.125), &maps, Target::AnyBut(0)), [false, true, false, false]);
        let soft = Decision::Above(0.125).mask(&maps, SIZE, 2, Target::Class(0), SIZE, true);
        assert!((soft[0] - 0.1 / 0.225).abs() < 1e-6 && (soft[3] - 1.0 / 1.125).abs() < 1e-6, "{soft:?}");
    }

    #[test]
    fn peaks_of_all_rounds_are_united() {
        // two classes, two rounds: the first class peaks at the last pixel, then at the first; vector `erase_step`
        let maps = [0.3, -1.0, 1.58, 2.0, 0.0, 0.0, 0.0, 0.0, 5.0, 3.9, 0.0, 0.0, -1.0, -2.0, -1.0, -1.0];
        assert_eq!(foreground(Decision::Peak(0.8), &maps, Target::Class(0)), [true, false, false, true]);
        assert_eq!(foreground(Decision::Peak(0.2), &maps, Target::Class(0)), [true, true, true, true]);
        assert_eq!(foreground(Decision::Peak(0.8), &maps, Target::Class(1)), [false; 4]);
    }
}
