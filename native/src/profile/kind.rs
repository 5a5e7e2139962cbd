//! The kinds of values that settings take, in files and on the command line.

use toml::Value;

/// The kinds of values that settings take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    Number,
    Switch,
    Numbers,
    Texts,
}

impl Kind {
    /// The kind of a value in the default profile.
    pub(super) fn of(value: &toml_edit::Value) -> Self {
        match value {
            toml_edit::Value::Integer(_) => Self::Whole,
            toml_edit::Value::Float(_) => Self::Number,
            toml_edit::Value::Boolean(_) => Self::Switch,
            toml_edit::Value::Array(items) if items.iter().any(|item| item.is_float()) => Self::Numbers,
            toml_edit::Value::Array(_) => Self::Texts,
            _ => Self::Text,
        }
    }

    /// What to give, for messages.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Switch => "true or false",
            Self::Numbers => "three numbers such as 0.5,0.5,0.5",
            Self::Texts => "names separated by commas",
        }
    }

    /// Whether a value from a file is of this kind. A whole number is a number too.
    pub(super) fn accepts(self, value: &Value) -> bool {
        let number = |value: &Value| value.is_float() || value.is_integer();
        match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Whole, Value::Integer(_)) | (Self::Switch, Value::Boolean(_)) => {
                true
            }
            (Self::Number, value) => number(value),
            (Self::Numbers, Value::Array(items)) => items.iter().all(number),
            (Self::Texts, Value::Array(items)) => items.iter().all(Value::is_str),
            _ => false,
        }
    }

    /// Reads the text of a flag; `None` when it is not of this kind. Lists are separated by commas, brackets and
    /// quotes may be left out.
    pub(super) fn read(self, text: &str) -> Option<Value> {
        let items = || {
            let list = text.trim().trim_start_matches('[').trim_end_matches(']').trim();
            list.split(',').map(str::trim).filter(move |_| !list.is_empty())
        };
        match self {
            Self::Text => Some(Value::String(text.to_owned())),
            Self::Whole => text.trim().parse().ok().map(Value::Integer),
            Self::Number => text.trim().parse().ok().map(Value::Float),
            Self::Switch => text.trim().parse().ok().map(Value::Boolean),
            Self::Numbers => {
                items().map(|item| item.parse().ok().map(Value::Float)).collect::<Option<_>>().map(Value::Array)
            }
            Self::Texts => {
                let name = |item: &str| Value::String(item.trim_matches(['"', '\'']).to_owned());
                Some(Value::Array(items().map(name).collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_on_the_command_line_need_no_brackets() {
        let numbers = Value::Array([0.5, 1.0].map(Value::Float).to_vec());
        assert_eq!(Kind::Numbers.read("0.5,1").as_ref(), Some(&numbers));
        assert_eq!(Kind::Numbers.read("[0.5, 1.0]"), Some(numbers));
        assert_eq!(Kind::Numbers.read("0.5;1"), None);
        let names = Value::Array(["a", "b c"].map(|name| Value::String(name.into())).to_vec());
        assert_eq!(Kind::Texts.read("a, \"b c\""), Some(names));
        assert_eq!(Kind::Texts.read(""), Some(Value::Array(Vec::new())));
        assert_eq!(Kind::Whole.read("1.0"), None);
    }
}
