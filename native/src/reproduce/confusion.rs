//! Figs. 5 and 6: pixels by prediction and truth, pooled over images, of every method.

use serde_json::json;

use super::drawn::{Drawn, Figure, Record};
use super::material::Source;
use super::paper;
use super::plan::Arm;
use super::study::Study;
use crate::method::MethodChoice;
use crate::report::{ConfusionFigure, Table};
use histomask_core::MethodKind;
use histomask_core::metric::PixelCounts;

/// The methods in the order of the figures.
pub(crate) const METHODS: [MethodChoice; 11] = [
    MethodChoice::Of(MethodKind::CamAvg),
    MethodChoice::Of(MethodKind::CamMax),
    MethodChoice::Of(MethodKind::CamLse),
    MethodChoice::Of(MethodKind::Wildcat),
    MethodChoice::Of(MethodKind::DeepMil),
    MethodChoice::Of(MethodKind::GradCam),
    MethodChoice::Of(MethodKind::Pn),
    MethodChoice::Of(MethodKind::Erase),
    MethodChoice::MaxMinSem,
    MethodChoice::MaxMinEem,
    MethodChoice::Of(MethodKind::UNet),
];

/// Tiles in a row.
const COLUMNS: usize = 4;

pub(crate) fn arms() -> Vec<Arm> {
    METHODS.map(Arm::plain).to_vec()
}

pub(crate) fn draw(study: &Study, source: Source) -> anyhow::Result<Drawn> {
    let classes = match source {
        Source::Glas => ["Glands", "Tissue"],
        Source::Camelyon => ["Metastatic", "Normal"],
    };
    let mut drawn = Drawn::default();
    let (mut tiles, mut rows) = (Vec::new(), Vec::new());
    for arm in arms() {
        let mut pixels = PixelCounts::default();
        for scores in study.arm_scores(source, &arm)? {
            pixels += scores.masks.map(|masks| masks.pixels).unwrap_or_default();
        }
        let [hit, false_alarm] = pixels.column_percent()[0];
        let paper = paper::confusion(arm.method).map(|paper| paper[usize::from(source == Source::Camelyon)]);
        let number = |value: Option<f64>| value.map_or_else(|| "-".into(), |value| format!("{value:.2}"));
        rows.push(vec![
            arm.label.clone(),
            number(hit),
            number(paper.map(|paper| paper[0])),
            number(false_alarm),
            number(paper.map(|paper| paper[1])),
        ]);
        drawn.records.push(Record::from_iter([
            ("method".to_owned(), json!(arm.label)),
            ("foreground_as_foreground_percent".to_owned(), json!(hit)),
            ("foreground_as_foreground_paper".to_owned(), json!(paper.map(|paper| paper[0]))),
            ("background_as_foreground_percent".to_owned(), json!(false_alarm)),
            ("background_as_foreground_paper".to_owned(), json!(paper.map(|paper| paper[1]))),
            ("true_positive".to_owned(), json!(pixels.true_positive)),
            ("false_positive".to_owned(), json!(pixels.false_positive)),
            ("false_negative".to_owned(), json!(pixels.false_negative)),
            ("true_negative".to_owned(), json!(pixels.true_negative)),
        ]));
        tiles.push(ConfusionFigure {
            title: arm.label,
            caption: String::new(),
            classes: classes.map(String::from).to_vec(),
            counts: pixels.matrix().map(|row| row.to_vec()).to_vec(),
        });
    }
    let caption = "Pixels of all images with a mask, over all seeds and folds; each column adds up to 100 %.";
    drawn.figure = Some(Figure::matrices(&tiles, COLUMNS, caption)?);
    let [fore, back] = classes.map(str::to_lowercase);
    drawn.tables.push(Table {
        caption: format!("Predicted as {fore}, percent of the true region"),
        header: ["Method".into(), format!("of true {fore}"), "paper".into(), format!("of true {back}"), "paper".into()]
            .to_vec(),
        rows,
    });
    Ok(drawn)
}
