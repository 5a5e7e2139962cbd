use super::Summary;

/// The whole image must name the class this many percentage points better than guessing, or the probe says nothing.
const LEAST_MARGIN: f64 = 10.0;

/// Share of the whole image's advantage over guessing above which a region counts as naming the class.
const HALF: f64 = 0.5;

/// Mean IoU below which masks count as unstable.
const STABLE: f64 = 0.5;

/// One sentence for a person, by the rule in `docs/TRUST.md`.
///
/// With `w`, `f`, `b` the probe's accuracy from the whole image, from `X⁺` and from `X⁻`, and `m` the majority's share:
///
/// 1. `w - m` below 10 points or below two standard errors of `m`: the probe cannot tell.
/// 2. `b - m > (w - m) / 2`: the masks miss tissue that matters.
/// 3. `f - m > (w - m) / 2`: the masks hold it.
/// 4. Else neither region names the class alone.
///
/// A clause is added where a mask changes by more than half under turns or stain.
#[must_use]
pub fn sentence(summary: &Summary) -> String {
    let stability = [summary.orientation_stability, summary.stain_stability].into_iter().flatten().reduce(f64::min);
    let unstable = stability.filter(|&iou| iou < STABLE).map_or_else(String::new, |iou| {
        format!("; and they change when the image is turned or stained a little differently (IoU {iou:.2})")
    });
    let Some(probes) = summary.probes else {
        return format!("Too few images to say whether the masks hold what names the class{unstable}.");
    };
    let (whole, kept, left) = (probes.whole_percent, probes.foreground_percent, probes.background_percent);
    let guess = probes.majority_percent;
    let n = probes.images;
    let share = guess / 100.0;
    let error = 100.0 * (share * (1.0 - share) / n.max(1) as f64).sqrt();
    let advantage = whole - guess;
    let names = |percent: f64| percent - guess > HALF * advantage;
    if advantage < LEAST_MARGIN.max(2.0 * error) {
        format!(
            "From {n} images nothing can be said about the masks: an independent classifier names the class from the \
             whole image for {whole:.0} % ({guess:.0} % by guessing){unstable}."
        )
    } else if names(left) {
        format!(
            "The class can be named from what the mask leaves out for {left:.0} % of {n} images ({guess:.0} % by guessing, \
             {whole:.0} % from the whole image): these masks miss tissue that matters{unstable}."
        )
    } else if names(kept) {
        format!(
            "The class can be named from what the mask keeps for {kept:.0} % of {n} images, from what it leaves out for \
             {left:.0} % ({guess:.0} % by guessing): these masks hold the tissue that matters{unstable}."
        )
    } else {
        format!(
            "The class can be named neither from what the mask keeps ({kept:.0} % of {n} images) nor from what it leaves \
             out ({left:.0} %; {guess:.0} % by guessing, {whole:.0} % from the whole image): these masks cut through the \
             tissue that matters{unstable}."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Probes;

    fn said(whole: f64, kept: f64, left: f64, stability: f64) -> String {
        let probes = Probes {
            folds: 5,
            by_group: false,
            images: 100,
            majority_percent: 50.0,
            whole_percent: whole,
            foreground_percent: kept,
            background_percent: left,
        };
        sentence(&Summary {
            images: 100,
            probes: Some(probes),
            deletion: vec![],
            insertion: vec![],
            deletion_area: None,
            insertion_area: None,
            orientation_stability: Some(stability),
            stain_stability: Some(0.9),
            calibration: None,
            correlations: vec![],
        })
    }

    #[test]
    fn the_rule_has_four_ends() {
        assert!(said(59.0, 90.0, 50.0, 0.9).starts_with("From 100 images nothing can be said"));
        assert!(said(90.0, 90.0, 85.0, 0.9).contains("leaves out for 85 %"));
        assert!(said(90.0, 90.0, 55.0, 0.9).ends_with("hold the tissue that matters."));
        assert!(said(90.0, 60.0, 55.0, 0.9).contains("neither"));
        assert!(said(90.0, 90.0, 55.0, 0.3).ends_with("(IoU 0.30)."));
    }
}
