fn normalised(sample: u32, value: f32) -> f32 {
    return (value - range[2u * sample]) * range[2u * sample + 1u];
}

fn soft(value: f32) -> f32 {
    // exp of NaN need not be NaN: SwiftShader's is infinite
    if ((bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u) {
        return value;
    }
    return 1.0 / (1.0 + exp(-params.omega * (value - params.sigma)));
}
