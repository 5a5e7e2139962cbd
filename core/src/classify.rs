//! Classes of several images in one pass, for those who don't ask for their masks.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, Transaction};

use crate::error::Error;
use crate::method::{Method as _, Network};
use crate::preprocess::RgbView;
use crate::segmenter::{Segmenter, relative_entropy, values};

/// What a model says of an image but for its mask.
#[derive(Clone, Debug, PartialEq)]
pub struct Classified {
    /// Posterior of every class; empty for methods that name none.
    pub probabilities: Vec<f32>,
    /// As [`Segmentation::background_uncertainty`](crate::segmenter::Segmentation::background_uncertainty).
    pub background_uncertainty: Option<f32>,
}

impl Segmenter {
    /// Runs the model on images: on all together if they are of one size and the method is max-min, else one by one.
    ///
    /// # Errors
    /// As [`Segmenter::observe`].
    pub async fn classify(&self, images: &[RgbView<'_>]) -> Result<Vec<Classified>, Error> {
        let sizes = images.iter().map(|image| self.card().input.size(image.width(), image.height()));
        let sizes = sizes.collect::<Result<Vec<_>, _>>()?;
        match (self.network(), sizes.first()) {
            (Network::MaxMin(_), Some(&size)) if sizes.iter().all(|&other| other == size) => {
                self.together(images, size).await
            }
            _ => {
                let mut classified = Vec::new();
                for &image in images {
                    let seen = self.observe_async(image).await?;
                    let (probabilities, background_uncertainty) = (seen.probabilities, seen.background_uncertainty);
                    classified.push(Classified { probabilities, background_uncertainty });
                }
                Ok(classified)
            }
        }
    }

    async fn together(&self, images: &[RgbView<'_>], [width, height]: [usize; 2]) -> Result<Vec<Classified>, Error> {
        self.network().check_batch(self.device(), images.len(), [height, width])?;
        let inputs = images.iter().map(|&image| self.card().input.tensor(image, self.device()));
        let reading = self.network().read(Tensor::cat(inputs.collect::<Result<_, _>>()?, 0), self.card().sigma);
        let posteriors = [reading.scores, reading.background].into_iter().flatten();
        let transfer =
            posteriors.fold(Transaction::default(), |transfer, scores| transfer.register(softmax(scores, 1)));
        let transferred = transfer.execute_async().await.map_err(|error| Error::Device(error.to_string()))?;
        let transferred = transferred.into_iter().map(values).collect::<Result<Vec<_>, _>>()?;
        if !transferred.iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        let of = |posteriors: Option<&Vec<f32>>, image: usize| -> Vec<f32> {
            let rows = posteriors.map(|rows| (rows, rows.len() / images.len()));
            rows.and_then(|(rows, classes)| rows.get(image * classes..(image + 1) * classes))
                .unwrap_or_default()
                .to_vec()
        };
        let classified = (0..images.len()).map(|image| Classified {
            probabilities: of(transferred.first(), image),
            background_uncertainty: transferred.get(1).map(|_| relative_entropy(&of(transferred.get(1), image))),
        });
        Ok(classified.collect())
    }
}
