//! What is published of Camelyon16-P512: the slides of each fold, the counts, and which slides are known to be odd.

/// Validation slides of the five folds of split 0, by number: normal, tumour. The third fold has what is left.
const VALID: [(&[u16], &[u16]); 4] = [
    (
        &[
            80, 130, 26, 46, 94, 57, 79, 71, 137, 43, 95, 89, 21, 44, 42, 18, 85, 125, 22, 50, 31, 61, 111, 47, 136,
            25, 54, 73, 127, 19, 158, 133,
        ],
        &[56, 14, 39, 15, 82, 20, 76, 49, 87, 6, 64, 66, 103, 80, 9, 104, 37, 73, 16, 3, 89, 105, 107],
    ),
    (
        &[
            146, 9, 52, 97, 4, 96, 27, 154, 30, 14, 64, 151, 51, 36, 15, 28, 76, 148, 81, 5, 83, 13, 53, 118, 11, 34,
            99, 90, 74, 156, 63, 131,
        ],
        &[62, 110, 74, 97, 86, 57, 102, 43, 33, 88, 81, 42, 31, 69, 51, 101, 55, 45, 59, 61, 75, 72, 94],
    ),
    (
        &[
            82, 3, 37, 98, 120, 41, 106, 75, 116, 93, 138, 35, 16, 24, 140, 1, 17, 84, 134, 62, 122, 48, 143, 157, 159,
            153, 68, 160, 2, 126, 55, 29,
        ],
        &[24, 10, 27, 78, 5, 36, 12, 52, 96, 8, 98, 19, 50, 54, 106, 34, 77, 60, 2, 4, 26, 70, 7],
    ),
    (
        &[
            117, 72, 8, 149, 91, 114, 92, 101, 113, 88, 7, 33, 112, 69, 124, 87, 109, 141, 152, 123, 147, 103, 58, 67,
            129, 139, 78, 132, 40, 10, 100,
        ],
        &[29, 22, 85, 67, 41, 99, 11, 91, 28, 23, 58, 17, 47, 100, 92, 48, 93, 30, 71],
    ),
];
/// The fold of each row of [`VALID`].
const FOLDS: [usize; 4] = [0, 1, 3, 4];

/// Test slides with tumour.
const TEST_TUMOUR: [u8; 48] = [
    1, 2, 4, 8, 10, 11, 13, 16, 21, 26, 27, 29, 30, 33, 38, 40, 46, 48, 51, 52, 61, 64, 65, 66, 68, 69, 71, 73, 74, 75,
    79, 82, 84, 90, 92, 94, 97, 99, 102, 104, 105, 108, 110, 113, 116, 117, 121, 122,
];

/// Training slides whose tumour is not annotated everywhere.
const NOT_EXHAUSTIVE: [u8; 20] = [10, 15, 18, 20, 25, 29, 33, 34, 44, 46, 51, 54, 55, 56, 67, 79, 85, 92, 95, 110];

/// Patches of a set: metastatic up to p1, above p1 before and after the calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) few: usize,
    pub(super) many: usize,
    pub(super) many_kept: usize,
}

/// Of all training slides and of the test slides.
pub(super) const CALIBRATED: [Counts; 2] =
    [Counts { few: 10_089, many: 66_238, many_kept: 6_514 }, Counts { few: 4_823, many: 56_619, many_kept: 3_009 }];
/// Patches of each class in fold 0: train, valid, test.
pub(super) const FOLD_0: [usize; 3] = [12_174, 4_429, 7_832];
/// F1+ of All-ones on the published test list, in percent.
pub(super) const ALL_ONES: f64 = 59.4406;

/// A slide's number, if it is named as one of Camelyon16: `normal_001`, `tumor_001`, `test_001`.
pub(super) fn number(name: &str, kind: &str) -> Option<u16> {
    let digits = name.strip_prefix(kind)?.strip_prefix('_')?;
    (digits.len() == 3).then(|| digits.parse().ok()).flatten()
}

/// The published fold that validates on a training slide.
pub(super) fn fold(name: &str) -> Option<usize> {
    let (number, tumour) = match (number(name, "normal"), number(name, "tumor")) {
        (Some(number), _) if (1..=160).contains(&number) => (number, false),
        (_, Some(number)) if (1..=111).contains(&number) => (number, true),
        _ => return None,
    };
    let named = VALID.iter().position(|(normal, tumor)| if tumour { tumor } else { normal }.contains(&number));
    Some(named.and_then(|row| FOLDS.get(row).copied()).unwrap_or(2))
}

/// Whether a test slide has tumour, of those whose answer is published.
pub(super) fn test_has_tumour(name: &str) -> Option<bool> {
    let number = number(name, "test").filter(|number| (1..=130).contains(number))?;
    Some(TEST_TUMOUR.iter().any(|&tumour| u16::from(tumour) == number))
}

/// Why a slide is left out.
pub(super) fn left_out(name: &str) -> Option<&'static str> {
    match name {
        "normal_086" => Some("it was found to have tumour, and is tumor_111 now"),
        "test_049" => Some("it is a copy of another slide, and was taken out of Camelyon16"),
        "test_114" => Some("it has tumour that was never fully annotated, and the published sampler leaves it out"),
        _ => None,
    }
}

/// Whether parts of a slide's tumour are known to lack an annotation, so that its patches may be marked too little.
pub(super) fn not_exhaustive(name: &str) -> bool {
    number(name, "tumor").is_some_and(|number| NOT_EXHAUSTIVE.iter().any(|&odd| u16::from(odd) == number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_divide_all_slides_as_published() {
        let count = |kind: &str, last: usize, wanted: usize| {
            let names = (1..=last).map(|number| format!("{kind}_{number:03}"));
            names.filter(|name| left_out(name).is_none() && fold(name) == Some(wanted)).count()
        };
        let folds = [0, 1, 2, 3, 4];
        assert_eq!(folds.map(|fold| count("normal", 160, fold)), [32, 32, 32, 32, 31]);
        assert_eq!(folds.map(|fold| count("tumor", 111, fold)), [23, 23, 23, 23, 19]);
        assert_eq!(fold("normal_synthetic"), None);
        let tests = (1..=130).map(|number| format!("test_{number:03}")).filter(|name| left_out(name).is_none());
        let tumour: Vec<_> = tests.map(|name| test_has_tumour(&name)).collect();
        assert_eq!((tumour.len(), tumour.iter().filter(|&&has| has == Some(true)).count()), (128, 48));
    }

    #[test]
    fn counts_add_up_to_the_published_sums() {
        let [train, test] = CALIBRATED.map(|counts| counts.few + counts.many_kept);
        assert_eq!((train, test), (FOLD_0[0] + FOLD_0[1], FOLD_0[2]));
        assert_eq!(2 * FOLD_0.iter().sum::<usize>(), 48_870);
    }
}
