import dermis from "./samples/cmu-1-dermis.jpg?url";
import follicle from "./samples/cmu-1-hair-follicle.jpg?url";
import irregular from "./samples/synthetic-irregular.jpg?url";
import regular from "./samples/synthetic-regular.jpg?url";
import { byId, make } from "./dom";

interface Sample {
  readonly url: string;
  readonly file: string;
  readonly label: string;
}

/**
 * Free of licence and patient. Two are patch 4 of both classes as native/src/synth draws them (seed 0, 384 pixels,
 * zoom 2), two are crops of the public slide that THIRD_PARTY.md names.
 */
const SAMPLES: readonly Sample[] = [
  { url: regular, file: "synthetic-regular.jpg", label: "Drawn, round glands" },
  { url: irregular, file: "synthetic-irregular.jpg", label: "Drawn, lobed glands" },
  { url: dermis, file: "cmu-1-dermis.jpg", label: "CMU-1, dermis" },
  { url: follicle, file: "cmu-1-hair-follicle.jpg", label: "CMU-1, hair follicle" },
];

export function showSamples(use: (file: File) => void, failed: (message: string) => void): void {
  for (const { url, file, label } of SAMPLES) {
    const button = make("button", "sample");
    button.type = "button";
    const picture = make("img");
    picture.src = url;
    picture.alt = "";
    picture.width = picture.height = 96;
    button.append(picture, make("span", "", label));
    button.addEventListener("click", () => {
      fetch(url)
        .then((response) => (response.ok ? response.blob() : Promise.reject(new Error(String(response.status)))))
        .then((blob) => use(new File([blob], file, { type: "image/jpeg" })))
        .catch(() => failed("The sample could not be loaded. Check the connection and try again."));
    });
    byId("samples").append(button);
  }
}
