import { ColorKey } from "./color-key";
import { byId } from "./dom";
import { percent } from "./format";
import type { Colormap, Style } from "./protocol";
import { remember, remembered } from "./settings";

const DEFAULTS = { opacity: 0.45, dim: 0.4 } as const;

/** Threshold, contour, colours with their opacity, and how dark the outside is. */
export class Controls {
  readonly key = new ColorKey();
  private readonly threshold = byId("threshold", HTMLInputElement);
  private readonly opacity = byId("opacity", HTMLInputElement);
  private readonly dim = byId("dim", HTMLInputElement);
  private readonly outside = byId("outside", HTMLSelectElement);
  private readonly colormap = byId("colormap", HTMLSelectElement);
  private readonly contour = byId("contour", HTMLInputElement);
  private readonly heat = byId("heat", HTMLInputElement);
  private readonly mpp = byId("mpp", HTMLInputElement);
  private modelThreshold = 0.5;
  /** As the model or the user says; the slider may not have a step for it. */
  private exact = 0.5;

  constructor(private readonly changed: (what: "style" | "scale") => void) {
    this.opacity.value = remembered("opacity") ?? String(DEFAULTS.opacity);
    this.dim.value = remembered("dim") ?? String(DEFAULTS.dim);
    this.outside.value = remembered("outside") === "hatched" ? "hatched" : "darker";
    this.colormap.value = remembered("colormap") === "cividis" ? "cividis" : "viridis";
    this.contour.checked = remembered("contour") !== "off";
    this.heat.checked = remembered("heat") === "on";
    this.threshold.addEventListener("input", () => {
      this.exact = Number(this.threshold.value);
    });
    for (const input of [this.threshold, this.opacity, this.dim, this.outside, this.colormap, this.contour, this.heat]) {
      input.addEventListener("input", () => this.update());
    }
    this.mpp.addEventListener("input", () => {
      const wrong = this.mpp.value.trim() !== "" && this.micronsPerPixel() === null;
      this.mpp.setAttribute("aria-invalid", String(wrong));
      byId("mpp-hint").hidden = !wrong;
      this.changed("scale");
    });
    byId("reset").addEventListener("click", () => this.reset());
    this.write();
  }

  /** A model says where foreground begins. */
  useModelThreshold(value: number): void {
    this.modelThreshold = value;
    this.exact = value;
    this.threshold.value = String(value);
    byId("threshold-hint").textContent = `The model’s own is ${places(value)}`;
    this.write();
  }

  style(): Style {
    return {
      threshold: this.exact,
      opacity: this.heat.checked ? Number(this.opacity.value) : 0,
      dim: Number(this.dim.value),
      hatched: this.outside.value === "hatched",
      colormap: this.colormap.value as Colormap,
      contour: this.contour.checked,
    };
  }

  /** Microns per pixel that were typed; null where none or nonsense was. */
  micronsPerPixel(): number | null {
    const value = Number(this.mpp.value.replace(",", "."));
    return Number.isFinite(value) && value > 0 && value <= 100 ? value : null;
  }

  /** The image on show has a scale of its own, or needs one typed. */
  showOwnScale(mpp: number | null): void {
    this.mpp.disabled = mpp !== null;
    this.mpp.placeholder = mpp === null ? "for mm²" : `${Number(mpp.toPrecision(4))} (file)`;
  }

  private reset(): void {
    this.exact = this.modelThreshold;
    this.threshold.value = String(this.modelThreshold);
    this.opacity.value = String(DEFAULTS.opacity);
    this.dim.value = String(DEFAULTS.dim);
    this.outside.value = "darker";
    this.colormap.value = "viridis";
    this.contour.checked = true;
    this.heat.checked = false;
    this.update();
  }

  private update(): void {
    remember("opacity", this.opacity.value);
    remember("dim", this.dim.value);
    remember("outside", this.outside.value);
    remember("colormap", this.colormap.value);
    remember("contour", this.contour.checked ? "on" : "off");
    remember("heat", this.heat.checked ? "on" : "off");
    this.write();
    this.changed("style");
  }

  private write(): void {
    const style = this.style();
    byId("threshold-value").textContent = places(style.threshold);
    for (const [input, output] of [
      [this.opacity, "opacity-value"],
      [this.dim, "dim-value"],
    ] as const) {
      const share = Number(input.value);
      byId(output).textContent = percent(share, 0);
      input.setAttribute("aria-valuetext", `${Math.round(100 * share)} percent`);
    }
    byId("colours").hidden = !this.heat.checked;
    this.key.draw(style);
  }
}

/** At least two digits, and all that count. */
function places(value: number): string {
  const text = String(Number(value.toFixed(6)));
  return value.toFixed(2).length > text.length ? value.toFixed(2) : text;
}
