// Runs in the notebook's page: sends input events to the viewer, reads the number that its pixels show.
// It knows nothing of the viewer but that some canvas of it shows the picture.
(() => {
  const BITS = 16, BAND = 8;
  const probe = new OffscreenCanvas(BITS * 4, 8).getContext("2d", { willReadFrequently: true });

  const canvases = (root, found = []) => {
    found.push(...root.querySelectorAll("canvas"));
    for (const e of root.querySelectorAll("*")) if (e.shadowRoot) canvases(e.shadowRoot, found);
    return found;
  };
  const host = document.querySelector("[data-phase]");
  const area = (c) => c.width * c.height;
  const picture = () => canvases(host.shadowRoot ?? host).reduce((a, b) => (area(b) > area(a) ? b : a));
  const canvas = picture();

  const shown = () => {
    probe.drawImage(canvas, 0, 0, canvas.width, canvas.height / BAND, 0, 0, BITS * 4, 8);
    const row = probe.getImageData(0, 4, BITS * 4, 1).data;
    let code = 0;
    for (let i = 0; i < BITS; i++) {
      const at = (i * 4 + 2) * 4;
      code = (code << 1) | (row[at] + row[at + 1] + row[at + 2] > 382 ? 1 : 0);
    }
    const k = code >> 4;
    return ((k ^ (k >> 4) ^ (k >> 8)) & 15) === (code & 15) ? k : -1;
  };

  // Measured once: asking for the layout with every event would be a cost of the instrument.
  const { left, top } = canvas.getBoundingClientRect();
  const wheel = (sign) =>
    canvas.dispatchEvent(
      new WheelEvent("wheel", {
        deltaY: 100 * sign,
        clientX: left + 200,
        clientY: top + 200,
        bubbles: true,
        cancelable: true,
        composed: true,
      }),
    );
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  const until = async (k, limit) => {
    const end = performance.now() + limit;
    while (performance.now() < end) {
      if (shown() === k) return performance.now();
      await frame();
    }
    return null;
  };

  // One notch, then nothing until its slice is on the screen; the pause has a random part, so that
  // events do not fall on one phase of the display.
  const steps = async (n) => {
    const result = { latencies_ms: [], lost: 0 };
    let sign = 1;
    for (let i = 0; i < n; i++) {
      const from = shown();
      if (i % 20 === 19) sign = -sign;
      const start = performance.now();
      wheel(sign);
      const at = await until(from + sign, 5000);
      if (at === null) result.lost++;
      else result.latencies_ms.push(at - start);
      await pause(40 + Math.random() * 60);
    }
    return result;
  };

  // 60 notches a second, whether the picture follows or not. Everything that is displayed is noted.
  const scrub = async (n, sign) => {
    const first = shown();
    const sent = new Map();
    const seen = [];
    let last = first, running = true;
    const start = performance.now();
    const watch = (async () => {
      while (running) {
        const k = shown();
        if (k !== -1 && k !== last) {
          last = k;
          seen.push([k, performance.now()]);
        }
        await frame();
      }
    })();
    for (let i = 1; i <= n; i++) {
      const due = start + (i * 1000) / 60;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      sent.set(first + sign * i, performance.now());
      wheel(sign);
    }
    const end = performance.now();
    const arrived = await until(first + sign * n, 10000);
    running = false;
    await watch;
    const during = seen.filter(([, t]) => t <= end);
    return {
      displayed: during.length,
      duration_ms: end - start,
      lags_ms: during.filter(([k]) => sent.has(k)).map(([k, t]) => t - sent.get(k)),
      settled_ms: arrived === null ? null : arrived - end,
      total_displayed: seen.length,
      longest_gap_ms: Math.max(0, ...during.slice(1).map(([, t], i) => t - during[i][1])),
    };
  };

  globalThis.__latency = { shown, steps, scrub };
  return { width: canvas.width, height: canvas.height, shown: shown() };
})()
