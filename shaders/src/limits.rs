//! What an adapter can do, and what is asked of it.

/// Longest side of an image or a map in pixels: products of two positions still fit 32 bits in `taps`.
pub const MAX_SIDE: usize = 16_384;

/// The limits of an adapter that the kernels meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest buffer a kernel may bind, in bytes.
    pub binding_bytes: u64,
    /// Most workgroups in one direction.
    pub workgroups_per_dimension: u32,
}

impl Limits {
    /// What WebGPU guarantees on every adapter.
    pub const GUARANTEED: Self = Self { binding_bytes: 128 << 20, workgroups_per_dimension: 65_535 };

    /// Checks a buffer of `bytes`.
    ///
    /// # Errors
    ///
    /// [`LimitError::Binding`] if it is larger than the adapter binds.
    pub fn check_binding(&self, what: &'static str, bytes: u64) -> Result<(), LimitError> {
        if bytes > self.binding_bytes {
            return Err(LimitError::Binding { what, bytes, limit: self.binding_bytes });
        }
        Ok(())
    }
}

/// A size that a kernel cannot take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// A side of 0 or above [`MAX_SIDE`].
    #[error("{what} of {width} × {height} pixels: sides must be 1 to {MAX_SIDE}")]
    Side {
        /// What has the side.
        what: &'static str,
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
    },
    /// No image, or more pixels in a batch than 32 bits count.
    #[error("a batch of {images} images: it must have 1 to 65535, with fewer than 2^32 pixels in all")]
    Batch {
        /// Images in the batch.
        images: usize,
    },
    /// A buffer larger than the adapter binds.
    #[error("{what} needs {bytes} bytes in one buffer; this adapter's limit (maxStorageBufferBindingSize) is {limit}")]
    Binding {
        /// What is in the buffer.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The adapter's limit.
        limit: u64,
    },
}
