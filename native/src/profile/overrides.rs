//! Every setting as a flag: `--loss.background-weight 0.01`.

use clap::builder::PossibleValuesParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use toml::Value;

use super::key::{KEYS, Key, likeness, nearest_key};
use super::kind::Kind;
use super::{Origin, Profile, ProfileError};

/// Settings given as flags. As a part of a command's arguments it brings one flag per setting: `--` and its dotted path,
/// with dashes (underscores work too), grouped by table. Only the long `--help` shows them.
#[derive(Clone, Debug)]
pub struct Overrides(Vec<(&'static Key, String)>);

impl Overrides {
    /// The profile with these settings changed, checked as a whole.
    ///
    /// # Errors
    /// [`ProfileError::Value`] naming the flag of the first bad value and what is allowed.
    pub fn apply(&self, mut profile: Profile) -> Result<Profile, ProfileError> {
        let mut given = Vec::new();
        for (key, text) in &self.0 {
            let origin = Origin::Flag(key.flag());
            // a text of the wrong kind stays a text, and is refused as one
            let value = key.kind.read(text).unwrap_or_else(|| Value::String(text.clone()));
            profile = profile.with_given(key, value, &origin)?;
            given.push((*key, origin));
        }
        profile.validate_given(&given)?;
        Ok(profile)
    }
}

impl Args for Overrides {
    fn augment_args(command: Command) -> Command {
        command.args(KEYS.iter().map(arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Overrides {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |key| Some((key, matches.get_one::<String>(&id(key))?.clone()));
        Ok(Self(KEYS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// How much a flag without a table (`--epochs`) must be like a setting for [`with_nearest_flag`] to bring it up.
const LIKE_ENOUGH: f64 = 0.8;

/// An unknown flag's error with the nearest setting as its tip; other errors unchanged. clap's own tip stands when the
/// flag has no dot and clap knew one. For errors of commands that have [`Overrides`].
#[must_use]
pub fn with_nearest_flag(mut error: Error) -> Error {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return error };
    let typed = flag.trim_start_matches('-');
    let nearest = nearest_key(typed);
    let is_setting = typed.contains('.')
        || (error.get(ContextKind::SuggestedArg).is_none() && likeness(typed, &nearest.path) >= LIKE_ENOUGH);
    if error.kind() == ErrorKind::UnknownArgument && is_setting {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(format!("--{}", nearest.flag())));
    }
    error
}

/// The flag's id, apart from those of the command's own arguments.
fn id(key: &Key) -> String {
    format!("profile:{}", key.path)
}

fn arg(key: &Key) -> Arg {
    let range = if key.range.words.is_empty() { String::new() } else { format!("{}; ", key.wanted()) };
    let arg = Arg::new(id(key))
        .long(key.flag())
        .help(format!("{} [{range}{}: {}]", key.help, Profile::DEFAULT, key.default))
        .help_heading(match key.table() {
            "" => "Profile".to_owned(),
            table => format!("Profile: {table}"),
        })
        .hide_short_help(true)
        .allow_hyphen_values(key.kind != Kind::Text && key.kind != Kind::Texts)
        .value_name(match key.kind {
            Kind::Text => "TEXT",
            Kind::Whole => "WHOLE",
            Kind::Number => "NUMBER",
            Kind::Switch => "BOOL",
            Kind::Numbers => "R,G,B",
            Kind::Texts => "NAME,...",
        });
    let arg =
        if key.kind == Kind::Switch { arg.value_parser(PossibleValuesParser::new(["true", "false"])) } else { arg };
    if key.flag() == key.path { arg } else { arg.alias(key.path.clone()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        /// Folder of images, whose id must not clash with a setting's.
        #[arg(long)]
        data: Option<String>,
        #[command(flatten)]
        settings: Overrides,
    }

    fn parse(arguments: &[&str]) -> Result<Overrides, Error> {
        Ok(Cli::try_parse_from(["test"].iter().chain(arguments))?.settings)
    }

    fn default() -> Profile {
        Profile::default()
    }

    fn run(arguments: &[&str]) -> Result<Profile, String> {
        let settings = parse(arguments).map_err(|error| with_nearest_flag(error).to_string())?;
        settings.apply(default()).map_err(|error| error.to_string())
    }

    #[test]
    fn every_setting_has_a_flag_that_changes_it() {
        for key in KEYS.iter() {
            // another value that is valid on its own
            let text = match (key.path.as_str(), key.kind) {
                ("model.method", _) => "cam-avg",
                ("model.backbone", _) => "resnet18",
                ("model.mask_of", _) => "abnormal",
                // with it the masked images are not classified: refused unless the loss agrees
                ("model.class_from", _) => continue,
                ("model.pooling.formula", _) => "wildcat",
                ("model.mask.source", _) => "pull-head",
                ("model.mask.hole", _) => "mean",
                ("model.mask.min_max", _) | ("loss.background" | "loss.barrier" | "input.resize", _) => "none",
                ("loss.background_log", _) => "e",
                ("loss.barrier_on", _) => "abnormal-foreground",
                ("data.layout", _) => "table",
                ("evaluation.empty_masks", _) => "skip",
                // the method decides it
                ("evaluation.selection", _) => continue,
                ("data.fold", _) => "3",
                ("data.folds", _) => "patients",
                ("input.size", _) => "448",
                ("input.crop", _) => "384",
                ("loss.t_factor" | "input.zoom", _) => "1.5",
                ("model.backbone_blocks", _) => "8",
                ("train.learning_rate.decay", _) => "cosine",
                ("loss.t_max" | "loss.t", _) => "7.5",
                ("train.learning_rate.floor", _) => "1e-9",
                (_, Kind::Whole) => "17",
                (_, Kind::Number) if key.path == "model.mask.sigma" => "0.125",
                (_, Kind::Number) => "0.25",
                (_, Kind::Switch) => {
                    if key.default == "true" {
                        "false"
                    } else {
                        "true"
                    }
                }
                (_, Kind::Numbers) => "0.25,0.5,0.75",
                (_, Kind::Texts) => "normal,tumor",
                (_, Kind::Text) => "mine",
            };
            let changed = run(&[&format!("--{}", key.flag()), text]).unwrap();
            assert_ne!(changed, default(), "{}", key.path);
            assert_eq!(run(&[&format!("--{}={text}", key.path)]).unwrap(), changed, "{} with underscores", key.path);
        }
    }

    #[test]
    fn flags_together_make_a_valid_profile() {
        let changed = run(&[
            "--data",
            "images",
            "--model.class-from",
            "full-image",
            "--loss.foreground-weight",
            "0",
            "--loss.background",
            "none",
            "--input.mean",
            "[0,0,0]",
            "--model.mask.sigma",
            "-0.5",
        ])
        .unwrap();
        assert_eq!((changed.input.mean, changed.model.mask.sigma), ([0.0; 3], -0.5));
        assert_eq!(run(&[]).unwrap(), default());
    }

    #[test]
    fn wrong_flags_and_values_are_explained() {
        for (arguments, expected) in [
            (&["--loss.backgrund-weight", "1"][..], "a similar argument exists: '--loss.background-weight'"),
            (&["--los.t=1"], "a similar argument exists: '--loss.t'"),
            (&["--epochs", "1"], "a similar argument exists: '--train.epochs'"),
            (&["--dat", "1"], "a similar argument exists: '--data'"),
            (&["--loss.t", "many"], "flag --loss.t: `loss.t` cannot be \"many\"; give a number above 0"),
            (&["--model.pooling.kmax", "2"], "cannot be 2.0; give a number above 0 and at most 1"),
            (&["--loss.background", "semm"], "expected one of `eem`, `sem`, `reversal`, `none`"),
            (&["--train.nesterov", "yes"], "true, false"),
            (&["--input.std", "1,1"], "flag --input.std"),
            (
                &["--model.mask.sigma", "0.4"],
                "flag --model.mask.sigma: `model.mask.sigma` cannot be 0.4; sigma (0.4) must not",
            ),
        ] {
            let message = run(arguments).unwrap_err();
            assert!(message.contains(expected), "{arguments:?}: {message}");
        }
    }

    #[test]
    fn only_the_long_help_lists_the_flags() {
        let help = |flag| parse(&[flag]).unwrap_err().to_string();
        assert!(!help("-h").contains("--loss.t"), "{}", help("-h"));
        let long = help("--help");
        assert!(long.contains("--loss.background-weight <NUMBER>") && long.contains("Profile: model.mask"), "{long}");
        assert!(long.contains("Lambda"), "{long}");
    }
}
