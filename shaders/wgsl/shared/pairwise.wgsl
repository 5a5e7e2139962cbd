var<private> levels: array<f32, 32>;

// Pairwise sum: `levels[k]` waits with the sum of 2^k values for the next 2^k, so that rounding grows with the
// logarithm of the count. `count` values came before this one.
fn add(count: u32, value: f32) {
    var sum = value;
    var level = 0u;
    for (; ((count >> level) & 1u) == 1u; level++) {
        sum += levels[level];
    }
    levels[level] = sum;
}

fn total(count: u32) -> f32 {
    var sum = 0.0;
    for (var level = 0u; (count >> level) > 0u; level++) {
        sum += select(0.0, levels[level], ((count >> level) & 1u) == 1u);
    }
    return sum;
}
