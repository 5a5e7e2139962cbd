use std::time::Instant;
use histomask_shaders::blocked::*;
use histomask_shaders::{ConvParams, PointwiseParams, conv, pointwise};

fn time(mut f: impl FnMut()) -> f64 {
    f();
    let mut best = f64::MAX;
    for _ in 0..25 { let s = Instant::now(); f(); best = best.min(s.elapsed().as_secs_f64()); }
    best
}
fn rnd(n: usize) -> Vec<f32> { let mut s = 12345u32; (0..n).map(|_| { s = s.wrapping_mul(1664525).wrapping_add(1013904223); (s >> 8) as f32 / (1 << 23) as f32 - 1.0 }).collect() }
fn main() {
    for (i, o, h, w, k, st) in [(16,96,216,321,1,1),(96,24,108,161,1,1),(24,144,108,161,1,1),(144,24,108,161,1,1),(144,40,54,81,1,1),(240,40,54,81,1,1),(240,80,27,41,1,1),(80,480,27,41,1,1),(480,80,27,41,1,1),(672,112,27,41,1,1),(112,672,27,41,1,1),(1152,192,14,21,1,1),(192,1152,14,21,1,1),(320,1280,14,21,1,1),
        (3,32,432,641,3,2),(3,64,432,641,7,2),(64,64,108,161,3,1),(64,128,108,161,3,2),(128,128,54,81,3,1),(256,256,27,41,3,1),(512,512,14,21,3,1),(3,16,432,641,3,1),(16,16,432,641,3,1),(48,16,432,641,3,1)] {
        let (pad) = k / 2;
        let (oh, ow) = ((h + 2*pad - k)/st + 1, (w + 2*pad - k)/st + 1);
        let x = rnd(i*h*w); let weight = rnd(o*i*k*k); let bias = rnd(o);
        // old packing [ceil(O/8), k*k, I, 8]
        let mut old = vec![0.0; o.div_ceil(8)*8*i*k*k];
        for oo in 0..o { for ii in 0..i { for t in 0..k*k { old[((oo/8*k*k + t)*i + ii)*8 + oo%8] = weight[(oo*i+ii)*k*k+t]; } } }
        let mut out = vec![0.0; o*oh*ow];
        let p = ConvParams { batch:1, inputs:i as u32, in_height:h as u32, in_width:w as u32, outputs:o as u32, height:oh as u32, width:ow as u32, kernel:k as u32, stride:st as u32, pad_top:pad as u32, pad_left:pad as u32, has_shortcut:0, activation:2 };
        let told = if k == 1 { let p = PointwiseParams { batch:1, inputs:i as u32, outputs:o as u32, pixels:(h*w) as u32, has_shortcut:0, activation:2 };
            time(|| pointwise(&p, &x, &old, &bias, &[], &mut out)) } else { time(|| conv(&p, &x, &old, &bias, &[], &mut out)) };
        let packed = Conv::new(&weight, &bias, i, k, st);
        let place = Placement { size: [oh, ow], pad: [pad, pad] };
        let map = Map::from_planes(&x, i, [h, w]);
        let run = || if i == 3 { packed.run_on_image(&x, [h, w], place, 2) } else { packed.run(&map, place, None, 2) };
        let mut out2 = vec![0.0; o*oh*ow];
        run().to_planes(&mut out2);
        let diff = out.iter().zip(&out2).fold(0f32, |d, (a, b)| d.max((a-b).abs()));
        let tnew = time(|| { std::hint::black_box(run()); });
        let gmac = (o*oh*ow*i*k*k) as f64 / 1e9;
        println!("{i:5}->{o:5} {h}x{w} k{k}s{st}: old {:7.2} ms {:5.1} GMAC/s   new {:7.2} ms {:5.1} GMAC/s  x{:.2} diff {diff:.1e}", told*1e3, gmac/told, tnew*1e3, gmac/tnew, told/tnew);
    }
}
