//! The protocol from slides to lists, slide by slide, so that a run that was stopped goes on where it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use image::{GrayImage, Luma};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::lists::{self, Listed};
use super::patch::{Patch, share};
use super::png::write_png;
use super::settings::SampleSettings;
use super::slides::WholeSlide;
use super::summary::{Summary, count};
use super::{CamelyonError, annotation, calibration, metastatic, normal};
use crate::data::{Source, Split, slides};
use crate::{atomic, interrupt};

/// What happens meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// A pass over so many slides begins.
    Pass { what: &'static str, slides: usize },
    /// A slide is done.
    Slide { name: String, line: String },
    /// Something should be known of a slide, or it failed and the others go on.
    Warning(String),
}

/// What a sampling left.
#[derive(Debug)]
pub(crate) struct Sampled {
    pub(crate) summary: Summary,
    /// The table that `train` takes.
    pub(crate) labels: PathBuf,
    /// Whether a slide failed.
    pub(crate) failed: bool,
}

/// A run.
struct Sampler<'a> {
    settings: &'a SampleSettings,
    out: &'a Path,
    tell: &'a (dyn Fn(Event) + Sync),
    /// Set by an error that ends the run, such as a full disk: what runs beside it stops too.
    over: AtomicBool,
}

/// What is kept of a slide's part in a pass, so that it is not repeated.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    /// The settings that it depends on.
    settings: String,
    /// Slide and annotation.
    sources: Vec<Source>,
    /// How many patches were asked for, of a normal slide.
    wanted: Option<usize>,
    patches: Vec<Patch>,
}

/// Samples all slides into `out`; nothing if the user stopped it.
///
/// # Errors
/// [`CamelyonError`]: settings that make no sense, a file that cannot be written. A slide that cannot be read is told
/// and left out.
pub(crate) fn sample(
    slides: &[WholeSlide],
    settings: &SampleSettings,
    out: &Path,
    tell: &(dyn Fn(Event) + Sync),
) -> Result<Option<Sampled>, CamelyonError> {
    if let Some(refusal) = settings.refusal() {
        return Err(CamelyonError::Setting(refusal));
    }
    let sampler = Sampler { settings, out, tell, over: AtomicBool::new(false) };
    let mut failed = BTreeSet::new();
    let (tumour, normal): (Vec<_>, Vec<_>) = slides.iter().partition(|slide| slide.has_tumour());

    tell(Event::Pass { what: "searching tumour", slides: tumour.len() });
    let Some(searched) = sampler.each(&tumour, &mut failed, |slide| sampler.first_pass(slide))? else {
        return Ok(None);
    };
    let mut listed = Vec::new();
    for (slide, patches) in searched {
        atomic::write(&lists::first_pass_path(out, settings, slide), &lists::first_pass(settings, slide, &patches)?)?;
        listed.extend(patches.into_iter().map(|patch| Listed { slide, patch, kept: false }));
    }
    for test in [false, true] {
        sampler.calibrate(&mut listed, test);
    }

    let chosen = |slide: &WholeSlide| -> Vec<&Patch> {
        listed.iter().filter(|one| one.kept && one.slide == slide).map(|one| &one.patch).collect()
    };
    let with: Vec<_> = tumour.iter().copied().filter(|slide| !chosen(slide).is_empty()).collect();
    tell(Event::Pass { what: "cutting tumour", slides: with.len() });
    let cut = sampler.each(&with, &mut failed, |slide| sampler.cut(slide, &chosen(slide)))?;
    if cut.is_none() {
        return Ok(None);
    }
    listed.retain(|one| !failed.contains(&one.slide.name));

    for split in Split::ALL {
        let wanted = listed.iter().filter(|one| one.kept && one.slide.split == split).count();
        let own: Vec<_> = normal.iter().copied().filter(|slide| slide.split == split).collect();
        if own.is_empty() {
            if wanted > 0 {
                tell(Event::Warning(format!(
                    "{split}: no normal slide, so its {wanted} patches of tumour stand alone"
                )));
            }
            continue;
        }
        let Some(found) = sampler.normals(&own, wanted, split, &mut failed)? else { return Ok(None) };
        let count = found.len();
        listed.extend(found);
        if count < wanted {
            tell(Event::Warning(format!(
                "{split}: {count} normal patches in place of {wanted}, for want of tissue; fewer --chains pass more on"
            )));
        }
    }
    let labels = lists::write(out, settings, &listed)?;
    let summary = count(settings, slides, &listed, &failed);
    atomic::write(&out.join("summary.json"), &serde_json::to_vec_pretty(&summary)?)?;
    Ok(Some(Sampled { summary, labels, failed: !failed.is_empty() }))
}

impl Sampler<'_> {
    /// Does something with each slide, several at once. Slides that fail are told and noted; nothing if it was stopped.
    fn each<'s, T: Send>(
        &self,
        slides: &[&'s WholeSlide],
        failed: &mut BTreeSet<String>,
        work: impl Fn(&WholeSlide) -> Result<Option<(T, String)>, CamelyonError> + Sync,
    ) -> Result<Option<Vec<(&'s WholeSlide, T)>>, CamelyonError> {
        let done: Vec<_> = slides.par_iter().map(|slide| self.one(slide, || work(slide))).collect();
        let mut all = Vec::new();
        for (slide, done) in slides.iter().zip(told_first(done)?) {
            match done {
                Done::Well(value) => all.push((*slide, value)),
                Done::Failed => drop(failed.insert(slide.name.clone())),
                Done::Stopped => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// A slide's part in a pass, told.
    fn one<T>(
        &self,
        slide: &WholeSlide,
        work: impl FnOnce() -> Result<Option<(T, String)>, CamelyonError>,
    ) -> Result<Done<T>, CamelyonError> {
        if self.stopped() {
            return Ok(Done::Stopped);
        }
        match work() {
            Ok(Some((value, line))) => {
                (self.tell)(Event::Slide { name: slide.name.clone(), line });
                Ok(Done::Well(value))
            }
            Ok(None) => Ok(Done::Stopped),
            Err(error) if error.of_one_slide() => {
                (self.tell)(Event::Warning(format!("{error}; {} is left out", slide.name)));
                Ok(Done::Failed)
            }
            Err(error) => {
                self.over.store(true, Ordering::SeqCst);
                Err(error)
            }
        }
    }

    /// Whether the user stopped the run, or an error ended it.
    fn stopped(&self) -> bool {
        interrupt::asked() || self.over.load(Ordering::SeqCst)
    }

    /// All candidates of a slide.
    fn first_pass(&self, slide: &WholeSlide) -> Result<Option<(Vec<Patch>, String)>, CamelyonError> {
        let Some(path) = &slide.annotation else { return Ok(None) };
        let s = self.settings;
        let settings = format!("{:?}", (s.size, s.p0, s.tissue, s.darkest, s.holes));
        let place = self.out.join("records").join("tumour").join(format!("{}.json", slide.name));
        let sources = vec![Source::of(&slide.path)?, Source::of(path)?];
        let line = |patches: &[Patch], how: &str| format!("{} patches with tumour{how}", patches.len());
        if let Some(record) = Record::read(&place).filter(|old| old.settings == settings && old.sources == sources) {
            let line = line(&record.patches, ", from before");
            return Ok(Some((record.patches, line)));
        }
        let opened = slides::open(&slide.path)?;
        let annotation = annotation::read(path, opened.size())?;
        for note in &annotation.notes {
            (self.tell)(Event::Warning(format!("{}: {note}", path.display())));
        }
        let found = metastatic::search(&opened, &annotation, s, &|| self.stopped());
        let Some(patches) = found.map_err(|reason| CamelyonError::slide(&slide.path, reason))? else { return Ok(None) };
        let record = Record { settings, sources, wanted: None, patches };
        atomic::write(&place, &serde_json::to_vec(&record)?)?;
        let line = line(&record.patches, "");
        Ok(Some((record.patches, line)))
    }

    /// The second pass, over the training or the test slides.
    fn calibrate(&self, listed: &mut [Listed<'_>], test: bool) {
        let mut own: Vec<_> = listed.iter_mut().filter(|one| (one.slide.split == Split::Test) == test).collect();
        let shares: Vec<_> = own.iter().map(|one| share(one.patch.metastatic, self.settings.size)).collect();
        let kept = calibration::kept(&shares, self.settings, &mut self.random(&format!("calibration {test}")));
        own.iter_mut().zip(kept).for_each(|(one, kept)| one.kept = kept);
    }

    /// Writes the patches of a slide with tumour, and their masks, where they are not there yet. The record is written
    /// before them: what lies there beside it was cut from the files that it names.
    fn cut(&self, slide: &WholeSlide, patches: &[&Patch]) -> Result<Option<((), String)>, CamelyonError> {
        let Some(path) = &slide.annotation else { return Ok(None) };
        let folder = self.out.join(lists::metastatic_folder(self.settings, slide));
        let files = |patch: &Patch| {
            let tag = patch.tag(&slide.published, self.settings.size);
            [folder.join(format!("Patch_{tag}.png")), folder.join(format!("mask_{tag}.png"))]
        };
        let settings = format!("{:?}", (self.settings.size, self.settings.holes));
        let place = self.out.join("records").join("cut").join(format!("{}.json", slide.name));
        let sources = vec![Source::of(&slide.path)?, Source::of(path)?];
        let same = Record::read(&place).is_some_and(|old| old.settings == settings && old.sources == sources);
        let missing: Vec<_> =
            patches.iter().filter(|patch| !same || !files(patch).iter().all(|file| file.is_file())).collect();
        let line = format!("{} patches, {} of them from before", patches.len(), patches.len() - missing.len());
        if missing.is_empty() {
            return Ok(Some(((), line)));
        }
        if !same {
            missing.iter().flat_map(|patch| files(patch)).for_each(|file| drop(std::fs::remove_file(file)));
            let record = Record { settings, sources, wanted: None, patches: Vec::new() };
            atomic::write(&place, &serde_json::to_vec(&record)?)?;
        }
        let opened = slides::open(&slide.path)?;
        let annotation = annotation::read(path, opened.size())?;
        let size = self.settings.size;
        let done = missing.par_iter().map(|patch| {
            if self.stopped() {
                return Ok(None);
            }
            let at = [patch.x, patch.y];
            let picture =
                opened.region(0, at, [size; 2]).map_err(|reason| CamelyonError::slide(&slide.path, reason))?;
            let side = size as usize;
            let covered = metastatic::tumour(&annotation, self.settings.holes, at, side, side).covered;
            let mask = GrayImage::from_fn(size, size, |x, y| {
                let on = covered.get(y as usize * side + x as usize).is_some_and(|&on| on);
                Luma([if on { 255 } else { 0 }])
            });
            let [patch_file, mask_file] = files(patch);
            let written = write_png(&mask_file, mask.into()).and_then(|()| write_png(&patch_file, picture.into()));
            // of a full disk nothing more is asked
            written.inspect_err(|_| self.over.store(true, Ordering::SeqCst))?;
            Ok(Some(()))
        });
        let done: Option<Vec<()>> = done.collect::<Result<Vec<_>, CamelyonError>>()?.into_iter().collect();
        Ok(done.map(|_| ((), line)))
    }

    /// The third pass: as many normal patches as there are metastatic ones, from slides in chains that pass on what
    /// they lack.
    fn normals<'s>(
        &self,
        slides: &[&'s WholeSlide],
        wanted: usize,
        split: Split,
        failed: &mut BTreeSet<String>,
    ) -> Result<Option<Vec<Listed<'s>>>, CamelyonError> {
        (self.tell)(Event::Pass { what: "searching normal tissue", slides: slides.len() });
        let (each, rest) = (wanted / slides.len(), wanted % slides.len());
        let shares: Vec<_> = slides
            .iter()
            .enumerate()
            .map(|(index, slide)| (*slide, each + if index == 0 { rest } else { 0 }))
            .collect();
        let chains: Vec<_> = shares.chunks(slides.len().div_ceil(self.settings.chains)).collect();
        let done: Vec<_> = chains.par_iter().map(|chain| self.chain(chain, split)).collect();
        let mut all = Vec::new();
        for chain in told_first(done)? {
            let Some(chain) = chain else { return Ok(None) };
            for (slide, patches) in chain {
                let Some(patches) = patches else {
                    failed.insert(slide.name.clone());
                    continue;
                };
                all.extend(patches.into_iter().map(|patch| Listed { slide, patch, kept: true }));
            }
        }
        Ok(Some(all))
    }

    /// The slides of a chain with their patches; none of a slide that failed.
    #[expect(clippy::type_complexity, reason = "read in one place")]
    fn chain<'s>(
        &self,
        chain: &[(&'s WholeSlide, usize)],
        split: Split,
    ) -> Result<Option<Vec<(&'s WholeSlide, Option<Vec<Patch>>)>>, CamelyonError> {
        let (mut all, mut lacking) = (Vec::new(), 0);
        for &(slide, own) in chain {
            let wanted = own + lacking;
            let patches = match self.one(slide, || self.normal(slide, wanted, split))? {
                Done::Stopped => return Ok(None),
                Done::Failed => None,
                Done::Well(patches) => Some(patches),
            };
            lacking = wanted - patches.as_ref().map_or(0, Vec::len).min(wanted);
            all.push((slide, patches));
        }
        Ok(Some(all))
    }

    /// Patches of a normal slide, written as they are found.
    fn normal(
        &self,
        slide: &WholeSlide,
        wanted: usize,
        split: Split,
    ) -> Result<Option<(Vec<Patch>, String)>, CamelyonError> {
        let s = self.settings;
        let set = lists::normal_set(s, split);
        let settings = format!("{:?}", (s.size, s.tissue, s.darkest, s.seed));
        let place = self.out.join("records").join(&set).join(format!("{}.json", slide.name));
        let sources = vec![Source::of(&slide.path)?];
        let folder = self.out.join(lists::normal_folder(s, split));
        let file = |patch: &Patch| folder.join(format!("Patch_{}.png", patch.tag(&slide.published, s.size)));
        let line = |patches: &[Patch], how: &str| format!("{} of {wanted} normal patches{how}", patches.len());
        if let Some(old) = Record::read(&place) {
            let same = old.settings == settings && old.sources == sources && old.wanted == Some(wanted);
            if same && old.patches.iter().all(|patch| file(patch).is_file()) {
                let line = line(&old.patches, ", from before");
                return Ok(Some((old.patches, line)));
            }
            // they would lie there unlisted
            old.patches.iter().for_each(|patch| drop(std::fs::remove_file(file(patch))));
        }
        let opened = slides::open(&slide.path)?;
        let mut random = self.random(&format!("{set} {}", slide.name));
        let found = normal::search(&opened, wanted, s, &mut random, &|| self.stopped(), |patch, picture| {
            write_png(&file(patch), picture.clone().into()).map_err(Taken::Own)
        });
        let patches = match found {
            Ok(Some(patches)) => patches,
            Ok(None) => return Ok(None),
            Err(Taken::Own(error)) => return Err(error),
            Err(Taken::Slide(reason)) => return Err(CamelyonError::slide(&slide.path, reason)),
        };
        let record = Record { settings, sources, wanted: Some(wanted), patches };
        atomic::write(&place, &serde_json::to_vec(&record)?)?;
        let line = line(&record.patches, "");
        Ok(Some((record.patches, line)))
    }

    /// Random numbers of one purpose, whatever else is drawn.
    fn random(&self, purpose: &str) -> ChaCha8Rng {
        let hash = blake3::hash(format!("{}\n{purpose}", self.settings.seed).as_bytes());
        ChaCha8Rng::from_seed(*hash.as_bytes())
    }
}

/// How a slide's part in a pass ended.
enum Done<T> {
    Well(T),
    Failed,
    Stopped,
}

/// What ended a search.
enum Taken {
    Slide(histomask_core::slide::SlideError),
    Own(CamelyonError),
}

impl From<histomask_core::slide::SlideError> for Taken {
    fn from(reason: histomask_core::slide::SlideError) -> Self {
        Self::Slide(reason)
    }
}

impl Record {
    fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path).ok()?).ok()
    }
}

/// All of them, or the first error, whatever stands before it: others stopped because of it.
fn told_first<T>(done: Vec<Result<T, CamelyonError>>) -> Result<Vec<T>, CamelyonError> {
    done.into_iter().collect()
}
