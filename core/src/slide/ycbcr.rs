//! Luminance and differences of colour.

/// Full-range luminance and differences (ITU-R BT.601) as RGB.
pub(super) fn of_ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    rgb.map(|value| (value + 0.5).clamp(0.0, 255.0) as u8)
}
