//! Figs. 9, 11, 12 and 13: masks of single images, one method a column.

use image::{DynamicImage, RgbImage};
use serde_json::json;

use super::Artefact;
use super::confusion::METHODS;
use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Change, Repeats};
use super::study::Study;
use crate::data::Sample;
use crate::data::image::{read_mask, read_rgb};
use crate::evaluate::observe_file;
use crate::method::MethodChoice;
use crate::report::{PictureGrid, mask_png};

/// Images in a figure.
const IMAGES: usize = 4;

/// Fig. 9: what the terms of the loss do to the mask.
pub(crate) fn ablation_arms() -> Vec<Arm> {
    let sem = MethodChoice::MaxMinSem;
    vec![
        Arm::changed("FG", sem, &[Change::NoBackground, Change::NoBarrier]),
        Arm::changed("FG + BG (SEM)", sem, &[Change::NoBarrier]),
        Arm::changed("… + ASC", sem, &[]),
    ]
}

/// Figs. 11 to 13: the methods of Fig. 5, with SEM as ours.
pub(crate) fn method_arms() -> Vec<Arm> {
    METHODS.into_iter().filter(|method| *method != MethodChoice::MaxMinEem).map(Arm::plain).collect()
}

pub(crate) fn draw(study: &Study, artefact: Artefact) -> anyhow::Result<Drawn> {
    let (source, arms) = match artefact {
        Artefact::Fig9 => (Source::Glas, ablation_arms()),
        Artefact::Fig11 => (Source::Glas, method_arms()),
        _ => (Source::Camelyon, method_arms()),
    };
    let mut models = Vec::new();
    for arm in &arms {
        let run = study.runs(source, arm, Repeats::First)?.into_iter().next();
        // a run that failed leaves an empty column
        models.push(run.and_then(|run| Some((study.segmenter(&run).ok()?, run))));
    }
    let samples = chosen(study, artefact, source)?;
    let mut drawn = Drawn::default();
    let columns = ["Input", "Truth"].map(String::from).into_iter().chain(arms.iter().map(|arm| arm.label.clone()));
    let mut grid = PictureGrid { columns: columns.collect(), rows: vec![] };
    let classes = study.material(source)?.folds.values().next().map(|(dataset, _)| dataset.classes.clone());
    for sample in &samples {
        if crate::interrupt::asked() {
            break;
        }
        let image = read_rgb(&sample.image)?;
        let truth = sample.mask.as_ref().map(|mask| read_mask(mask, image.dimensions())).transpose()?;
        let mut pictures = vec![
            Some(image),
            truth
                .map(|truth| {
                    let mask = truth.pixels().map(|pixel| if pixel.0[0] > 0 { 1.0 } else { 0.0 }).collect::<Vec<f32>>();
                    black_and_white(&mask, truth.width(), truth.height(), 0.5)
                })
                .transpose()?,
        ];
        for (arm, model) in arms.iter().zip(&models) {
            let Some((segmenter, run)) = model else {
                pictures.push(None);
                continue;
            };
            let (image, observation) = observe_file(segmenter, &sample.image)?;
            let threshold = run.profile.evaluation.threshold as f32;
            let mask = observation.mask(Some(sample.label))?;
            let foreground = mask.iter().filter(|&&value| value >= threshold).count();
            drawn.records.push(Record::from_iter([
                ("image".to_owned(), json!(sample.id)),
                ("method".to_owned(), json!(arm.label)),
                ("foreground_percent".to_owned(), json!(100.0 * foreground as f64 / mask.len().max(1) as f64)),
            ]));
            pictures.push(Some(black_and_white(&mask, image.width(), image.height(), threshold)?));
        }
        let class = classes.as_ref().and_then(|classes| classes.get(sample.label)).map_or("?", String::as_str);
        grid.rows.push((class.to_owned(), pictures));
    }
    let caption = "Binary masks at the threshold of the scores: white is foreground.";
    drawn.figure = Some(Figure::pictures(&grid, caption)?);
    let ids: Vec<_> = samples.iter().map(|sample| sample.id.as_str()).collect();
    drawn.notes.push(format!(
        "One run of each method: the first seed and fold. Images from top to bottom: {}. Masks are those of the true \
         class where a method has one for each.",
        ids.join(", ")
    ));
    Ok(drawn)
}

fn black_and_white(mask: &[f32], width: u32, height: u32, threshold: f32) -> anyhow::Result<RgbImage> {
    Ok(DynamicImage::ImageLuma8(mask_png(mask, width, height, threshold)?).into_rgb8())
}

/// Images with a mask, spread over the judged ones: of GlaS half of each class, of Camelyon16 one class.
fn chosen(study: &Study, artefact: Artefact, source: Source) -> anyhow::Result<Vec<Sample>> {
    let material = study.material(source)?;
    let Some((dataset, _)) = material.folds.values().next() else { return Ok(vec![]) };
    let samples = study.judged(source)?.samples(dataset);
    let normal = material.normal_class();
    let of = |wanted: &dyn Fn(&Sample) -> bool, count: usize| {
        let matching: Vec<_> = samples.iter().filter(|sample| sample.mask.is_some() && wanted(sample)).collect();
        let count = count.min(matching.len());
        (0..count).filter_map(|n| matching.get(n * matching.len() / count).map(|&sample| sample.clone())).collect()
    };
    Ok(match artefact {
        Artefact::Fig12 => of(&|sample| Some(sample.label) == normal, IMAGES),
        Artefact::Fig13 => of(&|sample| Some(sample.label) != normal, IMAGES),
        _ => {
            let class = |class: usize| -> Vec<Sample> { of(&|sample| sample.label == class, IMAGES / 2) };
            [class(0), class(1)].concat()
        }
    })
}
