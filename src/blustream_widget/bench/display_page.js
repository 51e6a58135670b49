// Reads the number of the slice that a viewer's pixels show; runs in the notebook's page.
// It knows nothing of the viewer but that a canvas or a video of it, the largest that is not hidden,
// shows the picture; a canvas as large as a video lies on it. Reading must not slow down what is measured: of a video, two rows of luma are
// copied (no colours are converted); of a canvas, the band with the code is drawn very small.
(() => {
  const BITS = 16, BAND = 8;
  const probe = new OffscreenCanvas(BITS * 4, 8).getContext("2d", { willReadFrequently: true });

  const surfaces = (root, found = []) => {
    // jupyter_rfb's picture is an image.
    for (const kind of ["canvas", "video", "img.renderview-view"])
      found.push(...root.querySelectorAll(kind));
    for (const e of root.querySelectorAll("*")) if (e.shadowRoot) surfaces(e.shadowRoot, found);
    return found;
  };
  const isVideo = (e) => e.tagName === "VIDEO";
  const sizeOf = (e) => {
    if (isVideo(e)) return [e.videoWidth, e.videoHeight];
    return e.tagName === "IMG" ? [e.naturalWidth, e.naturalHeight] : [e.width, e.height];
  };
  const area = (e) => sizeOf(e)[0] * sizeOf(e)[1];
  // Asks for styles only, which the page has computed for its own drawing already.
  const isSeen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // A smaller picture may be on the canvas that lies on a video.
  const isCovered = (e) =>
    isVideo(e) && e.nextElementSibling?.tagName === "CANVAS" && isSeen(e.nextElementSibling);

  const number = (isLight) => {
    let code = 0;
    for (let i = 0; i < BITS; i++) code = (code << 1) | (isLight(i) ? 1 : 0);
    const k = code >> 4;
    return ((k ^ (k >> 4) ^ (k >> 8)) & 15) === (code & 15) ? k : -1;
  };

  // An image that is being replaced draws nothing, and the number of the one before stays.
  const fromCanvas = (canvas) => {
    const [width, height] = sizeOf(canvas);
    probe.drawImage(canvas, 0, 0, width, height / BAND, 0, 0, BITS * 4, 8);
    const row = probe.getImageData(0, 4, BITS * 4, 1).data;
    return number((i) => {
      const at = (i * 4 + 2) * 4;
      return row[at] + row[at + 1] + row[at + 2] > 382;
    });
  };

  const fromVideo = async (video) => {
    let frame;
    try {
      frame = new VideoFrame(video, { timestamp: 0 }); // what the display has now, not a copy of it
    } catch {
      return -1; // no picture has come yet
    }
    try {
      const { width, height } = frame.codedRect;
      const rect = { x: 0, y: (height / BAND / 2) & ~1, width: width & ~1, height: 2 };
      const luma = new Uint8Array(frame.allocationSize({ rect }));
      const [{ offset }] = await frame.copyTo(luma, { rect });
      const step = frame.format?.startsWith("I420") || frame.format === "NV12" ? 1 : 4;
      return number((i) => {
        const x = Math.floor(((2 * i + 1) * width) / (2 * BITS));
        return luma[offset + x * step + (step === 4 ? 1 : 0)] > 127;
      });
    } finally {
      frame.close();
    }
  };

  class Display {
    constructor(host) {
      this.host = host;
      this.all = surfaces(host.shadowRoot ?? host);
    }

    // Elements come and go while a viewer opens; in a measurement the list stays.
    look() {
      this.all = surfaces(this.host.shadowRoot ?? this.host);
    }

    get surface() {
      const seen = this.all.filter((e) => area(e) > 0 && isSeen(e) && !isCovered(e));
      return seen.reduce((a, b) => (a && area(a) >= area(b) ? a : b), null);
    }

    // Promise of the number that is shown at the moment of the call; -1: none, or a damaged one.
    async shown() {
      const surface = this.surface;
      if (!surface) return -1;
      return isVideo(surface) ? fromVideo(surface) : fromCanvas(surface);
    }

    get kind() {
      const surface = this.surface;
      return surface ? surface.tagName.toLowerCase() : "";
    }

    get size() {
      const surface = this.surface;
      return surface ? sizeOf(surface) : [0, 0];
    }
  }

  globalThis.__displayOf = (host) => new Display(host);
})()
