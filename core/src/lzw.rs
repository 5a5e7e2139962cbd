//! TIFF's LZW (TIFF 6.0, section 13).

use weezl::LzwStatus;
use weezl::decode::Decoder;

/// The first `wanted` bytes, or all if there are fewer; what follows them is not asked, nor whether an end is marked.
///
/// # Errors
/// What is wrong with the codes.
pub(crate) fn unpack(bytes: &[u8], wanted: usize) -> Result<Vec<u8>, String> {
    let mut decoder = Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut unpacked = vec![0; wanted];
    let (mut read, mut written) = (0, 0);
    while written < wanted {
        let step = decoder.decode_bytes(bytes.get(read..).unwrap_or_default(), &mut unpacked[written..]);
        (read, written) = (read + step.consumed_in, written + step.consumed_out);
        match step.status.map_err(|error| format!("LZW: {error}"))? {
            LzwStatus::Ok => {}
            LzwStatus::NoProgress | LzwStatus::Done => break,
        }
    }
    unpacked.truncate(written);
    Ok(unpacked)
}
