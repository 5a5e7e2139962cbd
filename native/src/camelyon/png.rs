use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat};

use super::CamelyonError;
use crate::atomic;

/// Writes a picture.
pub(super) fn write_png(path: &Path, picture: DynamicImage) -> Result<(), CamelyonError> {
    let mut bytes = Cursor::new(Vec::new());
    picture
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|source| CamelyonError::Encode { path: path.to_owned(), source })?;
    Ok(atomic::write(path, bytes.get_ref())?)
}
