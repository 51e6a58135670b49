// Needs display_page.js. Notes which slice a guest's page shows, and when, for some seconds.
(seconds) => new Promise((resolve) => {
  const display = __displayOf(document.querySelector("#view"));
  const log = [];
  const until = performance.now() + 1000 * seconds;
  let last = -1;
  const watch = async () => {
    const at = Date.now();
    const number = await display.shown();
    if (number !== -1 && number !== last) log.push([number, at]);
    if (number !== -1) last = number;
    if (performance.now() < until) requestAnimationFrame(watch);
    else resolve(log);
  };
  watch();
})
