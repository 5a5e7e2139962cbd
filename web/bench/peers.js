// The two sides under one interface: open once, then `predict` from an image file, or `network` from the model's input.
import { bmp, normalised, pixels, resized, scaled } from './picture.js';

const bytes = async url => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** ONNX Runtime Web: wasm SIMD on one thread, or WebGPU. */
export class OnnxRuntime {
  static async open(device) {
    const self = new OnnxRuntime();
    self.ort = await import(device === 'gpu' ? '/ort/ort.webgpu.bundle.min.mjs' : '/ort/ort.wasm.bundle.min.mjs');
    self.ort.env.wasm.numThreads = 1;
    self.ort.env.wasm.wasmPaths = new URL('/ort/', location.href).href;
    self.options = { executionProviders: [device === 'gpu' ? 'webgpu' : 'wasm'], graphOptimizationLevel: 'all' };
    return self;
  }

  /** The first session also fetches and compiles the wasm. */
  async load() {
    this.input = (await (await fetch('/card.json')).json()).input;
    this.session = await this.ort.InferenceSession.create(await bytes('/model.onnx'), this.options);
    const [, , height, width] = this.session.inputMetadata[0].shape;
    this.size = [width, height];
  }

  /** The model's input as values of a tensor. */
  prepare(picture) {
    return normalised(picture, this.input);
  }

  /** From the values of a tensor to class and mask at the model's size, all in memory. */
  async network(values) {
    const [width, height] = this.size;
    const image = new this.ort.Tensor('float32', values, [1, 3, height, width]);
    const { probabilities, background, mask } = await this.session.run({ image });
    return { probabilities: probabilities.data, background: background.data, mask: mask.data, size: this.size };
  }

  /** From an image file to class and mask at the image's size. */
  async predict(file) {
    const picture = await pixels(file), own = [picture.width, picture.height];
    const { mask, ...rest } = await this.network(this.prepare(scaled(picture, this.size)));
    return { ...rest, mask: resized(mask, this.size, own), size: own };
  }
}

/** histomask's wasm: WebGPU through burn and our kernels, or the CPU. */
export class Histomask {
  static async open(device) {
    const self = new Histomask();
    const { default: init, Engine } = await import('/pkg/histomask_web.js');
    await init();
    self.engine = await Engine.open(device, reason => { throw new Error(`device lost: ${reason}`); });
    if (self.engine.device_kind !== device) throw new Error(`asked for ${device}: ${self.engine.device_why}`);
    return self;
  }

  async load() {
    this.card = JSON.parse(this.engine.load(await bytes('/model.safetensors')));
  }

  /** An image file of the model's size: decoding it takes next to nothing, and it is not scaled. */
  prepare(picture) {
    return bmp(picture);
  }

  network(file) {
    return this.predict(file);
  }

  /** From an image file to class and mask at the image's size. */
  async predict(file) {
    const prediction = await this.engine.predict(file);
    // the mask is made at the first question for a value
    prediction.value(0, 0);
    return prediction;
  }
}
