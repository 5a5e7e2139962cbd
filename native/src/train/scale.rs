//! At which scale a network sees tissue, for the model's card.

use histomask_core::preprocess::ResizeRule;

use crate::data::image::image_size;
use crate::data::{Dataset, Layout};
use crate::profile::Profile;

/// Microns per pixel of GlaS's images (Sirinukunwattana et al., arXiv:1603.00275, section 3).
const GLAS_MPP: f64 = 0.62;
/// Images whose size is looked at.
const SAMPLE: usize = 200;

/// Microns per pixel after the resize of the profile: that of the data times the median factor over training images.
/// Nothing where the data's is not known.
pub(super) fn input_mpp(profile: &Profile, dataset: &Dataset) -> Option<f64> {
    let known = (profile.data.mpp > 0.0).then_some(profile.data.mpp);
    let of_data = known.or((dataset.layout == Layout::Glas).then_some(GLAS_MPP))?;
    let input = profile.input.preprocess();
    if input.resize == ResizeRule::None {
        return Some(of_data);
    }
    let every = dataset.train.len().div_ceil(SAMPLE).max(1);
    let mut factors: Vec<f64> = (dataset.train.iter().step_by(every))
        .filter_map(|sample| image_size(&sample.image).ok())
        .map(|(width, height)| {
            let [seen_width, seen_height] = input.resize.target(width as usize, height as usize, input.size);
            let across = f64::from(width) / seen_width.max(1) as f64;
            (across * f64::from(height) / seen_height.max(1) as f64).sqrt()
        })
        .collect();
    factors.sort_by(f64::total_cmp);
    // four digits are more than a scanner keeps
    factors.get(factors.len() / 2).map(|factor| (of_data * factor * 1e4).round() / 1e4)
}
