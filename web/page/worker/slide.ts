import { SlideOutcome, SlideTask, type Engine } from "../../pkg/histomask_web.js";
import type { Calls, SlideFiles, SlidePlan, SlideRef, SlideSummary } from "../protocol";
import { read } from "./predictions";

/** The slide under the model. After a breakdown its calls open it anew. */
export class SlideWork {
  private open: { id: number; task: SlideTask; plan: SlidePlan } | undefined;

  constructor(private readonly engine: Engine) {}

  async plan(slide: SlideRef): Promise<SlidePlan> {
    return (await this.of(slide)).plan;
  }

  async part({ slide, number, threshold, colormap }: Calls["slidePart"]["args"]): Promise<Calls["slidePart"]["result"]> {
    const { task } = await this.of(slide);
    const result = (await task.part(number)) as Uint8Array<ArrayBuffer>;
    return { result, glimpse: (await task.glimpse(number, threshold, colormap)) ?? null };
  }

  async finish({ slide, results, threshold }: Calls["slideFinish"]["args"]): Promise<SlideFiles> {
    const { task } = await this.of(slide);
    for (const [number, result] of results.entries()) if (!task.has(number)) task.put(number, result);
    const made = await SlideOutcome.of(task, slide.name, threshold);
    const files = {
      map: made.take_map() as Uint8Array<ArrayBuffer>,
      geojson: made.take_geojson(),
      tiles: made.take_tiles(),
      table: made.take_table(),
      summary: JSON.parse(made.take_summary()) as SlideSummary,
    };
    made.free();
    return files;
  }

  private async of(slide: SlideRef): Promise<{ task: SlideTask; plan: SlidePlan }> {
    if (this.open?.id === slide.id) return this.open;
    this.open?.task.free();
    this.open = undefined;
    const task = await SlideTask.open(
      this.engine,
      await read(slide.model),
      slide.file,
      slide.mpp ?? undefined,
      slide.region ?? undefined,
      slide.tissue ?? undefined,
    );
    this.open = { id: slide.id, task, plan: JSON.parse(task.about()) as SlidePlan };
    return this.open;
  }
}
