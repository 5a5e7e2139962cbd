//! What file names tell.

/// Endings of the files that are read as images, in lower case; any case counts.
pub const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "webp"];

/// Endings of images that are not read: files to be named rather than passed over.
const OTHER_IMAGES: [&str; 38] = [
    "gif", "heic", "heif", "avif", "jp2", "j2k", "jpx", "jpf", "jxl", "jxr", "svs", "ndpi", "mrxs", "scn", "czi",
    "vsi", "lif", "nd2", "bif", "qptiff", "psd", "dng", "cr2", "nef", "ico", "svg", "dcm", "dicom", "exr", "hdr",
    "tga", "pnm", "ppm", "pgm", "pbm", "qoi", "npy", "pdf",
];

/// Files and folders that systems leave behind, in lower case; besides those whose names begin with a dot.
const LITTER: [&str; 9] = [
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "$recycle.bin",
    "system volume information",
    "__macosx",
    "@eadir",
    "lost+found",
];

/// Whether a file or folder of this name is hidden or the system's own: `.DS_Store`, `._a.png`, `Thumbs.db`.
#[must_use]
pub fn is_litter(name: &str) -> bool {
    name.starts_with('.') || LITTER.contains(&name.to_lowercase().as_str())
}

/// Whether a file of this name is taken for an image.
#[must_use]
pub fn is_picture(name: &str) -> bool {
    !is_litter(name) && ENDINGS.contains(&ending(name).as_str())
}

/// Whether a file of this name looks like an image of a kind that is not read.
#[must_use]
pub fn is_other_picture(name: &str) -> bool {
    !is_litter(name) && OTHER_IMAGES.contains(&ending(name).as_str())
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map_or_else(String::new, |(_, ending)| ending.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for name in ["a.png", "A.TIF", "x.y.JPG", "a.jfif"] {
            assert!(is_picture(name), "{name}");
        }
        for name in ["._a.png", ".a.png", "Thumbs.db", "desktop.ini", "__MACOSX", ".DS_Store"] {
            assert!(is_litter(name) && !is_picture(name) && !is_other_picture(name), "{name}");
        }
        for name in ["a.gif", "slide.SVS"] {
            assert!(is_other_picture(name) && !is_picture(name), "{name}");
        }
        assert!(!is_picture("png") && !is_other_picture("notes.txt"));
    }
}
