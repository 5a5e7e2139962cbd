//! The command line's grammar: commands, flags and their help.

mod camelyon;
mod slides;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::data::{LeftOut, SplitChoice};
use crate::device::DeviceChoice;
use crate::method::MethodChoice;
use crate::profile::Overrides;
use crate::report::Colormap;
use crate::reproduce::{Artefact, Depth, Parameter};

pub(crate) use camelyon::{Camelyon16, CamelyonSample, DemoCamelyon};
pub(crate) use slides::{Slides, SlidesInfo, Tiles, WholeSlides};

/// Learns from image-level labels which class a histology patch belongs to, and which pixels made it so
#[derive(Debug, Parser)]
#[command(name = "histomask", version, propagate_version = true, disable_help_subcommand = true, max_term_width = 110)]
#[command(
    after_help = "Research use only. Start with `histomask demo`; details of a command: `histomask train --help`.\n\
    Exit codes: 0 fine, 1 some inputs failed, 2 usage or configuration, 3 device lost or out of memory, 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Say only what went wrong
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole job on synthetic tissue: train, evaluate, predict, report; offline, in minutes
    Demo(Demo),
    /// Train a model from labelled patches
    Train(Train),
    /// Judge a model on labelled patches, and on masks where there are any
    Evaluate(Evaluate),
    /// Classify and segment images and whole slides
    Predict(Predict),
    /// Repeat a table or figure of the paper: train what it needs, keep the runs, set the numbers beside the paper's
    Reproduce(Reproduce),
    /// Look into whole slides
    #[command(subcommand)]
    Slides(Slides),
    /// Cut whole slides into patches of tissue, listed as `train` takes them
    Tiles(Tiles),
    /// Sample Camelyon16 as the paper does
    #[command(subcommand)]
    Camelyon16(Camelyon16),
    /// Compare variants of a recipe from a file, over seeds and folds: runs are kept and shared, the result is one table
    Study(Study),
    /// Host the browser app on this machine: 127.0.0.1 only, with its security headers
    Serve(Serve),
    /// List graphics adapters and check that each computes correctly
    Doctor,
    /// Show what a model file holds
    Inspect(Inspect),
    /// Print a training profile as TOML, to copy and change
    Profile(ProfileArgs),
    /// Fetch or convert a backbone's initial weights
    #[command(subcommand)]
    Weights(Weights),
    /// Measure speed and memory of training, prediction and their parts
    Bench(Bench),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder
    Man {
        /// The folder
        #[arg(default_value = "man")]
        out: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DeviceArgs {
    /// auto: a real GPU if there is one, else the CPU; gpu; gpu:N as listed by `doctor`; cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub(crate) device: DeviceChoice,
}

// Of commands that read a set of images.
#[derive(Debug, Args)]
pub(crate) struct ImagesArgs {
    /// Refuse, with exit code 2, where files are left out (hidden ones do not count)
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

impl ImagesArgs {
    /// `--strict`, once the files that are left out have been named.
    pub(crate) fn refuse(&self, left_out: &LeftOut, are: &str) -> anyhow::Result<()> {
        if self.strict && left_out.matters() {
            anyhow::bail!("--strict: files {are} left out, which are named above");
        }
        Ok(())
    }
}

// Of commands that use a model on images.
#[derive(Debug, Args)]
pub(crate) struct UsingArgs {
    /// Model file, or the folder of a run (its best checkpoint) [default: the embedded model]
    #[arg(long)]
    pub(crate) model: Option<PathBuf>,
    /// grad-cam, to use a model of cam-avg so (and the reverse); in evaluate all-ones too, which needs no model
    /// [default: the model's]
    #[arg(long, value_enum)]
    pub(crate) method: Option<MethodChoice>,
    /// Measure too how far the masks deserve belief: evaluate without masks (about 32 passes an image; docs/TRUST.md),
    /// predict by each mask's stability over flips (four passes in place of one)
    #[arg(long)]
    pub(crate) trust: bool,
    #[command(flatten)]
    pub(crate) images: ImagesArgs,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Demo {
    #[command(subcommand)]
    pub(crate) other: Option<DemoOther>,
    /// Folder for the data set, the model and the report
    #[arg(long, default_value = "histomask-demo")]
    pub(crate) out: PathBuf,
    /// Seed of the synthetic tissue and of the training
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Patches of each of the two classes; with few, masks are no better than a guess
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(10..))]
    pub(crate) per_class: u16,
    /// Passes over the training patches [default: the demo profile's]
    #[arg(long)]
    pub(crate) epochs: Option<usize>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// What else can be shown.
#[derive(Debug, Subcommand)]
pub(crate) enum DemoOther {
    /// Only draw synthetic whole slides, laid out and annotated as Camelyon16's, for `camelyon16 sample`
    Camelyon(DemoCamelyon),
}

#[derive(Debug, Args)]
pub(crate) struct Train {
    /// Folder of labelled patches (GlaS, one folder per class, or with a labels.csv), or a CSV file
    #[arg(long, required_unless_present = "resume")]
    pub(crate) data: Option<PathBuf>,
    /// Method; sets what makes it that method over the profile
    #[arg(long, value_enum)]
    pub(crate) method: Option<MethodChoice>,
    /// Profile by name (see `profile --list`) or as a TOML file [default: histomask, our recipe; with --method the
    /// one of its published training]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Folder for the results [default: runs/<name of the data>]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in this folder, from the step where it stopped
    #[arg(long, value_name = "RUN", conflicts_with_all = ["out", "profile", "method"])]
    pub(crate) resume: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) images: ImagesArgs,
    #[command(flatten)]
    pub(crate) settings: Overrides,
}

#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Folder of labelled patches, or a CSV file
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Which images
    #[arg(long, value_enum, default_value_t = SplitChoice::Valid)]
    pub(crate) split: SplitChoice,
    /// Profile whose [data] and [evaluation] tables apply [default: the run's own, else released-glas]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Folder for the results [default: evaluation-<split> beside the model]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) using: UsingArgs,
    #[command(flatten)]
    pub(crate) settings: Overrides,
}

#[derive(Debug, Args)]
pub(crate) struct Predict {
    /// Image files and whole slides, folders or globs of them, or a CSV file with the columns path and perhaps mpp
    #[arg(required = true)]
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder for the results
    #[arg(long, default_value = "predictions")]
    pub(crate) out: PathBuf,
    /// Mask values at or above this are foreground [default: the model's]
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) threshold: Option<f64>,
    /// Opacity of the overlay, 0 to 1
    #[arg(long, default_value_t = 0.6, allow_negative_numbers = true)]
    pub(crate) opacity: f64,
    /// Colours of the overlay
    #[arg(long, value_enum, default_value_t = Colormap::Viridis)]
    pub(crate) colormap: Colormap,
    /// Write each mask's outlines too, as GeoJSON for QuPath; of slides they are written anyway
    #[arg(long)]
    pub(crate) geojson: bool,
    /// Leave out corners of outlines that lie within so many pixels of the lines between the others; 0 keeps the mask's
    /// pixels exactly
    #[arg(long, default_value_t = 0.0, value_name = "PIXELS")]
    pub(crate) simplify: f64,
    #[command(flatten)]
    pub(crate) using: UsingArgs,
    #[command(flatten)]
    pub(crate) slides: WholeSlides,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Folder of the built app [default: histomask-web beside the program, else web/dist]
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// Port; 0 is any free one [default: 7327, or a free one if that is taken]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Open the page in the default browser
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Model file, or the folder of a run [default: the embedded model]
    pub(crate) model: Option<PathBuf>,
    /// Print the model card as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    /// Name of a profile or a TOML file to complete
    #[arg(default_value = "released-glas")]
    pub(crate) profile: String,
    /// List the names instead
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Weights {
    /// Download ImageNet weights of ResNet18 from torchvision: the only command that connects to another machine
    Get {
        /// The network
        #[arg(value_parser = ["resnet18"])]
        backbone: String,
        /// Where to put the file
        #[arg(long, default_value = "resnet18-f37072fd.pth")]
        out: PathBuf,
        /// Another address to fetch it from
        #[arg(long, default_value = crate::weights::RESNET18_URL)]
        url: String,
    },
    /// Store a trained model with 16-bit numbers and its card: half the size, to ship
    Shrink {
        /// The model file, or the folder of a run
        model: PathBuf,
        /// The safetensors file to write
        output: PathBuf,
    },
    /// Convert a PyTorch file to safetensors under histomask's names
    Convert {
        /// The .pth or .safetensors file
        input: PathBuf,
        /// The safetensors file to write
        output: PathBuf,
        /// Store 16-bit numbers
        #[arg(long)]
        half: bool,
    },
}

/// What `bench` measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchWhat {
    /// Time and memory of training steps and predictions, by method and backbone
    Models,
    /// What loaders, mask and losses take of a training step
    Shares,
    /// A training step of profile histomask beside one of released-glas, images loaded as each asks
    Recipe,
    /// Our kernels against the same in burn's operations
    Kernels,
    /// Convolutions of networks in use on the CPU, beside what this machine can do at most
    Layers,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure
    #[arg(default_value = "models")]
    pub(crate) what: BenchWhat,
    /// Methods to measure (models, shares)
    #[arg(long, value_enum, value_delimiter = ',', default_value = "max-min", value_name = "METHOD,...")]
    pub(crate) methods: Vec<MethodChoice>,
    /// Backbones to measure each of them on, U-Net excepted (models, shares)
    #[arg(long, value_delimiter = ',', default_value = "efficientnet-lite0,resnet18,resnet18-deep-stem")]
    pub(crate) backbones: Vec<String>,
    /// Images of an epoch, whose steps are reckoned from the step measured (models) [default: 67, GlaS's fold 0]
    #[arg(long, default_value_t = 67, hide_default_value = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) images: u32,
    /// Timed repetitions after one to warm up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) repeats: u32,
    /// Side of the training crops in pixels, batch 4
    #[arg(long, default_value_t = 416, value_parser = clap::value_parser!(u32).range(64..=2048))]
    pub(crate) crop: u32,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Reproduce {
    /// Tables and figures by name; `list` shows them, `all` makes every one that there is data for
    #[arg(required = true, ignore_case = true, value_parser = artefact_names(), value_name = "ARTEFACT")]
    pub(crate) artefacts: Vec<String>,
    /// Folder of GlaS, or of other labelled patches with masks
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Folder of Camelyon16's 512 x 512 patches (table2, fig6, fig8, fig12, fig13)
    #[arg(long)]
    pub(crate) camelyon: Option<PathBuf>,
    /// Folder for runs, results and the report; what is there is used again
    #[arg(long, default_value = "reproduce")]
    pub(crate) out: PathBuf,
    /// Seeds; each is a run of its own
    #[arg(long, value_delimiter = ',', default_value = "0", value_name = "SEED,...")]
    pub(crate) seeds: Vec<u64>,
    /// Folds of GlaS, 0 to 4; each is a run of its own
    #[arg(long, value_delimiter = ',', default_value = "0", value_name = "FOLD,...")]
    pub(crate) folds: Vec<usize>,
    /// Images to report on [default: test, or valid where there are no test images]
    #[arg(long, value_enum)]
    pub(crate) split: Option<SplitChoice>,
    /// One profile for every method, by name or as a TOML file [default: each method's published training]
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// What fig10 varies
    #[arg(long, value_enum, value_delimiter = ',', default_value = "lambda,sigma,omega", value_name = "NAME,...")]
    pub(crate) sweeps: Vec<Parameter>,
    /// Backbones that lambda is followed with: columns of its figure
    #[arg(long, value_enum, value_delimiter = ',', default_value = "whole,short", value_name = "DEPTH,...")]
    pub(crate) depths: Vec<Depth>,
    /// Tiny runs on synthetic tissue: shows that everything works, and nothing about the paper
    #[arg(long, conflicts_with_all = ["data", "camelyon", "profile"])]
    pub(crate) quick: bool,
    /// Only say what would be trained and for how long
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    #[command(flatten)]
    pub(crate) settings: Overrides,
}

#[derive(Debug, Args)]
pub(crate) struct Study {
    /// TOML file with profile, seeds, folds and variants (docs/FORMATS.md; docs/studies has three)
    pub(crate) file: PathBuf,
    /// Folder of labelled patches (masks are only scored), or a CSV file
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Folder for runs and results; what is there is used again
    #[arg(long, default_value = "study")]
    pub(crate) out: PathBuf,
    /// Only say what would be trained and for how long
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

fn artefact_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(Artefact::ALL.map(Artefact::name).into_iter().chain(["all", "list"]))
}
