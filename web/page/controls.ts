import { byId } from "./dom";
import { percent } from "./format";
import type { Colormap, Style } from "./protocol";
import { remember, remembered } from "./settings";

const DEFAULT_OPACITY = 0.45;

/** Threshold, opacity, colour map and contour. */
export class Controls {
  private readonly threshold = byId("threshold", HTMLInputElement);
  private readonly opacity = byId("opacity", HTMLInputElement);
  private readonly colormap = byId("colormap", HTMLSelectElement);
  private readonly contour = byId("contour", HTMLInputElement);
  private readonly mpp = byId("mpp", HTMLInputElement);
  private modelThreshold = 0.5;

  constructor(private readonly changed: () => void) {
    this.opacity.value = remembered("opacity") ?? String(DEFAULT_OPACITY);
    this.colormap.value = remembered("colormap") === "cividis" ? "cividis" : "viridis";
    this.contour.checked = remembered("contour") !== "off";
    for (const input of [this.threshold, this.opacity, this.colormap, this.contour]) {
      input.addEventListener("input", () => this.update());
    }
    this.mpp.addEventListener("input", () => {
      const wrong = this.mpp.value.trim() !== "" && this.micronsPerPixel() === null;
      this.mpp.setAttribute("aria-invalid", String(wrong));
      byId("mpp-hint").hidden = !wrong;
      this.changed();
    });
    byId("reset").addEventListener("click", () => this.reset());
    this.write();
  }

  /** A model says where foreground begins. */
  useModelThreshold(value: number): void {
    this.modelThreshold = value;
    this.threshold.value = String(value);
    byId("threshold-hint").textContent = `The model’s own is ${value.toFixed(2)}`;
    this.write();
  }

  style(): Style {
    return {
      threshold: Number(this.threshold.value),
      opacity: Number(this.opacity.value),
      colormap: this.colormap.value as Colormap,
      contour: this.contour.checked,
    };
  }

  /** Microns per pixel; null where none or nonsense was given. */
  micronsPerPixel(): number | null {
    const value = Number(this.mpp.value.replace(",", "."));
    return Number.isFinite(value) && value > 0 && value <= 100 ? value : null;
  }

  private reset(): void {
    this.threshold.value = String(this.modelThreshold);
    this.opacity.value = String(DEFAULT_OPACITY);
    this.colormap.value = "viridis";
    this.contour.checked = true;
    this.update();
  }

  private update(): void {
    const { opacity, colormap, contour } = this.style();
    remember("opacity", String(opacity));
    remember("colormap", colormap);
    remember("contour", contour ? "on" : "off");
    this.write();
    this.changed();
  }

  private write(): void {
    const { threshold, opacity, colormap } = this.style();
    byId("threshold-value").textContent = threshold.toFixed(2);
    byId("opacity-value").textContent = percent(opacity, 0);
    this.opacity.setAttribute("aria-valuetext", `${Math.round(100 * opacity)} percent`);
    byId("scale").dataset["colormap"] = colormap;
    byId("scale").style.setProperty("--at", `${100 * threshold}%`);
  }
}
