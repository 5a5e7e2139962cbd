#import taps

// First output position that reads input `position` with a weight above 0, and one past the last.
// Those have |source - position| < 1, where source is what `taps` divides into a whole part and a fraction.
fn touching(position: u32, output: u32, input: u32) -> vec2<u32> {
    var step = i32(2u * input);
    var below = i32(output) * (2 * i32(position) - 1) - i32(input);
    var above = i32(output) * (2 * i32(position) + 3) - i32(input);
    // a single input is read by every output, which the other convention's arithmetic gives too
    if (params.align_corners != 0u && input > 1u) {
        let denominator = max(i32(output) - 1, 1);
        step = i32(input) - 1;
        below = (i32(position) - 1) * denominator;
        above = (i32(position) + 1) * denominator;
    }
    let first = select(0, below / step + 1, below >= 0);
    let end = select(0, (above - 1) / step + 1, above > 0);
    return vec2<u32>(u32(first), min(u32(end), output));
}

// Share of input `position` in an output.
fn weight(taps: Taps, position: u32) -> f32 {
    let low = select(0.0, 1.0 - taps.fraction, taps.low == position);
    return low + select(0.0, taps.fraction, taps.high == position);
}
