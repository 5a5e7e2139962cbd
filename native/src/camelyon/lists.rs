//! Folders and lists as published, and the table that `train` takes.

use std::path::{Path, PathBuf};

use image::GrayImage;
use serde::Serialize;

use super::CamelyonError;
use super::patch::{Patch, python, share};
use super::png::write_png;
use super::settings::SampleSettings;
use super::slides::WholeSlide;
use crate::atomic;
use crate::csv_text::write_csv;
use crate::data::Split;

/// A patch of a slide, and whether it is in the lists.
#[derive(Debug)]
pub(super) struct Listed<'s> {
    pub(super) slide: &'s WholeSlide,
    pub(super) patch: Patch,
    pub(super) kept: bool,
}

/// The folder of all patches, below the results.
fn patches(settings: &SampleSettings) -> String {
    format!("camelyon16/{}", settings.folder())
}

/// The folder of a slide's patches of tumour, below the results.
pub(super) fn metastatic_folder(settings: &SampleSettings, slide: &WholeSlide) -> String {
    let stem = slide.published.rsplit_once('.').map_or(slide.published.as_str(), |(stem, _)| stem);
    format!("{}/metastatic-patches/{stem}", patches(settings))
}

/// The set of normal patches that a split belongs to: the test set is sampled once, in the first published fold.
pub(super) fn normal_set(settings: &SampleSettings, split: Split) -> String {
    match split {
        Split::Test => "split_1/fold_0/test".into(),
        Split::Train | Split::Valid => format!("split_0/fold_{}/{split}", settings.fold),
    }
}

/// The folder of a split's normal patches, below the results.
pub(super) fn normal_folder(settings: &SampleSettings, split: Split) -> String {
    format!("{}/normal-patches/{}", patches(settings), normal_set(settings, split))
}

fn lists(out: &Path, settings: &SampleSettings) -> PathBuf {
    out.join("folds/camelyon16").join(settings.folder())
}

/// Where the candidates of a slide are listed.
pub(super) fn first_pass_path(out: &Path, settings: &SampleSettings, slide: &WholeSlide) -> PathBuf {
    lists(out, settings).join("patches-level-first-pass").join(&slide.published).with_extension("csv")
}

/// The candidates of a slide.
pub(super) fn first_pass(
    settings: &SampleSettings,
    slide: &WholeSlide,
    patches: &[Patch],
) -> Result<Vec<u8>, CamelyonError> {
    let mut text = String::from(
        "wsi file name,xml file name,x,y,Tissue percentage,Percentage of cancerous pixels,Tag of the patch\n",
    );
    for patch in patches {
        let [tissue, tumour] = [patch.tissue, patch.metastatic].map(|pixels| python(share(pixels, settings.size)));
        let (wsi, xml, tag) =
            (&slide.published, slide.published_annotation(), patch.tag(&slide.published, settings.size));
        text += &format!("{wsi},{xml},{},{},{tissue},{tumour},{tag}\n", patch.x, patch.y);
    }
    Ok(text.into_bytes())
}

/// A row of `labels.csv`.
#[derive(Serialize)]
struct Row<'s> {
    path: String,
    label: &'static str,
    mask: String,
    split: &'static str,
    group: &'s str,
    x: i64,
    y: i64,
    tissue: f64,
    metastatic: f64,
}

/// A row of a published list, which have no header.
#[derive(Serialize)]
struct Published {
    patch: String,
    mask: String,
    class: &'static str,
}

/// Writes the fold's lists, the black mask of normal patches and `labels.csv`, whose path is returned.
pub(super) fn write(out: &Path, settings: &SampleSettings, listed: &[Listed<'_>]) -> Result<PathBuf, CamelyonError> {
    let empty = format!("{}/empty-mask.png", patches(settings));
    write_png(&out.join(&empty), GrayImage::new(settings.size, settings.size).into())?;
    let mut rows = Vec::new();
    for split in Split::ALL {
        let own: Vec<_> = listed.iter().filter(|one| one.kept && one.slide.split == split).collect();
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        for Listed { slide, patch, .. } in own {
            let tag = patch.tag(&slide.published, settings.size);
            let (folder, label) = if slide.has_tumour() {
                (metastatic_folder(settings, slide), "tumor")
            } else {
                (normal_folder(settings, split), "normal")
            };
            let path = format!("{folder}/Patch_{tag}.png");
            let mask = if slide.has_tumour() { format!("{folder}/mask_{tag}.png") } else { String::new() };
            writer.serialize(Published { patch: path.clone(), mask: mask.clone(), class: label })?;
            rows.push(Row {
                path,
                label,
                mask: if mask.is_empty() { empty.clone() } else { mask },
                split: split.name(),
                group: &slide.name,
                x: patch.x,
                y: patch.y,
                tissue: share(patch.tissue, settings.size),
                metastatic: share(patch.metastatic, settings.size),
            });
        }
        let folder =
            lists(out, settings).join("patches-level-fourth-pass").join(format!("split_0/fold_{}", settings.fold));
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        atomic::write(&folder.join(format!("{split}_s_0_f_{}.csv", settings.fold)), &bytes)?;
    }
    let table = out.join("labels.csv");
    atomic::write(&table, &write_csv(&rows)?)?;
    Ok(table)
}
