// Chromium as the checks need it.
import { chromium } from './libraries.mjs';

// the same adapter on every machine, on the CPU; without Vulkan throughout, painting to a canvas loses it when headless
const WEBGPU = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--ignore-gpu-blocklist',
  '--disable-gpu-watchdog',
];

/** Headless; without the flags it has no WebGPU here. */
export function launch(executablePath, webgpu) {
  const args = ['--disable-background-networking', ...(webgpu ? WEBGPU : [])];
  return chromium.launch({ executablePath, chromiumSandbox: false, args });
}
