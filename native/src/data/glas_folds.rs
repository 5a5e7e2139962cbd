//! The five published folds of GlaS's 85 training images (`spec` §6.1), as facts: they came from another language's
//! random generator and cannot be derived here.

/// How many folds there are.
pub(super) const FOLDS: usize = 5;

/// Fold by fold, the numbers N of the validation images `train_N`; the other training images are trained on.
pub(super) const VALID: [&[u32]; FOLDS] = [
    &[24, 54, 5, 36, 26, 77, 74, 18, 83, 68, 38, 72, 65, 51, 12, 63, 2, 52],
    &[50, 14, 7, 16, 75, 76, 82, 42, 73, 48, 30, 55, 61, 9, 69, 33, 46, 59],
    &[44, 19, 57, 43, 58, 70, 31, 37, 1, 11, 64, 8, 62, 34, 25, 80, 32, 47],
    &[81, 60, 27, 40, 71, 3, 17, 41, 28, 78, 21, 79, 53, 6, 22, 20, 56, 4],
    &[35, 66, 13, 10, 39, 49, 29, 23, 67, 45, 85, 15, 84],
];

/// How many training images the folds divide.
pub(super) const IMAGES: u32 = 85;
