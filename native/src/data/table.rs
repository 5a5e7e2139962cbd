//! A CSV file with the columns `path,label[,mask][,split][,group]`; paths are relative to its folder.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::by_split::Splits;
use super::cells::{self, Cells, found};
use super::labels::{class_list, label_of, nearest, nfc};
use super::{DataConfig, DataError, Dataset, Layout, Sample, Split, groups, place, unnamed};

/// Name of the table when a folder is given.
pub(super) const FILE_NAME: &str = "labels.csv";
const COLUMNS: [&str; 5] = ["path", "label", "mask", "split", "group"];
/// What people call the column of groups, the widest first: a patient may have several slides.
const GROUP_COLUMNS: [&str; 9] =
    ["group", "patient", "patient_id", "patientid", "case", "case_id", "slide", "slide_id", "slideid"];

/// Lists the table. Splits that no row names are drawn from the training rows.
pub(super) fn open(path: &Path, config: &DataConfig) -> Result<Dataset, DataError> {
    let table = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
    let rows = read_rows(&table)?;
    let root = table.parent().unwrap_or(Path::new("")).to_owned();
    let classes = class_list(&config.class_names, rows.iter().map(|row| nfc(&row.label)).collect::<BTreeSet<_>>());
    let row_error = |line: u64, reason: String| DataError::Row { path: table.clone(), line, reason };

    let names_splits = rows.iter().any(|row| row.split.is_some());
    let names_groups = rows.iter().any(|row| row.group.is_some());
    let mut lines: HashMap<PathBuf, u64> = HashMap::new();
    let mut splits = Splits::default();
    for row in rows {
        let Row { path: written, .. } = &row;
        let row = Row { path: found(&root, written), mask: row.mask.as_deref().map(|mask| found(&root, mask)), ..row };
        if let Some(first) = lines.insert(place(&root.join(&row.path)), row.line) {
            return Err(row_error(row.line, format!("`{}` already stands in line {first}; remove one", row.path)));
        }
        let split = match row.split {
            Some(split) => split,
            None if names_splits => {
                let reason = "other rows name a split, so this one needs `train`, `valid` or `test` too";
                return Err(row_error(row.line, reason.to_owned()));
            }
            None => Split::Train,
        };
        if names_groups && row.group.is_none() {
            let reason = "other rows name a group, so this one needs one too; an image of nobody else's patient gets a \
                          name of its own";
            return Err(row_error(row.line, reason.to_owned()));
        }
        let label = label_of(&row.label, &classes, || format!("{}, line {}", table.display(), row.line))?;
        let image = root.join(&row.path);
        let mask = row.mask.map(|mask| root.join(mask));
        splits.push(split, Sample { id: row.path, image, label, mask, group: row.group });
    }
    groups::refuse_divided(&table, &splits)?;
    let Splits { train, valid, test } = splits.fill_empty(&classes, config)?;
    let left_out = unnamed::left_out(&root, path.is_dir(), train.iter().chain(&valid).chain(&test))?;
    let (layout, warnings) = (Layout::Table, Vec::new());
    Ok(Dataset { root, layout, classes, train, valid, test, warnings, left_out })
}

struct Row {
    line: u64,
    path: String,
    label: String,
    mask: Option<String>,
    split: Option<Split>,
    group: Option<String>,
}

fn read_rows(table: &Path) -> Result<Vec<Row>, DataError> {
    let row_error = |line: u64, reason: String| DataError::Row { path: table.to_owned(), line, reason };
    let Cells { header, rows: records } = cells::read(table)?;
    let columns = Columns::find(&header).map_err(|reason| row_error(1, reason))?;

    let mut rows = Vec::new();
    let needed_cells = header.iter().rposition(|name| COLUMNS[..2].contains(&name.as_str())).map_or(0, |last| last + 1);
    for (line, record) in records {
        if record.len() < needed_cells {
            return Err(row_error(line, cells::uneven(record.len(), header.len())));
        }
        let cell = |column: Option<usize>| record.get(column?).filter(|cell| !cell.is_empty()).map(str::to_owned);
        let needed =
            |column, name: &str| cell(Some(column)).ok_or_else(|| row_error(line, format!("the {name} is empty")));
        let split = match cell(columns.split) {
            None => None,
            Some(name) => Some(
                Split::parse(&name)
                    .ok_or_else(|| row_error(line, format!("`{name}` is no split; use train, valid or test")))?,
            ),
        };
        let (path, label) = (needed(columns.path, "path")?, needed(columns.label, "label")?);
        rows.push(Row { line, path, label, mask: cell(columns.mask), split, group: cell(columns.group) });
    }
    if rows.is_empty() {
        return Err(row_error(1, "no rows below the header; add one row per image".to_owned()));
    }
    Ok(rows)
}

/// Where the known columns stand; unknown ones are allowed unless they look like a misspelt known one.
struct Columns {
    path: usize,
    label: usize,
    mask: Option<usize>,
    split: Option<usize>,
    group: Option<usize>,
}

impl Columns {
    fn find(header: &[String]) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|column| column == name);
        let (path, label, mask, split) = (find("path"), find("label"), find("mask"), find("split"));
        let plain = |column: &str| column.replace([' ', '-'], "_");
        let group = GROUP_COLUMNS.iter().find_map(|name| header.iter().position(|column| plain(column) == *name));
        let known =
            |column: &String| COLUMNS.contains(&column.as_str()) || GROUP_COLUMNS.contains(&plain(column).as_str());
        if let Some(twice) = COLUMNS.iter().find(|name| header.iter().filter(|column| column == *name).count() > 1) {
            return Err(format!("two columns `{twice}`; remove one"));
        }
        for column in header.iter().filter(|column| !known(column)) {
            let absent = COLUMNS.into_iter().filter(|name| find(name).is_none());
            if let Some(name) = nearest(column, absent).filter(|name| strsim::damerau_levenshtein(name, column) <= 2) {
                return Err(format!("unknown column `{column}`, did you mean `{name}`?"));
            }
        }
        let (Some(path), Some(label)) = (path, label) else {
            return Err(format!("the header `{}` must be `path,label[,mask][,split][,group]`", header.join(",")));
        };
        Ok(Self { path, label, mask, split, group })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn read(text: &str, class_names: &[&str]) -> Result<Dataset, DataError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), text).unwrap();
        let class_names = class_names.iter().map(|&name| name.to_owned()).collect();
        Dataset::open(folder.path(), &DataConfig { class_names, ..DataConfig::default() })
    }

    #[test]
    fn columns_in_any_order_with_a_byte_order_mark() {
        let text = "\u{feff}Label, split, path, patient, mask\r\nb,train,x/1.png,7,m/1.png\r\na,VAL,\"x,2.png\",8,\r\n\
                    a,train,3.png,9,\r\nb,valid,4.png,10,\r\na,test,5.png,11,\r\n";
        let dataset = read(text, &[]).unwrap();
        assert_eq!(dataset.classes, ["a", "b"]);
        let first = &dataset.train[0];
        assert_eq!((first.id.as_str(), first.label), ("x/1.png", 1));
        assert_eq!(first.image, dataset.root.join("x/1.png"));
        assert_eq!(first.mask, Some(dataset.root.join("m/1.png")));
        assert_eq!((dataset.train.len(), dataset.test.len()), (2, 1));
        assert_eq!((first.group.as_deref(), dataset.groups(Split::Train)), (Some("7"), 2));
        assert_eq!((dataset.valid[0].id.as_str(), &dataset.valid[0].mask), ("x,2.png", &None));
    }

    #[test]
    fn bad_rows_name_their_line() {
        let says = |text: &str, part: &str| {
            let error = read(text, &["normal", "tumor"]).unwrap_err().to_string();
            assert!(error.contains("labels.csv, line ") && error.contains(part), "{error}");
        };
        says("path,label\n1.png,normal\n2.png,tumour\n", "line 3: unknown class `tumour`, did you mean `tumor`?");
        says("path,label\n1.png,normal\n2.png\n", "line 3: 1 cells, but the header has 2");
        says("path,label\n1.png,\n", "line 2: the label is empty");
        says("path,label\n1.png,normal\n1.png,tumor\n", "line 3: `1.png` already stands in line 2");
        says("path,label,split\n1.png,normal,train\n2.png,tumor,\n", "line 3: other rows name a split");
        says("path,label,split\n1.png,normal,holdout\n", "line 2: `holdout` is no split");
        says("path,label,spilt\n1.png,normal,train\n", "unknown column `spilt`, did you mean `split`?");
        says("path|label\n1.png|normal\n", "line 1: the header `path|label` must be");
        says("path,label\n", "no rows");
        says("path,label,group\n1.png,normal,p1\n2.png,tumor,\n", "line 3: other rows name a group");
        says("path,label,label\n1.png,normal,tumor\n", "two columns `label`");
        says("sep=;\npath;label\n1.png;normal\n1.png;tumor\n", "line 4: `1.png` already stands in line 3");
    }

    #[test]
    fn a_file_is_one_however_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("x")).unwrap();
        std::fs::write(folder.path().join("labels.csv"), "path,label\nx/1.png,a\nx/../x/1.png,a\n").unwrap();
        let error = Dataset::open(folder.path(), &DataConfig::default()).unwrap_err().to_string();
        assert!(error.contains("line 3: `x/../x/1.png` already stands in line 2"), "{error}");
    }

    #[test]
    fn a_group_in_two_given_splits_is_refused_and_none_is_drawn_apart() {
        let error = read("path,label,split,slide\n1.png,a,train,s1\n2.png,b,train,s2\n3.png,b,valid,s2\n", &[]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("group `s2` stands in train (2.png) and in valid (3.png);"), "{error}");

        let rows = (0..40).map(|i| format!("{i}.png,{},{}\n", ["a", "b"][i % 2], i / 4)).collect::<String>();
        let dataset = read(&format!("path,label,Patient ID\n{rows}"), &[]).unwrap();
        assert_eq!((dataset.groups(Split::Train), dataset.groups(Split::Valid)), (8, 2));
        assert_eq!((dataset.train.len(), dataset.valid.len()), (32, 8));
    }

    #[test]
    fn a_table_of_test_rows_alone_is_listed() {
        let dataset = read("path,label,split\n1.png,a,test\n2.png,b,test\n", &[]).unwrap();
        assert_eq!((dataset.train.len(), dataset.valid.len(), dataset.test.len()), (0, 0, 2));
    }
}
