use histomask_core::trust::rank::spearman;

use super::image::ImageTrust;
use super::measure::Trust;
use super::summary::Correlation;
use crate::evaluate::ImageResult;

/// A measure's name and where it stands.
type Measure = (&'static str, fn(&ImageTrust) -> Option<f64>);

/// What is set beside F1, by its column.
const MEASURES: [Measure; 10] = [
    ("foreground_margin", |image| image.foreground_margin),
    ("background_margin", |image| image.background_margin),
    ("deletion_area", |image| image.deletion_area),
    ("insertion_area", |image| image.insertion_area),
    ("orientation_stability", |image| Some(image.orientation_stability)),
    ("stain_stability", |image| Some(image.stain_stability)),
    ("confidence", |image| image.confidence),
    ("calibrated_confidence", |image| image.calibrated_confidence),
    ("background_uncertainty", |image| image.background_uncertainty.map(f64::from)),
    ("foreground_percent", |image| Some(image.foreground_percent)),
];

impl Trust {
    /// Sets every measure beside F1+ and F1- of the mask it belongs to, that of the predicted class, over the images that
    /// have a true mask. Nothing is added if none has.
    pub fn correlate(&mut self, results: &[ImageResult]) {
        let pairs: Vec<(&ImageTrust, &ImageResult)> = self
            .images
            .iter()
            .filter_map(|image| Some((image, results.iter().find(|result| result.path == image.path)?)))
            .filter(|(_, result)| result.truth_percent.is_some())
            .collect();
        if pairs.is_empty() {
            return;
        }
        let with = |measure: fn(&ImageTrust) -> Option<f64>, score: fn(&ImageResult) -> Option<f64>| {
            let both = pairs.iter().filter_map(|(image, result)| Some((measure(image)?, score(result)?)));
            let (measures, scores): (Vec<f64>, Vec<f64>) = both.unzip();
            (measures.len(), spearman(&measures, &scores))
        };
        let correlation = |(name, measure): Measure| {
            let (images, f1_plus) = with(measure, |result| result.label_free_f1_plus);
            let (_, f1_minus) = with(measure, |result| result.label_free_f1_minus);
            Correlation { measure: name, images, f1_plus, f1_minus }
        };
        self.summary.correlations = MEASURES.into_iter().map(correlation).collect();
    }
}
