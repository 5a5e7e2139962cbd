import OpenSeadragon from "openseadragon";

/** A place in an image, in its pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** What a view shows: CSS pixels an image pixel fills, the middle as shares of the image, degrees. */
export interface Look {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
  readonly rotation: number;
}

/** From image pixels to CSS pixels of the stage, as `CanvasRenderingContext2D.setTransform` takes it. */
export type Transform = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** CSS pixels that an image pixel may fill at most. */
const CLOSEST = 40;
/** Milliseconds after which a tile counts as failed: of a slide without small levels all of it is read first. */
const PATIENCE = 3_600_000;
/** Share of the view that an arrow key moves it by. */
const STEP = 0.125;
const ZOOM = 1.3;

/** Zoom, pan, pinch and rotation of a picture: OpenSeadragon without its buttons. */
export class Scope {
  protected readonly viewer: OpenSeadragon.Viewer;
  private size: { width: number; height: number } | undefined;

  /**
   * In an element, which shows the whole of it in `navigator` where there is one. `moved` is told whenever what is seen
   * changes.
   */
  constructor(
    private readonly element: HTMLElement,
    navigator: HTMLElement | null,
    private readonly moved: () => void,
  ) {
    keepStyleOut();
    // the navigator, a viewer of its own, takes none of these options
    OpenSeadragon.DEFAULT_SETTINGS.timeout = PATIENCE;
    this.viewer = new OpenSeadragon.Viewer({
      element,
      drawer: "canvas",
      showNavigationControl: false,
      showNavigator: navigator !== null,
      ...(navigator ? { navigatorElement: navigator } : {}),
      navigatorAutoFade: false,
      navigatorRotate: false,
      navigatorBackground: "transparent",
      navigatorDisplayRegionColor: "#e8590c",
      navigatorBorderColor: "transparent",
      keyboardNavEnabled: false,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      gestureSettingsTouch: { pinchRotate: true, flickEnabled: false },
      gestureSettingsPen: { clickToZoom: false },
      maxZoomPixelRatio: CLOSEST,
      minZoomImageRatio: 0.1,
      visibilityRatio: 0.5,
      zoomPerScroll: ZOOM,
      animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.3,
      // the library would blend neighbouring tiles in a way that moves pixels
      smoothTileEdgesMinZoom: Infinity,
    });
    this.viewer.addHandler("update-viewport", () => {
      this.smooth();
      this.moved();
    });
  }

  /** Names what takes the focus, for screen readers. */
  describe(id: string, labelledBy: string, describedBy = "view-keys"): void {
    const { canvas } = this;
    canvas.id = id;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-roledescription", "image with its mask");
    canvas.setAttribute("aria-labelledby", labelledBy);
    canvas.setAttribute("aria-describedby", describedBy);
  }

  /** What takes the focus and the pointer. */
  get canvas(): HTMLElement {
    return this.viewer.canvas as HTMLElement;
  }

  /** Shows a picture; the view stays where it is if the last one was of the same size. */
  open(source: OpenSeadragon.TileSource): void {
    const { x: width, y: height } = source.dimensions;
    const same = this.size?.width === width && this.size.height === height;
    const bounds = same ? this.viewer.viewport.getBounds() : undefined;
    const rotation = same ? this.viewer.viewport.getRotation() : 0;
    this.size = { width, height };
    this.viewer.addOnceHandler("open", () => {
      const { viewport } = this.viewer;
      // the stage had no size before there was an image
      this.resize();
      viewport.setRotation(rotation, true);
      if (bounds) viewport.fitBounds(bounds, true);
      else viewport.goHome(true);
      this.viewer.navigator?.updateSize();
    });
    this.viewer.open({ tileSource: source });
  }

  /** Fits the whole image into an element that is about to have another size. */
  refit(): void {
    if (!this.isOpen) return;
    // the library restores the zoom when it has told of the size
    this.viewer.addOnceHandler("after-resize", () => queueMicrotask(() => this.viewer.viewport.goHome(true)));
  }

  close(): void {
    this.size = undefined;
    this.viewer.close();
  }

  /** Whether a picture is open. */
  get isOpen(): boolean {
    return this.image !== undefined && this.size !== undefined;
  }

  /** Draws again. */
  redraw(): void {
    this.viewer.forceRedraw();
  }

  transform(): Transform | undefined {
    const { image, size } = this;
    if (!image || !size) return undefined;
    const at = (x: number, y: number) => image.imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y));
    const [origin, right, down] = [at(0, 0), at(size.width, 0), at(0, size.height)];
    return [
      (right.x - origin.x) / size.width,
      (right.y - origin.y) / size.width,
      (down.x - origin.x) / size.height,
      (down.y - origin.y) / size.height,
      origin.x,
      origin.y,
    ];
  }

  /** CSS pixels that an image pixel fills. */
  get scale(): number {
    const transform = this.transform();
    return transform ? Math.hypot(transform[0], transform[1]) : 1;
  }

  /** The place of the image at a place of the window, also beside the image. */
  placeAt(clientX: number, clientY: number): Place | null {
    const box = this.element.getBoundingClientRect();
    const at = new OpenSeadragon.Point(clientX - box.left, clientY - box.top);
    return this.image?.viewerElementToImageCoordinates(at) ?? null;
  }

  /** The image pixel at a place of the window; null beside the image. */
  pixelAt(clientX: number, clientY: number): Place | null {
    const { size } = this;
    const at = this.placeAt(clientX, clientY);
    if (!at || !size) return null;
    const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
    return x >= 0 && y >= 0 && x < size.width && y < size.height ? { x, y } : null;
  }

  /** The image pixel in the middle of the view. */
  middle(): Place | null {
    const box = this.element.getBoundingClientRect();
    return this.pixelAt(box.left + box.width / 2, box.top + box.height / 2);
  }

  zoom(direction: 1 | -1): void {
    this.viewer.viewport.zoomBy(ZOOM ** direction);
    this.settle();
  }

  /** The whole image. */
  fit(): void {
    this.viewer.viewport.goHome();
  }

  /** One image pixel a pixel of the screen. */
  actual(): void {
    if (!this.image) return;
    this.viewer.viewport.zoomTo(this.image.imageToViewportZoom(1 / devicePixelRatio));
    this.settle();
  }

  rotate(degrees: number): void {
    this.viewer.viewport.setRotation(this.viewer.viewport.getRotation() + degrees);
  }

  /** Moves the view, by a part of itself or by image pixels. */
  pan(x: number, y: number, byPixels: boolean): void {
    const { viewport } = this.viewer;
    const bounds = viewport.getBoundsNoRotate();
    const step = byPixels ? 1 / (this.size?.width ?? 1) : STEP * Math.min(bounds.width, bounds.height);
    const delta = new OpenSeadragon.Point(x * step, y * step).rotate(-viewport.getRotation());
    viewport.panBy(delta, byPixels);
    this.settle();
  }

  /** Shows a place of the image, in its pixels, in the middle. */
  centre(x: number, y: number): void {
    if (this.image) this.viewer.viewport.panTo(this.image.imageToViewportCoordinates(new OpenSeadragon.Point(x, y)));
  }

  /** Whether a part of the image is out of view. */
  get isCloseUp(): boolean {
    const { viewport } = this.viewer;
    return this.isOpen && viewport.getZoom(true) > viewport.getHomeZoom() * 1.02;
  }

  /** What is on its way to be seen; undefined without a picture. */
  get look(): Look | undefined {
    const { image, size, viewer } = this;
    if (!image || !size) return undefined;
    const centre = image.viewportToImageCoordinates(viewer.viewport.getCenter(true));
    return {
      scale: this.scale,
      x: centre.x / size.width,
      y: centre.y / size.height,
      rotation: viewer.viewport.getRotation(true),
    };
  }

  /** Shows the same as another view, at once. */
  follow(look: Look): void {
    const { image, size, viewer } = this;
    const mine = this.look;
    if (!image || !size || !mine) return;
    const apart = Math.max(
      Math.abs(look.scale / mine.scale - 1),
      Math.abs(look.x - mine.x),
      Math.abs(look.y - mine.y),
      Math.abs(look.rotation - mine.rotation),
    );
    // as close as rounding gets
    if (apart < 1e-6) return;
    const centre = new OpenSeadragon.Point(look.x * size.width, look.y * size.height);
    viewer.viewport.setRotation(look.rotation, true);
    viewer.viewport.zoomTo(image.imageToViewportZoom(look.scale), undefined, true);
    viewer.viewport.panTo(image.imageToViewportCoordinates(centre), true);
    viewer.forceRedraw();
  }

  private get image(): OpenSeadragon.TiledImage | undefined {
    return this.viewer.world.getItemCount() > 0 ? this.viewer.world.getItemAt(0) : undefined;
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.element;
    this.viewer.viewport.resize(new OpenSeadragon.Point(clientWidth, clientHeight));
  }

  private settle(): void {
    this.viewer.viewport.applyConstraints();
  }

  /** Pixels show as squares where they are large, so that a value can be told from its neighbour's. */
  private smooth(): void {
    const smooth = this.scale * devicePixelRatio < 2;
    const drawer = this.viewer.drawer as OpenSeadragon.CanvasDrawer & { _imageSmoothingEnabled?: boolean };
    if (drawer._imageSmoothingEnabled !== smooth) drawer.setImageSmoothingEnabled(smooth);
  }
}

/** The library adds a style element, which the policy refuses, unless there is one: this one styles nothing. */
function keepStyleOut(): void {
  if (document.querySelector("[data-openseadragon-mobile-css]")) return;
  const stand = document.createElementNS("histomask", "style");
  stand.setAttribute("data-openseadragon-mobile-css", "true");
  document.head.append(stand);
}
