//! Whole slides: tissue, the network on what covers it, and the mask put together to files. `docs/SLIDES.md` defines
//! what is scaled over a slide.

mod compute;
mod output;
mod regions;
mod state;
mod summary;
mod table;
mod truth;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use histomask_core::refine::Wide;
use histomask_core::slide::PyramidText;
use histomask_core::whole_slide::{Compose, Coverage, Frame, Measures, Parts, Plan, SlideModel, Tile, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::compute::compute;
use self::output::{Form, Names, Output};
use self::regions::Regions;
use self::state::State;
use self::summary::{Seconds, Summary};
use super::inputs::Input;
use super::lost_device;
use super::tiles::png;
use super::watch::Watch;
use crate::atomic::WriteError;
use crate::data::Source;
use crate::data::slides::open;
use crate::report::{OverlayStyle, overlay};
use crate::told_once::told_once;
use crate::{atomic, interrupt, plain_text};

/// Pixels of the model that a block should not exceed by much: what the network holds at once.
const AT_ONCE: usize = 880;
/// Longest side of the overlay.
const OVERLAY: u32 = 1600;
/// Pixels of the model in one of the overlay up to which edges are drawn in it.
const CONTOURED: usize = 8;
/// Damaged tiles that are named one by one.
const NAMED: usize = 10;

/// Over what a map is scaled to 0..1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum MapRange {
    /// Over windows of a training patch's side, blended: as single patches are
    #[default]
    Patch,
    /// Over the whole slide
    Slide,
}

/// How slides are seen: what their results depend on besides model and slide.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SlideSettings {
    /// Microns per pixel of the model.
    pub(crate) mpp: f64,
    /// Microns per pixel of slides that do not say it.
    pub(crate) slide_mpp: Option<f64>,
    /// Pixels of a window's side.
    pub(crate) patch: usize,
    pub(crate) range: MapRange,
    /// Whether what is doubtful is an error.
    pub(crate) strict: bool,
}

/// Slides to predict, with everything that is needed for it.
pub(crate) struct PredictSlides {
    pub(crate) slides: Vec<Input>,
    pub(crate) model: SlideModel,
    pub(crate) model_name: String,
    pub(crate) model_sha256: String,
    /// The device's name.
    pub(crate) device: String,
    pub(crate) settings: SlideSettings,
    pub(crate) style: OverlayStyle,
    /// As given; that of the style is rounded to the mask's precision.
    pub(crate) threshold: f64,
    /// Pixels of full resolution by which outlines may differ from the mask.
    pub(crate) simplify: f64,
    /// A file or a folder of them.
    pub(crate) tissue: Option<PathBuf>,
    pub(crate) roi: Option<PathBuf>,
    /// What someone drew: a file or a folder of them.
    pub(crate) truth: Option<PathBuf>,
    /// Follows the names of tables: which shard of the slides this is.
    pub(crate) suffix: String,
    pub(crate) out: PathBuf,
}

/// What has been predicted.
#[derive(Default)]
pub(crate) struct PredictedSlides {
    done: Vec<Summary>,
    /// Slides that failed, with the error.
    failed: Vec<serde_json::Value>,
    /// Whether a slide was read with damaged tiles left out.
    damaged: bool,
}

impl PredictedSlides {
    pub(crate) fn slides(&self) -> usize {
        self.done.len()
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed.len()
    }

    /// How many slides were compared with what was drawn, and the mean of each of their scores in percent
    /// ([`truth::COLUMNS`]).
    fn scores(&self) -> (usize, [Option<f64>; 4]) {
        let scored: Vec<_> = self.done.iter().filter_map(|slide| slide.truth).map(truth::scores).collect();
        let mean = |column: usize| {
            let scores: Vec<f64> = scored.iter().filter_map(|scores| scores[column]).collect();
            (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
        };
        (scored.len(), std::array::from_fn(mean))
    }

    /// The same in one line; nothing where nobody drew anything.
    pub(crate) fn scored(&self) -> Option<String> {
        let (slides, means) = self.scores();
        (slides > 0).then(|| format!("{slides} slides beside what was drawn: {}", truth::words(means)))
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.damaged
    }
}

impl PredictSlides {
    /// Predicts every slide until the user stops it, and leaves each one's files, `slides.csv` and `slides.json`.
    ///
    /// # Errors
    /// What can no longer be written; a bad slide is one slide fewer.
    pub(crate) fn run(&self, watch: &dyn Watch) -> anyhow::Result<PredictedSlides> {
        let mut predicted = PredictedSlides::default();
        // for the tables
        let room = 65_536 + self.slides.iter().map(|input| 1024 + input.path.as_os_str().len()).sum::<usize>();
        let room = atomic::Room::set_aside(&self.out, room)?;
        for (index, input) in self.slides.iter().enumerate() {
            if interrupt::asked() {
                break;
            }
            watch.say(&format!("slide {} of {}: {}", index + 1, self.slides.len(), input.path.display()));
            match self.one(input, watch) {
                Ok(None) => break,
                Ok(Some(summary)) => {
                    summary.cautions.iter().for_each(|caution| watch.warn(caution));
                    for damage in summary.damaged.iter().take(NAMED) {
                        watch.warn(&format!("{}: {damage}; read as white", summary.path));
                        predicted.damaged = true;
                    }
                    if let Some(more) = summary.damaged.len().checked_sub(NAMED).filter(|&more| more > 0) {
                        watch.warn(&format!(
                            "{}: {more} more damaged tiles; {}_slide.json lists them",
                            summary.path, input.stem
                        ));
                    }
                    watch.say(&line(&summary));
                    predicted.done.push(summary);
                }
                // a full disk stops the command, with what was done in the table
                Err(error) if error.downcast_ref().is_some_and(WriteError::stops) || lost_device(&error).is_some() => {
                    drop(room);
                    let _ = self.write_tables(&predicted);
                    return Err(error);
                }
                Err(error) => {
                    let error = told_once(&error);
                    watch.warn(&format!("skipped: {error}"));
                    predicted.failed.push(json!({ "path": plain_text::of_path(&input.path), "error": error }));
                }
            }
            self.write_tables(&predicted)?;
        }
        drop(room);
        self.write_tables(&predicted)?;
        Ok(predicted)
    }

    /// Writes a slide's files; nothing if the user stopped it.
    fn one(&self, input: &Input, watch: &dyn Watch) -> anyhow::Result<Option<Summary>> {
        let named = || input.path.display().to_string();
        let (mut seconds, clock) = (Seconds::default(), Instant::now());
        let source = Source::of(&input.path)?;
        let mut slide = open(&input.path)?;
        if !self.settings.strict {
            slide.pass_over_damage();
        }
        match (input.mpp, slide.mpp(), self.settings.slide_mpp) {
            (Some(mpp), _, _) | (None, None, Some(mpp)) => slide.set_mpp(mpp),
            (None, Some(_), _) => {}
            (None, None, None) => bail!(
                "{}: it does not say how large a pixel is; name it with --slide-mpp, or in the column mpp of a CSV file of \
                 slides",
                named()
            ),
        }
        let own = slide.mpp().unwrap_or([self.settings.mpp; 2]);
        let frame = Frame::new(slide.size(), own, self.settings.mpp).with_context(named)?;
        let Frame { size, step, mpp } = frame;

        let mut names = Names::new(&input.stem);
        let done = self.out.join(format!("{}_slide.json", input.stem));
        let earlier = table::earlier(&done);
        if let Some(other) = earlier.as_ref().filter(|earlier| earlier.source.stands_beside(&source)) {
            bail!(
                "{}: results of {}, a slide of the same name, stand in {}; predict both in one call, or name another --out",
                named(),
                other.source.path.display(),
                self.out.display()
            );
        }
        let regions = Regions::find(self, input, &slide, own, earlier.as_ref())?;
        let key = self.key(&source, own, &regions);
        let drawn = regions.truth.as_ref();
        let form = format!("{key} {:?} {} {} {drawn:?}", self.style, self.threshold, self.simplify);
        let finished_key = blake3::hash(form.as_bytes()).to_hex();
        if let Some(summary) = earlier.filter(|earlier| earlier.is_finished(&finished_key, &self.out)) {
            return Ok(Some(summary));
        }
        match &regions.detected {
            Some(text) => atomic::write(&self.out.join(&names.tissue), text.as_bytes())?,
            None => names.tissue.clear(),
        }

        let coverage = Coverage::new(regions.tissue, regions.roi, step, size);
        let model = &self.model;
        let plan = Plan::new(size, model.patch, AT_ONCE, model.whole, &coverage);
        let partial = self.out.join(format!("{}.partial", input.stem));
        let mut state = State::open(&partial, key.as_bytes(), plan.units.len())?.with_context(|| {
            format!(
                "{}: another process has {} open; wait until it has predicted this slide, or name another --out",
                named(),
                partial.display()
            )
        })?;
        if state.done() > 0 {
            watch.say(&format!("{}: {} of {} parts from before", named(), state.done(), plan.units.len()));
        }
        let mut parts = Parts { slide: &slide, model, step, plan: &plan, wide: None };
        let mask = &model.card.model.mask;
        let wide = match model.whole.is_some() && mask.refines() {
            true => Some(Wide::new(&parts.colours().with_context(named)?, model.patch, mask)),
            false => None,
        };
        parts.wide = wide.as_ref();
        let count = watch.count(plan.units.len(), "parts");
        seconds.preparing = clock.elapsed().as_secs_f64();
        let finished = compute(&parts, &mut state, &*count, &mut seconds).with_context(named)?;
        drop(count);
        if !finished {
            return Ok(None);
        }

        let clock = Instant::now();
        let tiles = Tile::all(&plan, &coverage, step, &mut state)?;
        let verdict = Verdict::of(&tiles);
        let card = &model.card;
        let class = verdict.class().and_then(|class| card.classes.get(class).cloned());
        table::write_tiles(&self.out.join(&names.tiles), &tiles, card)?;
        let mut compose = Compose { plan: &plan, model, wide: wide.as_ref(), coverage: &coverage, scale: None };
        if self.settings.range == MapRange::Slide && model.whole.is_some() {
            compose.scale = Some(compose.scale_of_slide(&mut state, &verdict.probabilities)?);
        }
        let thumbnail = slide.thumbnail(OVERLAY).with_context(named)?;
        let form = Form {
            size,
            step,
            threshold: self.threshold,
            simplify: self.simplify,
            class: class.as_deref().unwrap_or("foreground"),
            thumbnail: &thumbnail,
            truth: regions.truth.as_ref(),
        };
        let Some(output) = Output::create(&self.out, &names, &form)?.fill(&compose, &mut state)? else {
            return Ok(None);
        };
        let description = format!(
            "histomask: probability of foreground, 0 to 255 for 0 to 1; {} pixels of {} in one, across and down; model {}",
            step.map(|step| format!("{step:.4}")).join(" × "),
            input.path.file_name().unwrap_or_default().to_string_lossy(),
            self.model_sha256,
        );
        let written = output.finish(&PyramidText { description, mpp })?;
        // at a coarse thumbnail edges would hide what they surround
        let contour = self.style.contour && size[0] <= CONTOURED * thumbnail.width() as usize;
        let painted = overlay(&thumbnail, &written.heat, None, &OverlayStyle { contour, ..self.style })?;
        atomic::write(&self.out.join(&names.overlay), &png(&painted)?)?;

        let [foreground_mm2, tissue_mm2, tissue_share] = Summary::areas(&written, mpp, size[0] as f64 * size[1] as f64);
        let mut cautions = regions.cautions;
        if plan.units.is_empty() {
            cautions.push(format!("{}: no tissue found; a --tissue of your own may say where it is", named()));
        }
        state.note_damage(slide.passed_over(0))?;
        let summary = Summary {
            key: finished_key.to_string(),
            path: named(),
            source,
            class,
            measures: Measures {
                verdict,
                tiles: tiles.len(),
                polygons: written.polygons,
                foreground_mm2,
                tissue_mm2,
                tissue_share,
                size: slide.size(),
                slide_mpp: own,
                mpp,
            },
            tissue_hash: regions.detected.map(|text| blake3::hash(text.as_bytes()).to_hex().to_string()),
            cautions,
            damaged: state.damaged(),
            truth: written.truth,
            files: names,
            seconds: Seconds { composing: clock.elapsed().as_secs_f64(), ..seconds },
        };
        atomic::write(&done, &serde_json::to_vec_pretty(&summary)?)?;
        state.remove();
        Ok(Some(summary))
    }

    /// Hash of all that a slide's parts depend on.
    fn key(&self, source: &Source, own: [f64; 2], regions: &Regions) -> blake3::Hash {
        let text = json!({
            "format": 2,
            "model": self.model_sha256,
            "method": self.model.card.model.method,
            "settings": self.settings,
            "slide": source,
            "mpp": own,
            "regions": regions.hash,
        });
        blake3::hash(text.to_string().as_bytes())
    }
}

/// A slide in one line.
fn line(summary: &Summary) -> String {
    let scored =
        summary.truth.map(truth::scores).map_or_else(String::new, |scores| format!(", {}", truth::words(scores)));
    let Measures { verdict, tiles, polygons, foreground_mm2, tissue_mm2, .. } = &summary.measures;
    let p = verdict.class().and_then(|class| verdict.probabilities.get(class));
    let named = summary.class.as_ref().zip(p);
    let named = named.map_or_else(String::new, |(class, p)| format!("{class} ({:.1} %), ", 100.0 * p));
    format!(
        "{}: {named}foreground {foreground_mm2:.3} of {tissue_mm2:.3} mm² tissue, {tiles} tiles, {polygons} regions{scored}, \
         {:.0} s",
        summary.path,
        summary.seconds.all()
    )
}
