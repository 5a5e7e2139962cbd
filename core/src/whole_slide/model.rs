//! A model made ready for slides.

use super::LEAST;
use super::plan::Whole;
use crate::card::ModelCard;
use crate::error::Error;
use crate::preprocess::ResizeRule;
use crate::segmenter::Segmenter;

/// Side of a window for models that see images at their own size: Camelyon16's patches.
const PATCH: usize = 512;

/// A model that sees slides at its own scale.
#[derive(Debug)]
pub struct SlideModel {
    /// As it was trained.
    pub card: ModelCard,
    /// Sees pixels as they come; where there is a `whole`, it refines nothing.
    pub segmenter: Segmenter,
    /// Present where class maps of blocks become those of one pass.
    pub whole: Option<Whole>,
    /// Pixels of a window's side.
    pub patch: usize,
}

impl SlideModel {
    /// Where class maps depend on no more than a window's side, blocks of them are put together, and refinement is left
    /// to the whole; else windows are seen one by one and blended. `load` makes a segmenter of the weights with another
    /// card; `patch` is the side of a window, if it is not the training images'.
    ///
    /// # Errors
    /// [`Error`], or what `load` says.
    pub async fn new<E: From<Error>>(
        card: &ModelCard,
        patch: Option<usize>,
        load: impl Fn(ModelCard) -> Result<Segmenter, E>,
    ) -> Result<Self, E> {
        let own = match card.input.resize {
            ResizeRule::None => PATCH,
            _ => card.input.size,
        };
        let patch = patch.unwrap_or(own).next_multiple_of(LEAST);
        let mut as_it_comes = card.clone();
        as_it_comes.input.resize = ResizeRule::None;
        let mut plain = as_it_comes.clone();
        (plain.model.mask.prior, plain.model.mask.tissue, plain.model.mask.smallest) = (0.0, false, 0.0);
        let plain = load(plain)?;
        let (segmenter, whole) = match plain.field_of_view().filter(|&field| field <= patch) {
            Some(field) => {
                let stride = plain.map_stride().await?;
                (plain, Some(Whole { stride, margin: field.div_ceil(2).next_multiple_of(stride) }))
            }
            None => (load(as_it_comes)?, None),
        };
        Ok(Self { card: card.clone(), segmenter, whole, patch })
    }

    /// In words, how a slide is put together.
    #[must_use]
    pub fn about(&self) -> String {
        match self.whole {
            Some(Whole { margin, .. }) => {
                format!("class maps of one whole pass (they depend on {margin} pixels around)")
            }
            None => "windows blended (the network sees further than a window)".into(),
        }
    }
}
