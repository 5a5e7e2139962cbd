//! Max-min's class maps of a part of an image: what depends on the surroundings of a position alone, so that parts put
//! side by side are the maps of one whole pass.

use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData, Transaction};

use crate::backbone::FeatureExtractor as _;
use crate::config::MapSource;
use crate::error::Error;
use crate::method::Network;
use crate::preprocess::RgbView;
use crate::segmenter::{Segmenter, values};

/// Class maps of a part of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalMaps {
    /// `[maps, h, w]`.
    pub values: Vec<f32>,
    /// `[h, w]`.
    pub size: [usize; 2],
}

impl Segmenter {
    /// Side in pixels of what a position of the class maps sees; nothing for methods whose mask is not made of such
    /// maps alone, and for masks with votes, which are taken over an image.
    #[must_use]
    pub fn field_of_view(&self) -> Option<usize> {
        match self.network() {
            Network::MaxMin(net) if self.card().model.mask.votes == 0.0 => Some(net.backbone.receptive_field()),
            _ => None,
        }
    }

    /// Class maps of an image, which is not resized, or nothing for methods without [`Segmenter::field_of_view`].
    ///
    /// # Errors
    /// As [`Segmenter::observe`].
    pub async fn local_maps(&self, image: RgbView<'_>) -> Result<Option<LocalMaps>, Error> {
        let Network::MaxMin(net) = self.network() else { return Ok(None) };
        let input = self.card().input.tensor(image, self.device())?;
        let [_, _, height, width] = input.dims();
        self.network().check_batch(self.device(), 1, [height, width])?;
        let maps = net.local_maps(input);
        let [_, _, height, width] = maps.dims();
        let transferred = Transaction::default().register(maps).execute_async().await;
        let transferred = transferred.map_err(|error| Error::Device(error.to_string()))?;
        let values = transferred.into_iter().next().map_or(Ok(Vec::new()), values)?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(Error::NotFinite);
        }
        Ok(Some(LocalMaps { values, size: [height, width] }))
    }

    /// Pixels from one position of the class maps to the next.
    ///
    /// # Errors
    /// As [`Segmenter::local_maps`].
    pub async fn map_stride(&self) -> Result<usize, Error> {
        const SIDE: usize = 128;
        let grey = vec![128; SIDE * SIDE * 3];
        let maps = self.local_maps(RgbView::new(&grey, SIDE, SIDE)?).await?;
        Ok(maps.map_or(1, |maps| SIDE / maps.size[1].max(1)))
    }

    /// By what class maps are weighed: the localizer's posterior over `n` positions of each of several windows, values
    /// `[windows, maps, n]` to `[windows, maps]`; 1 for models with one map.
    ///
    /// # Errors
    /// [`Error::Device`].
    pub async fn map_weights(&self, maps: Vec<f32>, windows: usize, n: usize) -> Result<Vec<f32>, Error> {
        let Network::MaxMin(net) = self.network() else { return Ok(Vec::new()) };
        if self.card().model.mask.source == MapSource::PullHead {
            return Ok(vec![1.0; windows]);
        }
        let classes = self.card().classes.len();
        let maps: Tensor<4> = Tensor::from_data(TensorData::new(maps, [windows, classes, 1, n]), self.device());
        let data = softmax(net.localizer.scores(maps), 1).into_data_async().await;
        values(data.map_err(|error| Error::Device(error.to_string()))?)
    }
}
