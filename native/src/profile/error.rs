//! What can be wrong with a profile, worded for the person who wrote it.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where a setting was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A line of a profile file, counted from 1.
    Line(PathBuf, usize),
    /// A part of another file that holds settings: of a study.
    Part(PathBuf, String),
    /// A flag of the command line, without its dashes.
    Flag(String),
    /// The profile of this name itself.
    Profile(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(path, line) => write!(f, "{}, line {line}", path.display()),
            Self::Part(path, part) => write!(f, "{}, {part}", path.display()),
            Self::Flag(flag) => write!(f, "flag --{flag}"),
            Self::Profile(name) => write!(f, "profile `{name}`"),
        }
    }
}

/// A profile, or one of its settings, that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Neither the name of a profile nor a file.
    #[error(
        "there is no profile `{name}`; did you mean `{nearest}`? The profiles are {known}. \
         For a profile of your own give the path of its .toml file"
    )]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// The profile whose name is most like it.
        nearest: &'static str,
        /// All names.
        known: String,
    },
    /// A profile file that cannot be read.
    #[error("{path}: cannot read this profile: {reason}; check the path")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        reason: std::io::Error,
    },
    /// A profile file that is not TOML.
    #[error("{path}: not valid TOML; text needs quotes, tables are written [table].\n{reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The parser's answer, with line, column and the line itself.
        reason: String,
    },
    /// A setting that does not exist.
    #[error("{origin}: there is no setting `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// Where it was given.
        origin: Origin,
        /// Its dotted path.
        key: String,
        /// The setting whose path is most like it.
        nearest: String,
    },
    /// A value of the wrong type, out of range, or at odds with another setting.
    #[error("{origin}: `{key}` cannot be {value}; {reason}")]
    Value {
        /// Where it was given.
        origin: Origin,
        /// Dotted path of the setting.
        key: String,
        /// The value as TOML.
        value: String,
        /// What is allowed.
        reason: String,
    },
    /// A profile made in code that TOML cannot hold.
    #[error("profile `{name}` cannot be written as TOML: {reason}; whole numbers go up to 9223372036854775807")]
    NotToml {
        /// Its name.
        name: String,
        /// The writer's answer.
        reason: String,
    },
}
