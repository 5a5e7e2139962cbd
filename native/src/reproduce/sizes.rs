//! Figs. 7 and 8: how much of each image the mask covers.

use serde_json::json;

use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::plan::{Arm, Repeats};
use super::scores::{ImageRow, read_images};
use super::study::Study;
use crate::data::SplitChoice;
use crate::method::MethodChoice;
use crate::report::{Axis, Chart, Series, Style, Table};

/// SEM in the left column, EEM in the right one.
pub(crate) fn arms() -> Vec<Arm> {
    [MethodChoice::MaxMinSem, MethodChoice::MaxMinEem].map(Arm::plain).to_vec()
}

pub(crate) fn draw(study: &Study, source: Source) -> anyhow::Result<Drawn> {
    let normal = study.material(source)?.normal_class();
    let mut drawn = Drawn::default();
    let (mut panels, mut rows) = (Vec::new(), Vec::new());
    for split in [SplitChoice::Train, SplitChoice::Valid, SplitChoice::Test] {
        for arm in arms() {
            let mut images = Vec::new();
            for run in study.runs(source, &arm, Repeats::First)? {
                if study.scores(&run, split)?.is_some() {
                    images = read_images(&run.evaluation(split))?;
                }
            }
            images.retain(|image| normal.is_none_or(|normal| image.label == normal));
            panels.push(panel(&arm, split, &images, source));
            if !images.is_empty() {
                let mean = images.iter().map(|image| image.foreground_percent).sum::<f64>() / images.len() as f64;
                rows.push(vec![arm.label.clone(), split.name().into(), images.len().to_string(), format!("{mean:.2}")]);
            }
            drawn.records.extend(images.iter().enumerate().map(|(index, image)| {
                Record::from_iter([
                    ("method".to_owned(), json!(arm.label)),
                    ("split".to_owned(), json!(split.name())),
                    ("index".to_owned(), json!(index)),
                    ("image".to_owned(), json!(image.id)),
                    ("predicted_percent".to_owned(), json!(image.foreground_percent)),
                    ("true_percent".to_owned(), json!(image.truth_percent)),
                ])
            }));
        }
    }
    let caption = match source {
        Source::Glas => "Foreground of each image in the order of its list. Blue is there where an image has a mask.",
        Source::Camelyon => "Predicted foreground of normal patches, where none is right.",
    };
    drawn.figure = Some(Figure::charts(&panels, 2, caption));
    drawn.tables.push(Table {
        caption: "Mean predicted foreground, percent of the image".into(),
        header: ["Method", "Split", "Images", "Foreground %"].map(String::from).to_vec(),
        rows,
    });
    drawn.notes.push("One run of each method: the first seed and fold.".into());
    if source == Source::Camelyon {
        drawn.notes.push("The paper states a mean below 1.56 % on all three splits.".into());
    }
    Ok(drawn)
}

fn panel(arm: &Arm, split: SplitChoice, images: &[ImageRow], source: Source) -> Chart {
    let series = |name: &str, style, value: &dyn Fn(&ImageRow) -> Option<f64>| Series {
        name: name.into(),
        points: images.iter().enumerate().map(|(index, image)| (index as f64, value(image))).collect(),
        style,
        ..Series::default()
    };
    // more images than fit beside one another are dots
    let style = if images.len() > 200 { Style::Dots } else { Style::Line };
    let predicted = series("predicted", style, &|image| Some(image.foreground_percent));
    let lines = match source {
        Source::Glas => vec![
            series("true", style, &|image| image.truth_percent),
            series("50 %", Style::Plain, &|_| Some(50.0)),
            predicted,
        ],
        Source::Camelyon => vec![predicted],
    };
    Chart {
        title: format!("{}, {} images", arm.label, split.name()),
        x: Axis::counting("Image", "position in the list"),
        y: Axis {
            range: (source == Source::Glas).then_some([0.0, 100.0]),
            ..Axis::new("Region size", "% of the image")
        },
        series: lines,
        ..Chart::default()
    }
}
