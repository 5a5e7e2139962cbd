//! The paper's numbers (Tables 1 to 4, Figs. 5 and 6; `spec` §4 and §7).

use crate::method::MethodChoice;
use histomask_core::MethodKind as K;

/// Classification error, F1+ and F1- in percent; absent where the paper has a dash.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scores {
    pub(crate) class_error: Option<f64>,
    pub(crate) f1_plus: f64,
    pub(crate) f1_minus: f64,
}

const fn row(class_error: f64, f1_plus: f64, f1_minus: f64) -> Scores {
    Scores { class_error: Some(class_error), f1_plus, f1_minus }
}

const fn masks_only(f1_plus: f64, f1_minus: f64) -> Scores {
    Scores { class_error: None, f1_plus, f1_minus }
}

/// Table 1, GlaS.
pub(crate) fn table1(method: MethodChoice) -> Option<Scores> {
    use MethodChoice as M;
    Some(match method {
        M::Of(K::AllOnes) => masks_only(66.01, 0.0),
        M::Of(K::Pn) => masks_only(65.52, 24.08),
        M::Of(K::Erase) => row(7.50, 65.60, 25.01),
        M::Of(K::CamMax) => row(1.25, 66.00, 26.32),
        M::Of(K::CamLse) => row(1.25, 66.05, 27.93),
        M::Of(K::GradCam) => row(0.0, 66.30, 21.30),
        M::Of(K::CamAvg) => row(0.0, 66.90, 17.88),
        M::Of(K::Wildcat) => row(1.25, 67.21, 22.96),
        M::Of(K::DeepMil) => row(2.50, 68.52, 41.34),
        M::MaxMinEem => row(0.0, 72.11, 69.07),
        M::MaxMinSem => row(0.0, 71.94, 69.23),
        M::Of(K::UNet) => masks_only(90.19, 88.52),
        M::Of(_) => return None,
    })
}

/// Table 2, Camelyon16. The rows of PN and ERASE contradict Fig. 6 (`spec` §4).
pub(crate) fn table2(method: MethodChoice) -> Option<Scores> {
    use MethodChoice as M;
    Some(match method {
        M::Of(K::AllOnes) => masks_only(59.44, 0.0),
        M::Of(K::Pn) => masks_only(31.15, 37.36),
        M::Of(K::Erase) => row(8.61, 31.30, 42.48),
        M::Of(K::CamMax) => row(10.06, 48.28, 81.92),
        M::Of(K::CamLse) => row(1.51, 64.31, 63.78),
        M::Of(K::GradCam) => row(2.40, 62.78, 79.05),
        M::Of(K::CamAvg) => row(2.40, 62.75, 79.05),
        M::Of(K::Wildcat) => row(1.48, 62.73, 72.59),
        M::Of(K::DeepMil) => row(1.93, 59.01, 36.94),
        M::MaxMinEem => row(6.26, 67.98, 88.80),
        M::MaxMinSem => row(6.95, 68.26, 88.55),
        M::Of(K::UNet) => masks_only(71.11, 89.68),
        M::Of(_) => return None,
    })
}

/// Table 3: parameters, and seconds for an image of GlaS on a GTX 1080 Ti.
pub(crate) fn table3(method: MethodChoice) -> Option<(u64, f64)> {
    use MethodChoice as M;
    Some(match method {
        M::Of(K::Pn) => (11_330_122, 0.0034),
        M::Of(K::Erase) => (11_326_016, 0.0027),
        M::Of(K::CamMax) => (11_177_538, 0.3111),
        M::Of(K::CamLse) => (11_177_538, 0.3790),
        M::Of(K::GradCam) => (11_177_538, 5.2132),
        M::Of(K::CamAvg) => (11_177_538, 0.3295),
        M::Of(K::Wildcat) => (11_180_616, 0.3596),
        M::Of(K::DeepMil) => (11_243_460, 0.4523),
        M::Of(K::MaxMin) => (11_335_252, 0.0190),
        M::Of(K::UNet) => (14_154_706, 0.0081),
        M::Of(_) | M::MaxMinEem | M::MaxMinSem => return None,
    })
}

/// Table 4 in the order of its rows: WILDCAT, FG, FG+EEM, FG+EEM+ASC, FG+SEM, FG+SEM+ASC.
pub(crate) const TABLE4: [Scores; 6] = [
    row(1.25, 67.21, 22.96),
    row(1.25, 71.54, 49.23),
    row(1.25, 72.54, 61.82),
    row(0.0, 72.11, 69.07),
    row(1.25, 72.96, 61.95),
    row(0.0, 71.94, 69.23),
];

/// Figs. 5 and 6: percent of true foreground and of true background that is predicted as foreground.
pub(crate) fn confusion(method: MethodChoice) -> Option<[[f64; 2]; 2]> {
    use MethodChoice as M;
    Some(match method {
        M::Of(K::CamAvg) => [[94.93, 86.29], [72.95, 15.88]],
        M::Of(K::CamMax) => [[89.14, 78.26], [44.08, 11.62]],
        M::Of(K::CamLse) => [[88.58, 76.90], [92.61, 31.64]],
        M::Of(K::Wildcat) => [[92.84, 81.41], [83.09, 23.39]],
        M::Of(K::DeepMil) => [[88.73, 66.71], [73.10, 52.56]],
        M::Of(K::GradCam) => [[92.55, 84.26], [73.01, 15.88]],
        M::Of(K::Pn) => [[90.49, 81.07], [90.68, 72.73]],
        M::Of(K::Erase) => [[90.67, 79.14], [67.75, 67.30]],
        M::MaxMinSem => [[71.43, 26.32], [67.19, 4.39]],
        M::MaxMinEem => [[73.18, 28.13], [66.66, 4.04]],
        M::Of(K::UNet) => [[88.93, 8.33], [72.03, 3.80]],
        M::Of(_) => return None,
    })
}
