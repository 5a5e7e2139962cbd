//! The GlaS (Warwick-QU) challenge data: 85 training and 80 test images, benign or malignant (`spec` §6.1).
//!
//! Both the official flat folder of BMP files and a copy sorted into `images/` and `masks/`, in BMP or PNG, are
//! understood. `splits/fold-N/{train,valid}.txt` in the folder wins over the published folds.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::by_split::Splits;
use super::glas_folds::{IMAGES, VALID};
use super::labels::label_of;
use super::{DataConfig, DataError, Dataset, Folds, Layout, LeftOut, Sample, groups, list_folder};

/// Classes in the order of their labels.
const CLASSES: [&str; 2] = ["benign", "malignant"];
const GRADES: &str = "Grade.csv";
const EXTENSIONS: [&str; 2] = ["bmp", "png"];

/// The folder that holds `Grade.csv`: `path` itself or one of its direct subfolders
/// (`Warwick QU Dataset (Released 2016_07_08)`).
pub(super) fn find_root(path: &Path) -> Result<Option<PathBuf>, DataError> {
    if path.join(GRADES).is_file() {
        return Ok(Some(path.to_owned()));
    }
    Ok(list_folder(path)?.into_iter().find(|entry| entry.join(GRADES).is_file()))
}

/// Lists GlaS. Every split is in the order of `Grade.csv`; test images that are absent are left out.
pub(super) fn open(path: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    let classes = CLASSES.map(str::to_owned).to_vec();
    if !config.class_names.is_empty() && config.class_names != classes {
        let reason = format!("GlaS has the classes {}; leave the setting out", CLASSES.join(", "));
        return Err(DataError::Setting { setting: "class_names", reason });
    }
    let root = find_root(path)?.ok_or_else(|| DataError::Layout {
        path: path.to_owned(),
        reason: format!("no {GRADES} here or one folder below; unpack the GlaS archive and name its folder"),
    })?;
    let grades = read_grades(&root.join(GRADES), &classes)?;
    let by_patient = config.folds == Folds::Patients;
    let fold = if by_patient { Fold::none(&grades) } else { Fold::read(&root, config.fold)? };
    let mut splits = Splits::default();
    let found: Vec<_> = grades.iter().map(|grade| find(&root, "images", &grade.id)).collect();
    // the test images alone can be evaluated on
    let any = |test: bool| grades.iter().zip(&found).any(|(grade, image)| grade.is_test() == test && image.is_some());
    let tests_alone = any(true) && !any(false);
    let named: BTreeSet<_> = grades.iter().map(|grade| grade.id.as_str()).collect();
    let unnamed = fold.train.iter().chain(&fold.valid).find(|id| !named.contains(id.as_str()));
    if let Some(id) = unnamed.filter(|_| !tests_alone) {
        let reason = format!("fold {} names `{id}`, which has no row here; take the complete file", config.fold);
        return Err(DataError::Layout { path: root.join(GRADES), reason });
    }
    for (grade, image) in grades.into_iter().zip(found) {
        if grade.is_test() {
            splits.test.extend(image.map(|image| grade.sample(&root, image)));
            continue;
        }
        let (in_train, in_valid) = (fold.train.contains(&grade.id), fold.valid.contains(&grade.id));
        if tests_alone || (!in_train && !in_valid) {
            continue;
        }
        let image = image.ok_or_else(|| DataError::Missing { path: root.join(format!("{}.bmp", grade.id)) })?;
        let sample = grade.sample(&root, image);
        if in_train {
            splits.train.push(sample.clone());
        }
        if in_valid {
            splits.valid.push(sample);
        }
    }
    if by_patient {
        if let Some(sample) = splits.train.iter().find(|sample| sample.group.is_none()) {
            let reason =
                format!("`{}` has no patient ID in its second cell, which `folds = \"patients\"` needs", sample.id);
            return Err(DataError::Layout { path: root.join(GRADES), reason });
        }
        splits = splits.fill_empty(&classes, config)?;
    }
    let warnings = groups::warn_divided(config.fold, &splits);
    let Splits { train, valid, test } = splits;
    Ok(Dataset { root, layout: Layout::Glas, classes, train, valid, test, warnings, left_out: LeftOut::default() })
}

/// A row of `Grade.csv`.
struct Grade {
    id: String,
    label: usize,
    patient: Option<String>,
}

impl Grade {
    fn is_test(&self) -> bool {
        self.id.starts_with("test")
    }

    fn sample(self, root: &Path, image: PathBuf) -> Sample {
        let mask = find(root, "masks", &format!("{}_anno", self.id));
        Sample { id: self.id, image, label: self.label, mask, group: self.patient }
    }
}

/// `<stem>.bmp` or `<stem>.png` in the root, in `folder` or in `images/`.
fn find(root: &Path, folder: &str, stem: &str) -> Option<PathBuf> {
    [root.to_owned(), root.join(folder), root.join("images")]
        .iter()
        .flat_map(|folder| EXTENSIONS.map(|extension| folder.join(format!("{stem}.{extension}"))))
        .find(|path| path.is_file())
}

/// Names, patients and labels from `Grade.csv`: its first three columns, without any of the spaces and line ends in its cells.
fn read_grades(path: &Path, classes: &[String]) -> Result<Vec<Grade>, DataError> {
    let text = std::fs::read_to_string(path).map_err(|error| DataError::io(path, error))?;
    let row_error = |line: u64, reason: &str| DataError::Row { path: path.to_owned(), line, reason: reason.to_owned() };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut grades = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| {
            row_error(error.position().map_or(0, csv::Position::line), "not a row of comma-separated cells")
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |column: usize| row.get(column).map(|cell| cell.replace(char::is_whitespace, ""));
        let id = cell(0).unwrap_or_default();
        if id.is_empty() {
            continue;
        }
        let grade = cell(2).ok_or_else(|| row_error(line, "the third cell must be `benign` or `malignant`"))?;
        let label = label_of(&grade, classes, || format!("{}, line {line}", path.display()))?;
        grades.push(Grade { id, label, patient: cell(1).filter(|patient| !patient.is_empty()) });
    }
    Ok(grades)
}

/// Ids of one fold.
struct Fold {
    train: BTreeSet<String>,
    valid: BTreeSet<String>,
}

impl Fold {
    fn read(root: &Path, fold: usize) -> Result<Self, DataError> {
        let folder = root.join("splits");
        if !folder.is_dir() {
            return Ok(Self::published(fold));
        }
        let folder = folder.join(format!("fold-{fold}"));
        Ok(Self { train: read_ids(&folder.join("train.txt"))?, valid: read_ids(&folder.join("valid.txt"))? })
    }

    /// All training images, to be divided by patient.
    fn none(grades: &[Grade]) -> Self {
        let train = grades.iter().filter(|grade| !grade.is_test()).map(|grade| grade.id.clone());
        Self { train: train.collect(), valid: BTreeSet::new() }
    }

    fn published(fold: usize) -> Self {
        let valid_numbers = VALID.get(fold).copied().unwrap_or_default();
        let (valid, train): (Vec<u32>, Vec<u32>) = (1..=IMAGES).partition(|number| valid_numbers.contains(number));
        let ids = |numbers: Vec<u32>| numbers.into_iter().map(|number| format!("train_{number}")).collect();
        Self { train: ids(train), valid: ids(valid) }
    }
}

/// One id a line; what follows a comma and the image's extension are ignored, so published lists work as they are.
fn read_ids(path: &Path) -> Result<BTreeSet<String>, DataError> {
    let text = std::fs::read_to_string(path).map_err(|error| DataError::io(path, error))?;
    let id = |line: &str| {
        let name = line.split(',').next().unwrap_or_default().trim();
        EXTENSIONS.iter().find_map(|e| name.strip_suffix(e)?.strip_suffix('.')).unwrap_or(name).to_owned()
    };
    Ok(text.lines().map(id).filter(|id| !id.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::data::check::check;
    use crate::data::image::read_mask;

    fn shared() -> Option<PathBuf> {
        let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
        let shared = std::env::var_os("HISTOMASK_SHARED").map_or_else(default, PathBuf::from);
        if shared.join("data/glas").is_dir() {
            return Some(shared);
        }
        println!("skipped: no ../shared");
        None
    }

    /// A GlaS-like folder with empty image files.
    fn folder(root: &Path, with_test: bool) {
        let mut grades = "name,patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)\r\n".to_owned();
        let train = (1..=85).map(|n| format!("train_{n}"));
        for (i, id) in train.chain(["testA_1".to_owned(), "testB_1".to_owned()]).enumerate() {
            grades += &format!("{id},{i}, {}, healthy\r\n", CLASSES[i % 2]);
            if id.starts_with("train") || (with_test && id == "testA_1") {
                std::fs::write(root.join(format!("{id}.bmp")), "").unwrap();
            }
        }
        std::fs::write(root.join(GRADES), grades).unwrap();
        std::fs::write(root.join("train_1_anno.bmp"), "").unwrap();
    }

    #[test]
    fn the_published_folds_divide_the_training_images() {
        let mut all: Vec<u32> = VALID.concat();
        all.sort();
        assert_eq!(all, (1..=IMAGES).collect::<Vec<_>>());
        // the released list of fold 0: one `image,mask,class` line per validation image
        let malignant = [77, 74, 18, 83, 68, 38, 72, 65, 51, 12, 63, 2, 52];
        let fold = Fold::published(0);
        assert_eq!((fold.train.len(), fold.valid.len()), (67, 18));
        assert!(malignant.iter().all(|n| fold.valid.contains(&format!("train_{n}"))));
    }

    #[test]
    fn the_official_folder_and_its_parent_are_found() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("Warwick QU Dataset (Released 2016_07_08)");
        std::fs::create_dir(&root).unwrap();
        folder(&root, true);
        let dataset = Dataset::open(parent.path(), &DataConfig { fold: 4, ..DataConfig::default() }).unwrap();
        assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.len()), (72, 13, 1));
        assert_eq!(dataset.layout, Layout::Glas);
        assert_eq!((dataset.train[0].id.as_str(), dataset.train[0].label), ("train_1", 0));
        assert_eq!(dataset.train[0].mask.as_deref(), Some(root.join("train_1_anno.bmp").as_path()));
        assert_eq!((dataset.train[1].id.as_str(), dataset.train[1].label), ("train_2", 1));
        assert_eq!(dataset.train[1].mask, None);

        assert!(dataset.warnings.is_empty(), "each image has its own patient: {:?}", dataset.warnings);

        std::fs::remove_file(root.join("train_7.bmp")).unwrap();
        let error = Dataset::open(&root, &DataConfig::default()).unwrap_err().to_string();
        assert!(error.contains("train_7.bmp"), "{error}");
    }

    #[test]
    fn a_splits_folder_wins() {
        let root = tempfile::tempdir().unwrap();
        folder(root.path(), false);
        let fold = root.path().join("splits/fold-0");
        std::fs::create_dir_all(&fold).unwrap();
        std::fs::write(fold.join("train.txt"), "train_3\r\ntrain_2\r\n").unwrap();
        std::fs::write(fold.join("valid.txt"), "train_9.bmp,train_9_anno.bmp,benign\n").unwrap();
        let dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        let ids = |samples: &[Sample]| samples.iter().map(|s| s.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&dataset.train), ["train_2", "train_3"]);
        assert_eq!(ids(&dataset.valid), ["train_9"]);
        let error = Dataset::open(root.path(), &DataConfig { fold: 1, ..DataConfig::default() }).unwrap_err();
        assert!(matches!(error, DataError::Missing { .. }), "{error}");
    }

    #[test]
    fn fold_0_is_the_released_one() {
        let Some(shared) = shared() else { return };
        let vectors = std::fs::read_to_string(shared.join("spec/vectors.json")).unwrap();
        let vectors: serde_json::Value = serde_json::from_str(&vectors).unwrap();
        let dataset = Dataset::open(&shared.join("data/glas"), &DataConfig::default()).unwrap();
        let published = Fold::published(0);
        for (name, samples, ids) in
            [("train", &dataset.train, &published.train), ("valid", &dataset.valid, &published.valid)]
        {
            let expected = &vectors["glas_split_0_fold_0"][name];
            let listed: Vec<_> = expected["ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            assert_eq!(&listed.iter().map(|&id| id.to_owned()).collect::<BTreeSet<_>>(), ids);
            assert_eq!(samples.len(), listed.len());
            let line = |id: &&str| {
                let label = samples.iter().find(|sample| sample.id == *id).unwrap().label;
                format!("{id}.bmp,{id}_anno.bmp,{}", CLASSES[label])
            };
            let text = listed.iter().map(line).collect::<Vec<_>>().join("\n");
            let hash: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hash, expected["sha256_LF_lines_joined"].as_str().unwrap());
        }
    }

    #[test]
    fn patients_are_kept_together_on_request() {
        let root = tempfile::tempdir().unwrap();
        folder(root.path(), true);
        // eleven patients in turn, a prime number so that each has both classes
        let grades = std::fs::read_to_string(root.path().join(GRADES)).unwrap();
        let patient = |(i, line): (usize, &str)| {
            let cells: Vec<_> = line.split(',').collect();
            if i == 0 { line.to_owned() } else { format!("{},{},{},x", cells[0], i % 11, cells[2]) }
        };
        let grades: Vec<_> = grades.lines().enumerate().map(patient).collect();
        std::fs::write(root.path().join(GRADES), grades.join("\r\n")).unwrap();
        let published = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        let [warning, test] = published.warnings.as_slice() else { panic!("{:?}", published.warnings) };
        assert!(
            warning.contains("fold 0 divides patients: 10 of the 11") && warning.contains("--data.folds patients"),
            "{warning}"
        );
        assert!(test.starts_with("1 patient(s) of the test images"), "{test}");

        let config = DataConfig { folds: Folds::Patients, fold: 3, ..DataConfig::default() };
        let dataset = Dataset::open(root.path(), &config).unwrap();
        let splits = Splits { train: dataset.train.clone(), valid: dataset.valid.clone(), test: Vec::new() };
        assert!(groups::divided(&splits).is_empty());
        assert_eq!(dataset.train.len() + dataset.valid.len(), 85);
        assert!((14..=24).contains(&dataset.valid.len()), "{}", dataset.valid.len());
    }

    #[test]
    fn test_images_alone_can_be_listed() {
        let root = tempfile::tempdir().unwrap();
        folder(root.path(), false);
        for n in 1..=85 {
            std::fs::remove_file(root.path().join(format!("train_{n}.bmp"))).unwrap();
        }
        std::fs::write(root.path().join("testA_1.bmp"), "").unwrap();
        std::fs::write(root.path().join("testB_1.png"), "").unwrap();
        let dataset = Dataset::open(root.path(), &DataConfig::default()).unwrap();
        assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.len()), (0, 0, 2));
    }

    #[test]
    fn the_real_images_pass_the_check() {
        let Some(shared) = shared() else { return };
        let dataset = Dataset::open(&shared.join("data/glas"), &DataConfig::default()).unwrap();
        let summary = check(&dataset, &|_, _| {}).unwrap();
        assert_eq!(summary.counts[0].per_class, [29, 38]);
        assert_eq!(summary.counts[1].per_class, [8, 10]);
        assert_eq!(summary.largest, (775, 522));
        let sample = dataset.samples().map(|(_, sample)| sample).find(|sample| sample.id == "train_1").unwrap();
        let mask = read_mask(sample.mask.as_ref().unwrap(), (775, 522)).unwrap();
        let foreground = mask.pixels().filter(|pixel| pixel.0[0] == 255).count() as f64 / (775.0 * 522.0);
        assert!((0.05..0.95).contains(&foreground), "{foreground}");
    }
}
