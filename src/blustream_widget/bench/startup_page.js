// Runs the notebook's cell `index` and waits until a viewer below it shows the number of its slice.
// Needs display_page.js.
async ({ index, number, limit_ms }) => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = index;
  const before = new Set(document.querySelectorAll("[data-phase]"));
  const start = performance.now();
  jupyterapp.commands.execute("notebook:run-cell");
  const displays = new Map();
  while (performance.now() - start < limit_ms) {
    for (const host of document.querySelectorAll("[data-phase]")) {
      if (before.has(host)) continue;
      if (!displays.has(host)) displays.set(host, __displayOf(host));
      const display = displays.get(host);
      display.look();
      if ((await display.shown()) === number) return performance.now() - start;
    }
    await new Promise(requestAnimationFrame);
  }
  return null;
}
