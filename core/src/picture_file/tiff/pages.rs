//! Which of a file's pages is the picture.

use super::super::PictureError;
use crate::ifd::{Directories, Page, tag};

/// The picture of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chosen {
    /// A page by its number.
    One(usize),
    /// Red, green and blue, a page each.
    Planes([usize; 3]),
}

/// The one page of full size, or three of which the file says that they are red, green and blue.
///
/// # Errors
/// [`PictureError::Refused`] for several pages, saying what they are.
pub(super) fn choose(file: &Directories<'_>) -> Result<Chosen, PictureError> {
    let all: Vec<_> = (0..file.pages.len()).collect();
    let full: Vec<_> = file.pages.iter().enumerate().filter(|(_, page)| !is_reduced(page)).map(|(i, _)| i).collect();
    let first = file.pages.first().ok_or_else(|| PictureError::Damaged("it has no page".into()))?;
    let description = first.text(tag::DESCRIPTION);
    match (full.as_slice(), all.as_slice()) {
        ([], [only]) => return Ok(Chosen::One(*only)),
        ([one], _) => {
            // ImageJ lists only the first page of a large stack
            let images = imagej(&description, "images").unwrap_or(1);
            if images > 1 && all.len() == 1 {
                return Err(several(format!("it is an ImageJ stack of {images} images")));
            }
            return Ok(Chosen::One(*one));
        }
        _ => {}
    }
    if let [red, green, blue] = *full.as_slice()
        && let Some(order) = planes_of(&description)
        && [red, green, blue].iter().all(|&page| is_plane_like(file.pages.get(page), file.pages.get(red)))
    {
        let pages = [red, green, blue];
        return Ok(Chosen::Planes(order.map(|index| pages[index])));
    }
    let mut sizes: Vec<_> = full.iter().filter_map(|&page| file.pages.get(page)).map(size).collect();
    sizes.dedup();
    let sizes: Vec<_> = sizes.iter().take(4).map(|(width, height)| format!("{width}×{height}")).collect();
    let what = match full.len() {
        0 => format!("all of its {} pages are marked as reduced", all.len()),
        pages => format!("it has {pages} pages ({}) and does not say which of them is the picture", sizes.join(", ")),
    };
    Err(several(what))
}

fn several(what: String) -> PictureError {
    PictureError::refused(what, "save the page that is meant, or the channels as one RGB picture, in a file of its own")
}

fn size(page: &Page<'_>) -> (u64, u64) {
    (page.number(tag::WIDTH).unwrap_or_default(), page.number(tag::HEIGHT).unwrap_or_default())
}

/// A thumbnail, a level of a pyramid, or a mask of transparency.
fn is_reduced(page: &Page<'_>) -> bool {
    page.number(tag::SUBFILE).is_some_and(|kind| kind & 0b101 != 0) || page.number(tag::OLD_SUBFILE) == Some(2)
}

/// Grey, of the size and depth of the first.
fn is_plane_like(page: Option<&Page<'_>>, first: Option<&Page<'_>>) -> bool {
    let (Some(page), Some(first)) = (page, first) else { return false };
    let like = |page: &Page<'_>| (size(page), page.number(tag::BITS), page.number(tag::SAMPLE_FORMAT));
    let grey = page.number(tag::PHOTOMETRIC) == Some(1) && page.number(tag::SAMPLES).unwrap_or(1) == 1;
    grey && like(page) == like(first)
}

/// Whether the file says that three planes of grey are red, green and blue; where each of them stands.
pub(super) fn planes_of(description: &str) -> Option<[usize; 3]> {
    if description.starts_with("ImageJ=") {
        let count = |key: &str| imagej(description, key).unwrap_or(1);
        let grey = description.lines().any(|line| line.trim() == "mode=grayscale" || line.trim() == "mode=gray");
        let rgb = count("channels") == 3 && count("slices") == 1 && count("frames") == 1 && !grey;
        return rgb.then_some([0, 1, 2]);
    }
    if !description.contains("<OME") {
        return None;
    }
    let attribute = |text: &str, name: &str| -> Option<String> {
        let (_, behind) = text.split_once(&format!(" {name}=\""))?;
        behind.split_once('"').map(|(value, _)| value.to_owned())
    };
    let pixels = description.split("<Pixels").nth(1)?;
    let count = |name: &str| attribute(pixels, name).and_then(|count| count.parse().ok()).unwrap_or(1);
    if (count("SizeC"), count("SizeZ"), count("SizeT")) != (3, 1, 1) {
        return None;
    }
    let channels: Vec<_> = pixels.split("<Channel").skip(1).filter_map(|text| text.split('>').next()).collect();
    // RGBA in 32 bits, with a sign
    let by_colour = |text: &str| match attribute(text, "Color")?.parse::<i64>().ok()? as u32 >> 8 {
        0xff_00_00 => Some(0),
        0x00_ff_00 => Some(1),
        0x00_00_ff => Some(2),
        _ => None,
    };
    let by_name = |text: &str| match attribute(text, "Name")?.to_lowercase().as_str() {
        "r" | "red" => Some(0),
        "g" | "green" => Some(1),
        "b" | "blue" => Some(2),
        _ => None,
    };
    let says_nothing = |text: &&str| attribute(text, "Color").is_none() && attribute(text, "Name").is_none();
    if channels.iter().all(says_nothing) {
        return Some([0, 1, 2]);
    }
    let mut order = [None; 3];
    for (index, text) in channels.iter().enumerate() {
        let colour = by_name(text).or_else(|| attribute(text, "Name").is_none().then(|| by_colour(text)).flatten())?;
        *order.get_mut(colour)? = Some(index);
    }
    let [Some(red), Some(green), Some(blue)] = order else { return None };
    Some([red, green, blue])
}

/// A number of ImageJ's description.
fn imagej(description: &str, key: &str) -> Option<u64> {
    let lines = description.starts_with("ImageJ=").then(|| description.lines())?;
    lines.filter_map(|line| line.split_once('=')).find(|(name, _)| name.trim() == key)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_about_its_planes() {
        let imagej = "ImageJ=1.54f\nimages=3\nchannels=3\nhyperstack=true\nmode=composite\n";
        assert_eq!(planes_of(imagej), Some([0, 1, 2]));
        assert_eq!(planes_of(&imagej.replace("composite", "grayscale")), None);
        assert_eq!(planes_of("ImageJ=1.54f\nimages=3\nslices=3\n"), None);
        assert_eq!(planes_of("{\"shape\": [3, 80, 100]}"), None);
        let ome = |channels: &str| {
            format!("<?xml?><OME><Pixels SizeC=\"3\" SizeZ=\"1\" SizeT=\"1\">{channels}</Pixels></OME>")
        };
        assert_eq!(planes_of(&ome("")), Some([0, 1, 2]));
        let named =
            "<Channel ID=\"0\" Name=\"Blue\"/><Channel ID=\"1\" Name=\"Green\"/><Channel ID=\"2\" Name=\"Red\"/>";
        assert_eq!(planes_of(&ome(named)), Some([2, 1, 0]));
        assert_eq!(planes_of(&ome(&named.replace("Blue", "DAPI"))), None);
        let coloured = "<Channel Color=\"-16776961\"/><Channel Color=\"16711935\"/><Channel Color=\"65535\"/>";
        assert_eq!(planes_of(&ome(coloured)), Some([0, 1, 2]));
        assert_eq!(planes_of(&ome("").replace("SizeT=\"1\"", "SizeT=\"7\"")), None);
    }
}
