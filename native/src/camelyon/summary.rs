//! What was sampled, in numbers beside the published ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::lists::Listed;
use super::patch::share;
use super::published::{ALL_ONES, CALIBRATED, Counts, FOLD_0};
use super::settings::SampleSettings;
use super::slides::WholeSlide;
use crate::data::Split;

/// Patches of tumour of the training or the test slides.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Tumour {
    /// `training` or `test`.
    pub(crate) slides: &'static str,
    /// From p0 to p1, all kept.
    pub(crate) category_a: usize,
    /// Above p1, as found and as kept.
    pub(crate) category_b_found: usize,
    pub(crate) category_b: usize,
}

/// A split in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Set {
    pub(crate) split: Split,
    pub(crate) tumour_slides: usize,
    pub(crate) normal_slides: usize,
    pub(crate) tumour: usize,
    pub(crate) normal: usize,
    /// F1+ in percent of a mask that is foreground everywhere, over the patches of tumour.
    pub(crate) all_ones_f1_plus: Option<f64>,
}

/// Everything in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) schema: u32,
    pub(crate) histomask: &'static str,
    pub(crate) settings: SampleSettings,
    pub(crate) tumour: Vec<Tumour>,
    pub(crate) sets: Vec<Set>,
    pub(crate) failed: Vec<String>,
}

/// Counts what was listed.
pub(super) fn count(
    settings: &SampleSettings,
    slides: &[WholeSlide],
    listed: &[Listed<'_>],
    failed: &BTreeSet<String>,
) -> Summary {
    let metastatic = |one: &Listed<'_>| share(one.patch.metastatic, settings.size);
    let tumour = [("training", false), ("test", true)].map(|(slides, test)| {
        let own: Vec<_> =
            listed.iter().filter(|one| one.slide.has_tumour() && (one.slide.split == Split::Test) == test).collect();
        let many: Vec<_> = own.iter().filter(|one| metastatic(one) > settings.p1).collect();
        Tumour {
            slides,
            category_a: own.len() - many.len(),
            category_b_found: many.len(),
            category_b: many.iter().filter(|one| one.kept).count(),
        }
    });
    let sets = Split::ALL.map(|split| {
        let slides = |tumour| {
            let own = slides.iter().filter(|slide| slide.split == split && slide.has_tumour() == tumour);
            own.filter(|slide| !failed.contains(&slide.name)).count()
        };
        let own: Vec<_> = listed.iter().filter(|one| one.kept && one.slide.split == split).collect();
        let shares: Vec<_> = own.iter().filter(|one| one.slide.has_tumour()).map(|one| metastatic(one)).collect();
        Set {
            split,
            tumour_slides: slides(true),
            normal_slides: slides(false),
            tumour: shares.len(),
            normal: own.len() - shares.len(),
            all_ones_f1_plus: all_ones(&shares),
        }
    });
    Summary {
        schema: 1,
        histomask: env!("CARGO_PKG_VERSION"),
        settings: settings.clone(),
        tumour: tumour.to_vec(),
        sets: sets.to_vec(),
        failed: failed.iter().cloned().collect(),
    }
}

/// F1+ in percent of masks that are foreground everywhere, where this share of each patch is tumour: 2p / (1 + p).
pub(super) fn all_ones(shares: &[f64]) -> Option<f64> {
    let sum: f64 = shares.iter().map(|share| 2.0 * share / (1.0 + share)).sum();
    (!shares.is_empty()).then(|| 100.0 * sum / shares.len() as f64)
}

impl Summary {
    /// A table for people. The published counts are those of 512 pixels, p0 0.2, p1 0.5 and fold 0.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{:<40}{:>10}{:>12}\n", "", "here", "published");
        let mut line = |name: String, here: String, published: String| {
            let _ = writeln!(text, "{name:<40}{here:>10}{published:>12}");
        };
        for (tumour, published) in self.tumour.iter().zip(CALIBRATED) {
            let Counts { few, many, many_kept } = published;
            let (slides, p0, p1) = (tumour.slides, self.settings.p0, self.settings.p1);
            line(format!("{slides}: tumour {p0} to {p1} (A)"), tumour.category_a.to_string(), few.to_string());
            line(format!("{slides}: tumour above {p1}, found"), tumour.category_b_found.to_string(), many.to_string());
            line(
                format!("{slides}: tumour above {p1}, kept (B)"),
                tumour.category_b.to_string(),
                many_kept.to_string(),
            );
        }
        for (set, published) in self.sets.iter().zip(FOLD_0) {
            let published =
                if self.settings.fold == 0 || set.split == Split::Test { published.to_string() } else { "–".into() };
            line(
                format!("{}: tumour, {} slides", set.split, set.tumour_slides),
                set.tumour.to_string(),
                published.clone(),
            );
            line(format!("{}: normal, {} slides", set.split, set.normal_slides), set.normal.to_string(), published);
        }
        if let Some(all_ones) = self.sets.last().and_then(|set| set.all_ones_f1_plus) {
            line("test: F1+ of All-ones".into(), format!("{all_ones:.4}"), format!("{ALL_ONES:.4}"));
        }
        text.trim_end().to_owned()
    }
}
