// Sorts floats by their bits: ascending, both zeros as one, NaN (0) before everything.
fn ascending(bits: u32) -> u32 {
    let magnitude = bits & 0x7fffffffu;
    let key = select(magnitude | 0x80000000u, ~bits, bits > 0x80000000u);
    return select(key, 0u, magnitude > 0x7f800000u);
}

fn bits_of(key: u32) -> u32 {
    return select(key ^ 0x80000000u, ~key, key < 0x80000000u);
}

// Keys of a minimum and of a maximum, each with its position: (key, position, key, position). The maximum's sign is
// turned, so that of both the first in order is wanted.
fn keys(low: u32, low_at: u32, high: u32, high_at: u32) -> vec4<u32> {
    return vec4(ascending(low), low_at, ascending(high ^ 0x80000000u), high_at);
}

fn nothing() -> vec4<u32> {
    return keys(0x7f800000u, 0xffffffffu, 0xff800000u, 0xffffffffu);
}

fn before(a: vec2<u32>, b: vec2<u32>) -> bool {
    return a.x < b.x || (a.x == b.x && a.y < b.y);
}

fn first(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4(select(b.xy, a.xy, before(a.xy, b.xy)), select(b.zw, a.zw, before(a.zw, b.zw)));
}
