import OpenSeadragon from "openseadragon";
import type { SlideAbout, TilePlace } from "./view-protocol";

/** Pixels of a tile's side. */
const SIDE = 512;

let opened = 0;

/** A slide as OpenSeadragon sees it: levels of half the sides, tiles made where and when they are looked at. */
export class SlideSource extends OpenSeadragon.TileSource {
  private readonly coarse: number | null;
  private readonly key = `slide ${(opened += 1)}`;

  constructor(
    about: SlideAbout,
    private readonly tile: (place: TilePlace) => Promise<ImageBitmap>,
    private readonly failed: (message: string) => void,
    /** Until which tiles from `about.overview` on must wait. */
    private readonly overview: Promise<void>,
  ) {
    const { width, height } = about;
    const maxLevel = Math.ceil(Math.log2(Math.max(width, height)));
    const minLevel = Math.max(0, Math.floor(Math.log2(SIDE)));
    super({ width, height, tileWidth: SIDE, tileHeight: SIDE, tileOverlap: 0, minLevel: Math.min(minLevel, maxLevel), maxLevel });
    this.coarse = about.overview;
  }

  /** A name for the library's cache; nothing is loaded from it. */
  override getTileUrl(level: number, x: number, y: number): string {
    return `${this.key} ${level} ${x} ${y}`;
  }

  override hasTransparency(): boolean {
    return false;
  }

  override downloadTileStart(job: OpenSeadragon.ImageJob): void {
    const [level = 0, x = 0, y = 0] = String(job.src).split(" ").slice(2).map(Number);
    this.made(this.place(level, x, y))
      .then((picture) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [picture.width, picture.height];
        const context = canvas.getContext("2d");
        context?.drawImage(picture, 0, 0);
        picture.close();
        job.finish(context, null as never, "context2d");
      })
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        if (message === "closed") {
          // nobody looks any more, and the library would write of a failure
          job.finish(document.createElement("canvas").getContext("2d"), null as never, "context2d");
          return;
        }
        this.failed(message);
        job.finish(null, null as never, message);
      });
  }

  override downloadTileAbort(): void {
    // a tile that was asked for is soon made
  }

  private async made(place: TilePlace): Promise<ImageBitmap> {
    if (this.coarse !== null && place.downsample >= this.coarse) await this.overview;
    return this.tile(place);
  }

  private place(level: number, x: number, y: number): TilePlace {
    const downsample = 2 ** (this.maxLevel - level);
    const { x: width, y: height } = this.dimensions;
    const left = x * SIDE;
    const top = y * SIDE;
    return {
      downsample,
      x: left,
      y: top,
      width: Math.min(SIDE, Math.ceil(width / downsample) - left),
      height: Math.min(SIDE, Math.ceil(height / downsample) - top),
    };
  }
}
