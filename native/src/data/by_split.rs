use super::{Sample, Split};

/// Samples by split, as a data set names them.
#[derive(Default)]
pub(super) struct Splits {
    pub(super) train: Vec<Sample>,
    pub(super) valid: Vec<Sample>,
    pub(super) test: Vec<Sample>,
}

impl Splits {
    /// Adds a sample to a split.
    pub(super) fn push(&mut self, split: Split, sample: Sample) {
        match split {
            Split::Train => self.train.push(sample),
            Split::Valid => self.valid.push(sample),
            Split::Test => self.test.push(sample),
        }
    }
}
