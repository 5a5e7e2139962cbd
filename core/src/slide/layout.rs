//! Which pages of a file are levels of the slide, which are associated images, and how large a pixel is.

use std::io::{Read, Seek};

use super::SlideError;
use super::grid::Grid;
use super::source::{DirectoryBytes, Source};
use crate::ifd::{Broken, Directories, Page, tag};

/// Microns per pixel beyond which a TIFF's resolution is that of a print: 72 dpi are 353 µm.
const COARSEST_MPP: f64 = 50.0;

/// Who wrote a slide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Vendor {
    /// Aperio's SVS.
    Aperio,
    /// Philips TIFF.
    Philips,
    /// OME-TIFF.
    Ome,
    /// Any other TIFF.
    Tiff,
    /// A kind that something else reads.
    Other(&'static str),
}

impl Vendor {
    /// As people write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aperio => "Aperio SVS",
            Self::Philips => "Philips TIFF",
            Self::Ome => "OME-TIFF",
            Self::Tiff => "TIFF",
            Self::Other(name) => name,
        }
    }
}

/// What a file holds.
pub(super) struct Layout {
    pub(super) vendor: Vendor,
    /// The finest first.
    pub(super) levels: Vec<Grid>,
    pub(super) associated: Vec<(String, Grid)>,
    pub(super) mpp: Option<[f64; 2]>,
    pub(super) magnification: Option<f64>,
}

pub(super) fn read<R: Read + Seek>(source: &Source<R>) -> Result<Layout, SlideError> {
    let bytes = DirectoryBytes::new(source);
    let layout = of_directories(&bytes);
    // what could not be read looks as if it were cut off or absent
    bytes.failure().map_or(layout, |error| Err(SlideError::Io(error)))
}

fn of_directories<R: Read + Seek>(bytes: &DirectoryBytes<'_, R>) -> Result<Layout, SlideError> {
    let broken = |why| match why {
        Broken::NotTiff => SlideError::NotTiff,
        Broken::CutOff => SlideError::CutOff("a directory"),
    };
    let file = Directories::read(bytes).map_err(broken)?;
    if file.cyclic {
        return Err(SlideError::Cyclic);
    }
    let first = file.pages.first().ok_or(SlideError::CutOff("the first directory"))?;
    let description = first.text(tag::DESCRIPTION);
    refuse_others(first, &description)?;

    let mut layout = if description.starts_with("Aperio") {
        aperio(&file, &description)?
    } else if first.text(tag::SOFTWARE).starts_with("Philips") && description.contains("PIM_DP") {
        philips(&file, &description)?
    } else {
        let (vendor, main) = (if description.contains("<OME") { Vendor::Ome } else { Vendor::Tiff }, largest(&file));
        let below = file.pages.get(main).map(|page| page.numbers(tag::SUB_IFDS)).unwrap_or_default();
        let subs = file.pages_below(bytes, &below).map_err(broken)?.ok_or(SlideError::Cyclic)?;
        plain(&file, main, &subs, vendor, &description)?
    };
    layout.mpp = layout.mpp.filter(|mpp| mpp.iter().all(|&mpp| mpp.is_finite() && mpp > 0.0 && mpp < COARSEST_MPP));
    layout.magnification = layout.magnification.filter(|value| value.is_finite() && *value > 0.0);
    Ok(layout)
}

/// Formats in TIFF's clothes whose tiles would be put together wrongly.
fn refuse_others(page: &Page<'_>, description: &str) -> Result<(), SlideError> {
    /// Adobe's XMP.
    const XMP: u16 = 700;
    let what = if page.number(tag::NDPI).is_some() {
        "Hamamatsu's NDPI"
    } else if description.contains("<scn ") {
        "Leica's SCN"
    } else if page.text(XMP).contains("<iScan") {
        "Ventana's BIF, whose tiles overlap"
    } else {
        return Ok(());
    };
    Err(SlideError::Foreign(what))
}

fn area(page: &Page<'_>) -> u128 {
    let side = |tag| u128::from(page.number(tag).unwrap_or_default());
    side(tag::WIDTH) * side(tag::HEIGHT)
}

/// The page with the most pixels, of equal ones the first.
fn largest(file: &Directories<'_>) -> usize {
    let most = file.pages.iter().map(area).max();
    file.pages.iter().position(|page| Some(area(page)) == most).unwrap_or_default()
}

fn is_tiled(page: &Page<'_>) -> bool {
    page.number(tag::TILE_WIDTH).is_some()
}

/// A name that no other image has.
fn add(associated: &mut Vec<(String, Grid)>, name: &str, grid: Grid) {
    let taken = |name: &str, list: &[(String, Grid)]| list.iter().any(|(other, _)| other == name);
    let mut free = name.to_owned();
    let mut number = 2;
    while taken(&free, associated) {
        free = format!("{name}-{number}");
        number += 1;
    }
    associated.push((free, grid));
}

/// Tiled pages are levels; of the others the second is a thumbnail, the rest name themselves in their second line.
fn aperio(file: &Directories<'_>, description: &str) -> Result<Layout, SlideError> {
    let (mut levels, mut associated) = (Vec::new(), Vec::new());
    for (index, page) in file.pages.iter().enumerate() {
        if is_tiled(page) || index == 0 {
            levels.push(Grid::of(page, index + 1)?);
        } else if let Ok(grid) = Grid::of(page, index + 1) {
            let text = page.text(tag::DESCRIPTION);
            let word = text.lines().nth(1).and_then(|line| line.split_whitespace().next()).unwrap_or_default();
            let by_kind = match page.number(tag::SUBFILE) {
                _ if index == 1 => "thumbnail",
                Some(1) => "label",
                Some(9) => "macro",
                _ => "image",
            };
            let named = word.chars().all(char::is_alphabetic) && !word.is_empty() && index != 1;
            add(&mut associated, if named { word } else { by_kind }, grid);
        }
    }
    let value = |key: &str| -> Option<f64> {
        let pairs = description.split('|').filter_map(|part| part.split_once('='));
        pairs.filter(|(name, _)| name.trim() == key).find_map(|(_, value)| value.trim().parse().ok())
    };
    Ok(Layout {
        vendor: Vendor::Aperio,
        levels: sorted(levels)?,
        associated,
        mpp: value("MPP").map(|mpp| [mpp; 2]),
        magnification: value("AppMag"),
    })
}

/// Levels are padded to whole tiles; their true sizes follow from the distances of pixels in the XML.
fn philips(file: &Directories<'_>, description: &str) -> Result<Layout, SlideError> {
    let (mut levels, mut associated) = (Vec::new(), Vec::new());
    for (index, page) in file.pages.iter().enumerate() {
        if is_tiled(page) {
            levels.push(Grid::of(page, index + 1)?);
        } else if let Ok(grid) = Grid::of(page, index + 1) {
            let text = page.text(tag::DESCRIPTION).to_lowercase();
            let name = ["label", "macro"].into_iter().find(|name| text.starts_with(name)).unwrap_or("image");
            add(&mut associated, name, grid);
        }
    }
    let levels = sorted(levels)?;
    let list = description.split("PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE").nth(1).unwrap_or(description);
    let spacing = |text: &str| -> Option<[f64; 2]> {
        let text = text.split_once('>')?.1.split('<').next()?.replace("&quot;", "\"");
        let mut numbers = text.split(['"', ' ']).filter_map(|number| number.parse::<f64>().ok());
        // rows, then columns
        let (down, across) = (numbers.next()?, numbers.next()?);
        (across > 0.0 && down > 0.0).then_some([across, down])
    };
    let spacings: Vec<_> = list.split("\"DICOM_PIXEL_SPACING\"").skip(1).filter_map(spacing).collect();
    let finest = spacings.first().copied();
    let mut fitted: Vec<Grid> = Vec::new();
    for (index, grid) in levels.into_iter().enumerate() {
        let (Some(full), Some(spacing), Some(finest)) = (fitted.first(), spacings.get(index), finest) else {
            fitted.push(grid);
            continue;
        };
        let fit = |full: u32, axis: usize| (f64::from(full) * finest[axis] / spacing[axis]).round().max(1.0) as u32;
        let (width, height) = (fit(full.width, 0).min(grid.width), fit(full.height, 1).min(grid.height));
        fitted.push(Grid { width, height, ..grid });
    }
    let mpp = finest.map(|spacing| spacing.map(|millimetres| millimetres * 1000.0));
    Ok(Layout { vendor: Vendor::Philips, levels: fitted, associated, mpp, magnification: None })
}

/// The largest page and its smaller copies, which stand in directories below it or are pages of the same shape.
fn plain(
    file: &Directories<'_>,
    main: usize,
    subs: &[Page<'_>],
    vendor: Vendor,
    description: &str,
) -> Result<Layout, SlideError> {
    let page = file.pages.get(main).ok_or(SlideError::CutOff("the first directory"))?;
    let full = Grid::of(page, main + 1)?;
    let planes = file.pages.iter().filter(|other| area(other) == area(page)).count();
    if planes > 1 {
        let what = format!("a TIFF of {planes} pages of one size (channels, or a stack)");
        return Err(SlideError::unsupported(what));
    }
    let names = ome_names(description);
    let (mut levels, mut associated) = (vec![full], Vec::new());
    for sub in subs {
        levels.push(Grid::of(sub, main + 1)?);
    }
    let full = [page.number(tag::WIDTH), page.number(tag::HEIGHT)].map(|side| side.unwrap_or(1) as f64);
    for (index, other) in file.pages.iter().enumerate().filter(|(index, _)| *index != main) {
        let Ok(grid) = Grid::of(other, index + 1) else { continue };
        let ratio = [full[0] / f64::from(grid.width), full[1] / f64::from(grid.height)];
        // sides are rounded, or cut to whole pixels
        let off = (full[0] / ratio[1] - f64::from(grid.width)).abs();
        let reduced = other.number(tag::SUBFILE).is_some_and(|kind| kind & 1 == 1);
        if is_tiled(other) == is_tiled(page) && off <= 1.5 + 0.01 * f64::from(grid.width) && (reduced || is_tiled(page))
        {
            levels.push(grid);
        } else {
            let name = names.get(index).filter(|_| names.len() == file.pages.len()).map(String::as_str);
            add(&mut associated, name.unwrap_or("image"), grid);
        }
    }
    let (mpp, magnification) = match vendor {
        Vendor::Ome => ome_scale(description),
        _ => (None, None),
    };
    let mpp = mpp.or_else(|| by_resolution(page));
    Ok(Layout { vendor, levels: sorted(levels)?, associated, mpp, magnification })
}

/// Resolution and its unit (TIFF 6.0, section 8).
fn by_resolution(page: &Page<'_>) -> Option<[f64; 2]> {
    let microns = match page.number(tag::RESOLUTION_UNIT).unwrap_or(2) {
        2 => 25_400.0,
        3 => 10_000.0,
        _ => return None,
    };
    let mpp = |tag| page.floats(tag).first().map(|resolution| microns / resolution);
    Some([mpp(tag::X_RESOLUTION)?, mpp(tag::Y_RESOLUTION)?])
}

fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, behind) = text.split_once(&format!(" {name}=\""))?;
    behind.split_once('"').map(|(value, _)| value)
}

fn ome_names(description: &str) -> Vec<String> {
    let images = description.split("<Image ").skip(1).map(|text| text.split('>').next().unwrap_or_default());
    images.map(|text| attribute(&format!(" {text}"), "Name").unwrap_or("image").to_owned()).collect()
}

/// Microns per pixel and magnification of the first image.
fn ome_scale(description: &str) -> (Option<[f64; 2]>, Option<f64>) {
    let element = |name: &str| description.split(name).nth(1).and_then(|text| text.split('>').next());
    let size = |text: &str, axis: &str| -> Option<f64> {
        let size: f64 = attribute(text, &format!("PhysicalSize{axis}"))?.parse().ok()?;
        let unit = match attribute(text, &format!("PhysicalSize{axis}Unit")) {
            None | Some("µm" | "μm" | "um" | "&#181;m" | "&#xB5;m" | "&#956;m") => 1.0,
            Some("nm") => 1e-3,
            Some("mm") => 1e3,
            Some("cm") => 1e4,
            _ => return None,
        };
        Some(size * unit)
    };
    let mpp = element("<Pixels").and_then(|text| Some([size(text, "X")?, size(text, "Y")?]));
    let magnification = element("<Objective")
        .and_then(|text| attribute(text, "NominalMagnification"))
        .and_then(|text| text.parse().ok());
    (mpp, magnification)
}

/// From the finest to the coarsest, which must be smaller in both directions and of one shape.
fn sorted(mut levels: Vec<Grid>) -> Result<Vec<Grid>, SlideError> {
    levels.sort_by_key(|level| std::cmp::Reverse(u64::from(level.width) * u64::from(level.height)));
    let fits = levels.windows(2).all(|pair| pair[1].width <= pair[0].width && pair[1].height <= pair[0].height);
    if !fits {
        return Err(SlideError::Damaged { page: 1, reason: "its levels are no smaller copies of each other".into() });
    }
    Ok(levels)
}
