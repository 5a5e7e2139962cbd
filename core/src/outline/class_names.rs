//! What the polygons of a GeoJSON text are called.

use std::collections::BTreeSet;

use serde_json::Value;

/// The names of the classes of its features, as QuPath writes them: under `classification`, with or without a colour.
/// Features without a class have none.
#[must_use]
pub fn class_names(text: &str) -> BTreeSet<String> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let features = match value.get("features").unwrap_or(&value) {
        Value::Array(features) => features.as_slice(),
        one => std::slice::from_ref(one),
    };
    let name = |feature: &Value| {
        let class = feature.get("properties")?.get("classification")?;
        class.get("name").unwrap_or(class).as_str().map(str::to_owned)
    };
    features.iter().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_told_as_qupath_writes_them() {
        let feature =
            |class: &str| format!(r#"{{"type":"Feature","geometry":null,"properties":{{"classification":{class}}}}}"#);
        let [tumor, ignore, plain] = [r#"{"name":"Tumor","color":[200,0,0]}"#, r#"{"name":"Ignore*"}"#, r#""Tumor""#];
        let list = format!("[{},{},{},{}]", feature(tumor), feature(ignore), feature(plain), feature("null"));
        let both: BTreeSet<_> = ["Ignore*".to_owned(), "Tumor".to_owned()].into();
        assert_eq!(class_names(&list), both);
        assert_eq!(class_names(&format!(r#"{{"type":"FeatureCollection","features":{list}}}"#)), both);
        assert_eq!(class_names(&feature(tumor)).len(), 1);
        assert!(class_names("no json").is_empty());
    }
}
