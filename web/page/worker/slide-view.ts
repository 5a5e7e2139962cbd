/** Reads a slide for the viewer, beside the Worker that computes: a tile must not wait for the network. */
import init, { SlideView } from "../../pkg/histomask_web.js";
import { words } from "../format";
import type { Answer, Outlines, Question, Questions, SlideAbout } from "../slide/view-protocol";

const scope = self as unknown as DedicatedWorkerGlobalScope;
let slide: SlideView | undefined;
let queue: Promise<void> = Promise.resolve();

scope.addEventListener("message", ({ data }: MessageEvent<Question>) => {
  queue = queue.then(() => answer(data));
});

async function answer(question: Question): Promise<void> {
  const { ask } = question;
  try {
    const result = await run(question);
    const transfer = result instanceof ImageBitmap ? [result] : [];
    scope.postMessage({ ask, ok: true, result } satisfies Answer, transfer);
  } catch (error) {
    scope.postMessage({ ask, ok: false, message: words(error) } satisfies Answer);
  }
}

async function run(question: Question): Promise<Questions[keyof Questions]["result"]> {
  switch (question.name) {
    case "start":
      await init({ module_or_path: question.args.program });
      return null;
    case "open": {
      const opened = SlideView.open(question.args.file);
      const about = JSON.parse(opened.about()) as SlideAbout;
      if (question.args.look) {
        opened.free();
      } else {
        slide?.free();
        slide = opened;
      }
      return about;
    }
    case "overview":
      return the(slide).read_overview();
    case "outlines":
      return JSON.parse(the(slide).outlines(question.args.text)) as Outlines;
    case "tile": {
      const { downsample, x, y, width, height } = question.args.place;
      const { style } = question.args;
      if (!style) return the(slide).tile(downsample, x, y, width, height);
      const { threshold, opacity, dim, colormap, contour } = style;
      return the(slide).painted(downsample, x, y, width, height, threshold, opacity, dim, colormap, contour);
    }
    case "mask":
      the(slide).set_mask(question.args.map);
      return null;
    case "value": {
      const value = the(slide).value(question.args.x, question.args.y);
      return Number.isNaN(value) ? null : value;
    }
  }
}

function the(opened: SlideView | undefined): SlideView {
  if (!opened) throw new Error("no slide is open");
  return opened;
}
