use std::time::Instant;
use histomask_shaders::blocked::*;
use histomask_shaders::{DepthwiseParams, PointwiseParams, depthwise, pointwise};
fn time(mut f: impl FnMut()) -> f64 { f(); let mut best = f64::MAX; for _ in 0..25 { let s = Instant::now(); f(); best = best.min(s.elapsed().as_secs_f64()); } best }
fn rnd(n: usize) -> Vec<f32> { let mut s = 12345u32; (0..n).map(|_| { s = s.wrapping_mul(1664525).wrapping_add(1013904223); (s >> 8) as f32 / (1 << 23) as f32 - 1.0 }).collect() }
fn main() {
    for (i, c, h, w, k, st) in [(0usize,32usize,216usize,321usize,3usize,1usize),(16,96,216,321,3,2),(24,144,108,161,3,1),(24,144,108,161,5,2),(40,240,54,81,5,1),(40,240,54,81,3,2),(80,480,27,41,3,1),(80,480,27,41,5,1),(112,672,27,41,5,1),(112,672,27,41,5,2),(192,1152,14,21,5,1),(192,1152,14,21,3,1),(5,23,9,7,5,2),(5,23,3,2,5,1)] {
        let (oh, ow) = (h.div_ceil(st), w.div_ceil(st) as usize);
        let pad = |n: usize, o: usize| (((o - 1) * st + k).saturating_sub(n)) / 2;
        let (pt, pl) = (pad(h, oh), pad(w, ow));
        let xin = if i == 0 { c } else { i };
        let x = rnd(xin*h*w); let we = rnd(c*xin); let be = rnd(c); let wd = rnd(c*k*k); let bd = rnd(c);
        let mut old = vec![0.0; c.div_ceil(8)*8*xin];
        for oo in 0..c { for ii in 0..xin { old[(oo/8*xin + ii)*8 + oo%8] = we[oo*xin+ii]; } }
        let mut mid = vec![0.0; c*h*w]; let mut out = vec![0.0; c*oh*ow];
        let p = PointwiseParams { batch:1, inputs:xin as u32, outputs:c as u32, pixels:(h*w) as u32, has_shortcut:0, activation:2 };
        let d = DepthwiseParams { planes: c as u32, channels: c as u32, in_height: h as u32, in_width: w as u32, height: oh as u32, width: ow as u32, stride: st as u32, pad_top: pt as u32, pad_left: pl as u32, rows: 16, activation: 2 };
        let t1 = if i > 0 { time(|| pointwise(&p, &x, &old, &be, &[], &mut mid)) } else { mid.copy_from_slice(&x); 0.0 };
        let t2 = time(|| depthwise(&d, &mid, &wd, &bd, &mut out));
        let conv = Conv::new(&we, &be, xin, 1, 1); let dw = Depthwise::new(&wd, &bd, k, st);
        let map = Map::from_planes(&x, xin, [h, w]);
        let place = Placement { size: [oh, ow], pad: [pt, pl] };
        let full = Map::from_planes(&mid, c, [h, w]);
        let run = || dw.run(&map, (i > 0).then_some(Expansion { conv: &conv, activation: 2 }), place, 2);
        let mut out2 = vec![0.0; c*oh*ow];
        run().to_planes(&mut out2);
        let diff = out.iter().zip(&out2).fold(0f32, |m, (a, b)| m.max((a-b).abs()));
        let t3 = time(|| { std::hint::black_box(run()); });
        let t4 = time(|| { std::hint::black_box(dw.run(&full, None, place, 2)); });
        println!("{i:4}->{c:5} {h}x{w} k{k}s{st}: old exp {:6.2} dw {:6.2} ms ({:5.1} GMAC/s)  new fused {:6.2} ({:5.1} GMAC/s) dw alone {:6.2} ({:4.1}) x{:.2} diff {diff:.1e}", t1*1e3, t2*1e3, (c*oh*ow*k*k) as f64/1e9/t2, t3*1e3, (c*i*h*w + c*oh*ow*k*k) as f64/1e9/t3, t4*1e3, (c*oh*ow*k*k) as f64/1e9/t4, (t1+t2)/t3);
    }
}
