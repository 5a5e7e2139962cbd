fn activated(value: f32, activation: u32) -> f32 {
    if (activation == 0u) {
        return value;
    }
    return min(max(value, 0.0), select(3.4e38, 6.0, activation == 2u));
}
