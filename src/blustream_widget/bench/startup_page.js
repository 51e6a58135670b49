// Runs the notebook's cell `index` and waits until a viewer below it shows the number of its slice.
async ({ index, number, limit_ms }) => {
  const BITS = 16, BAND = 8;
  const probe = new OffscreenCanvas(BITS * 4, 8).getContext("2d", { willReadFrequently: true });
  const canvases = (root, found = []) => {
    found.push(...root.querySelectorAll("canvas"));
    for (const e of root.querySelectorAll("*")) if (e.shadowRoot) canvases(e.shadowRoot, found);
    return found;
  };
  const shown = (canvas) => {
    if (!canvas.width || !canvas.height) return -1;
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
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  const before = new Set(document.querySelectorAll("[data-phase]"));
  const start = performance.now();
  jupyterapp.commands.execute("notebook:run-cell");
  while (performance.now() - start < limit_ms) {
    for (const host of document.querySelectorAll("[data-phase]")) {
      if (before.has(host)) continue;
      if (canvases(host).some((canvas) => shown(canvas) === number)) return performance.now() - start;
    }
    await new Promise(requestAnimationFrame);
  }
  return null;
}
