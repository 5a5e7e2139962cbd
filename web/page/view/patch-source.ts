import OpenSeadragon from "openseadragon";

let opened = 0;

/** A picture in memory as the one tile of an OpenSeadragon image. */
export class PatchSource extends OpenSeadragon.TileSource {
  private readonly context: CanvasRenderingContext2D;
  private readonly key: string;

  /** Takes the picture over. */
  constructor(picture: ImageBitmap) {
    const { width, height } = picture;
    super({ width, height, tileWidth: width, tileHeight: height, tileOverlap: 0, minLevel: 0, maxLevel: 0 });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d");
    if (!context) throw new Error("this browser cannot draw on a canvas");
    context.drawImage(picture, 0, 0);
    picture.close();
    this.context = context;
    this.key = `patch ${(opened += 1)}`;
  }

  /** A name for the library's cache; nothing is loaded from it. */
  override getTileUrl(): string {
    return this.key;
  }

  override hasTransparency(): boolean {
    return false;
  }

  override downloadTileStart(job: OpenSeadragon.ImageJob): void {
    job.finish(this.context, null, "context2d");
  }

  override downloadTileAbort(): void {
    // nothing is under way
  }
}
