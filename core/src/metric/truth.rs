//! Pixel types of a true mask.

/// A pixel of a true mask: foreground where it is not zero, so that instance ids (GlaS) and 0/255 masks
/// (Camelyon16) serve as they are (`spec` §4).
pub trait Truth: Copy {
    /// Whether the pixel lies in the region of interest.
    fn is_foreground(self) -> bool;
}

impl Truth for bool {
    fn is_foreground(self) -> bool {
        self
    }
}

impl Truth for u8 {
    fn is_foreground(self) -> bool {
        self != 0
    }
}
