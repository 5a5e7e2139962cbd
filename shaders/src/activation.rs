/// The interval that an activation of the kernels' `activation` parameter confines its values to; none for 0.
pub(crate) fn bounds(activation: u32) -> Option<[f32; 2]> {
    match activation {
        0 => None,
        1 => Some([0.0, f32::INFINITY]),
        _ => Some([0.0, 6.0]),
    }
}
