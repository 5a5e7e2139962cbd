//! The file of a study, checked as a whole before any work.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use toml::Table;

use crate::profile::{Origin, Profile, ProfileError};

/// A study's file that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum StudyError {
    #[error("{}: cannot read this study: {reason}; check the path", .path.display())]
    Read { path: PathBuf, reason: std::io::Error },
    #[error(
        "{}: not a study; it has profile, seeds, folds, [settings] for all runs, and a [[variant]] with name and \
         [variant.settings] for each variant (docs/FORMATS.md).\n{reason}", .path.display()
    )]
    Syntax { path: PathBuf, reason: String },
    #[error("{}: {reason}", .path.display())]
    Content { path: PathBuf, reason: String },
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

/// Settings that a study gives in a place of their own.
const ELSEWHERE: [(&str, &str); 3] = [
    ("name", "a variant's name stands above its settings: write name = \"…\" below [[variant]]"),
    ("train.seed", "a study gives it to all variants alike: write seeds = […] at the top of the file"),
    ("data.fold", "a study gives it to all variants alike: write folds = […] at the top of the file"),
];

/// What is compared.
#[derive(Clone, Debug)]
pub(crate) struct StudyFile {
    pub(crate) path: PathBuf,
    /// Name of the profile that all variants change.
    pub(crate) profile: String,
    pub(crate) seeds: Vec<u64>,
    pub(crate) folds: Vec<usize>,
    /// The first is what the others are compared with.
    pub(crate) variants: Vec<Variant>,
}

/// One way to train and to make masks.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// All its settings; seed and fold are set for each run.
    pub(crate) profile: Profile,
    /// What the file says of it alone.
    pub(crate) settings: Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    profile: String,
    #[serde(default = "only_the_first")]
    seeds: Vec<u64>,
    #[serde(default = "only_the_first")]
    folds: Vec<usize>,
    #[serde(default)]
    settings: Table,
    #[serde(default)]
    variant: Vec<RawVariant>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariant {
    name: String,
    #[serde(default)]
    settings: Table,
}

fn only_the_first<T: Default>() -> Vec<T> {
    vec![T::default()]
}

impl StudyFile {
    /// Reads and checks a study: every variant's settings with every seed and fold.
    ///
    /// # Errors
    /// [`StudyError`] naming the file, the variant and what to do.
    pub(crate) fn read(path: &Path) -> Result<Self, StudyError> {
        let text = std::fs::read_to_string(path).map_err(|reason| StudyError::Read { path: path.into(), reason })?;
        let raw: Raw = toml::from_str(&text)
            .map_err(|error| StudyError::Syntax { path: path.into(), reason: error.to_string() })?;
        let content = |reason: String| StudyError::Content { path: path.into(), reason };
        if let Some(reason) = wrong(&raw) {
            return Err(content(reason));
        }
        let base = base(path, &raw.profile).map_err(|error| content(format!("profile: {error}")))?;
        let name = base.name.clone();
        let mut variants = Vec::new();
        for variant in raw.variant {
            let parts = [
                (&raw.settings, Origin::Part(path.into(), "[settings]".into())),
                (&variant.settings, Origin::Part(path.into(), format!("variant `{}`", variant.name))),
            ];
            let profile = base.clone().with_parts(&parts, &ELSEWHERE)?;
            let refused = |error| content(format!("variant `{}`: {error}", variant.name));
            for (&seed, &fold) in raw.seeds.iter().flat_map(|seed| raw.folds.iter().map(move |fold| (seed, fold))) {
                of_run(&profile, seed, fold).map_err(|error| refused(error.to_string()))?;
            }
            if !profile.model.method.is_trained() {
                return Err(refused("all-ones has nothing to train; the table names its F1+ anyway".into()));
            }
            variants.push(Variant { name: variant.name, profile, settings: variant.settings });
        }
        Ok(Self { path: path.into(), profile: name, seeds: raw.seeds, folds: raw.folds, variants })
    }
}

/// A variant's settings for one run.
pub(super) fn of_run(profile: &Profile, seed: u64, fold: usize) -> Result<Profile, ProfileError> {
    let mut profile = profile.clone();
    profile.train.seed = seed;
    profile.data.fold = fold;
    profile.validate()?;
    Ok(profile)
}

/// A shipped profile, or a file, whose path may start from the study's folder.
fn base(study: &Path, name: &str) -> Result<Profile, ProfileError> {
    let beside = study.parent().map(|folder| folder.join(name)).filter(|beside| beside.is_file());
    match beside {
        Some(beside) if !Profile::names().contains(&name) => Profile::from_file(&beside),
        _ => Profile::resolve(name),
    }
}

fn wrong(raw: &Raw) -> Option<String> {
    let twice = |values: &[String]| {
        { values.iter().enumerate().find(|(index, value)| values.iter().take(*index).any(|other| other == *value)) }
            .map(|(_, value)| value.clone())
    };
    let names: Vec<_> = raw.variant.iter().map(|variant| variant.name.trim().to_owned()).collect();
    for (list, values) in [
        ("seeds", raw.seeds.iter().map(ToString::to_string).collect::<Vec<_>>()),
        ("folds", raw.folds.iter().map(ToString::to_string).collect()),
    ] {
        if values.is_empty() {
            return Some(format!("`{list}` is empty; name at least one, {list} = [0]"));
        }
        if let Some(value) = twice(&values) {
            return Some(format!("`{list}` has {value} twice; name each once"));
        }
    }
    if names.is_empty() {
        return Some("there is no variant; write [[variant]] with name = \"…\" and [variant.settings] below".into());
    }
    if names.iter().any(String::is_empty) {
        return Some("a variant has an empty name; give each a name of its own".into());
    }
    twice(&names).map(|name| format!("two variants are called `{name}`; give each a name of its own"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    /// Reads `text` as `mine.toml`; the folder's name is taken out of messages.
    fn read(text: &str) -> Result<StudyFile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::write(folder.path().join("beside.toml"), "extends = \"demo\"").unwrap();
        StudyFile::read(&path)
            .map_err(|error| error.to_string().replace(&format!("{}", folder.path().join("").display()), ""))
    }

    const TWO: &str = "profile = \"histomask\"\nseeds = [0, 1]\n[settings]\n\"data.folds\" = \"patients\"\n\
        train.epochs = 3\n[[variant]]\nname = \"one\"\n[[variant]]\nname = \"two\"\n[variant.settings]\n\
        \"model.mask.prior\" = 0\ntrain.epochs = 5\n";

    #[test]
    fn a_variant_has_the_profile_the_settings_of_all_and_its_own() {
        let study = read(TWO).unwrap();
        assert_eq!((study.seeds, study.folds, study.profile.as_str()), (vec![0, 1], vec![0], "histomask"));
        let mut expected = Profile::named("histomask").unwrap();
        expected.data.folds = crate::data::Folds::Patients;
        expected.train.epochs = 3;
        assert_eq!(study.variants[0].profile, expected);
        expected.model.mask.prior = 0.0;
        expected.train.epochs = 5;
        assert_eq!(study.variants[1].profile, expected);
        assert_eq!(read(&TWO.replace("histomask", "beside.toml")).unwrap().profile, "beside");
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_variant() {
        let swapped = |old: &str, new: &str| read(&TWO.replace(old, new)).unwrap_err();
        for (message, expected) in [
            (
                swapped("model.mask.prior", "model.mask.piror"),
                "mine.toml, variant `two`: there is no setting `model.mask.piror`; did you mean `model.mask.prior`?",
            ),
            (
                swapped("train.epochs = 3", "train.epoch = 3"),
                "mine.toml, [settings]: there is no setting `train.epoch`; did you mean `train.epochs`?",
            ),
            (
                swapped("\"model.mask.prior\" = 0", "\"model.mask.prior\" = 2"),
                "mine.toml, variant `two`: `model.mask.prior` cannot be 2.0; give a number at least 0 and at most 1",
            ),
            (
                swapped("\"model.mask.prior\" = 0", "\"train.seed\" = 0"),
                "mine.toml, variant `two`: `train.seed` cannot be 0; a study gives it to all variants alike: write seeds",
            ),
            (
                swapped("\"model.mask.prior\" = 0", "\"train.epochs\" = 4"),
                "mine.toml, variant `two`: `train.epochs` cannot be 4; it is given twice",
            ),
            (swapped("\"two\"", "\"one\""), "mine.toml: two variants are called `one`"),
            (swapped("[0, 1]", "[1, 1]"), "mine.toml: `seeds` has 1 twice"),
            (swapped("[0, 1]", "[]"), "mine.toml: `seeds` is empty"),
            (
                swapped("seeds = [0, 1]", "folds = [7]"),
                "mine.toml: variant `one`: profile `histomask`: `data.fold` cannot be 7",
            ),
            (
                swapped("histomask", "histomsk"),
                "mine.toml: profile: there is no profile `histomsk`; did you mean `histomask`?",
            ),
            (swapped("seeds", "seed"), "mine.toml: not a study;"),
            (read("profile = \"demo\"").unwrap_err(), "mine.toml: there is no variant; write [[variant]]"),
        ] {
            assert!(message.starts_with(expected), "{message}");
        }
        assert!(swapped("seeds", "seed").contains("unknown field `seed`"));
        assert!(StudyFile::read(Path::new("none.toml")).unwrap_err().to_string().starts_with("none.toml: cannot read"));
    }

    #[test]
    fn the_shipped_studies_can_be_run() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/studies");
        let lambda = StudyFile::read(&folder.join("lambda.toml")).unwrap();
        let weights: Vec<_> = lambda.variants.iter().map(|variant| variant.profile.loss.background_weight).collect();
        assert_eq!(weights, [1e-7, 1e-4, 0.01, 0.1, 0.5, 2.0].repeat(2));
        let mask = |variant: &Variant| (variant.profile.model.mask.prior, variant.profile.model.mask.tissue);
        assert!(lambda.variants.iter().all(|variant| mask(variant) == (0.0, false)));
        let recipe = StudyFile::read(&folder.join("recipe.toml")).unwrap();
        let first = recipe.variants.first().unwrap();
        assert_eq!((first.name.as_str(), recipe.variants.len()), ("recipe", 11));
        assert_eq!(first.profile.model, Profile::named("histomask").unwrap().model);
    }
}
