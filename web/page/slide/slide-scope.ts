import OpenSeadragon from "openseadragon";
import { Scope } from "../view/scope";

/** A slide, and above it tiles with its mask painted over them. */
export class SlideScope extends Scope {
  /** Tiles above those of the slide, in place of others, which stay until these are known. */
  cover(source: OpenSeadragon.TileSource): void {
    const { world } = this.viewer;
    const before = world.getItemCount() > 1 ? world.getItemAt(1) : undefined;
    this.viewer.addTiledImage({ tileSource: source, success: () => before && world.removeItem(before) });
  }

  uncover(): void {
    const { world } = this.viewer;
    while (world.getItemCount() > 1) world.removeItem(world.getItemAt(world.getItemCount() - 1));
  }

  showCover(visible: boolean): void {
    const { world } = this.viewer;
    for (let at = 1; at < world.getItemCount(); at += 1) world.getItemAt(at).setOpacity(visible ? 1 : 0);
  }

  /** Arrows, plus, minus and 0, as in the viewer of images. */
  listen(): void {
    this.canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const actions: Record<string, () => void> = {
        ArrowLeft: () => this.pan(-1, 0, false),
        ArrowRight: () => this.pan(1, 0, false),
        ArrowUp: () => this.pan(0, -1, false),
        ArrowDown: () => this.pan(0, 1, false),
        "+": () => this.zoom(1),
        "=": () => this.zoom(1),
        "-": () => this.zoom(-1),
        "0": () => this.fit(),
        "1": () => this.actual(),
        r: () => this.rotate(90),
        R: () => this.rotate(-90),
      };
      const action = actions[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }
}
