use crate::train::Observer;

/// Who looks on while a job is done.
pub(crate) trait Watch {
    /// What happens now.
    fn say(&self, line: &str);
    /// What the user should know before trusting the result.
    fn warn(&self, line: &str);
    /// A part of the result, as soon as it is there.
    fn show(&self, text: &str) -> std::io::Result<()>;
    /// Something of `total` parts begins; it ends when the count is dropped.
    fn count(&self, total: usize, what: &str) -> Box<dyn Count + '_>;
    /// A training begins; its progress ends when the observer is dropped.
    fn training(&self, epochs: usize) -> Box<dyn Observer + '_>;
}

/// Hears how far something has come.
pub(crate) trait Count {
    /// So many parts were done before; they do not count for the time left.
    fn start_at(&self, done: usize);
    /// So many parts are done, with a word on how it goes.
    fn set(&self, done: usize, message: &str);
    /// What there is to say about the last one.
    fn line(&self, line: &str);
}
