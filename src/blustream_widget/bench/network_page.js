// Needs latency_page.js. Keeps scrolling through an outage, and notes what was asked and shown when.
(async () => {
  const log = { asked: [], shown: [] };
  let running = true;

  let last = -1;
  const watch = async () => {
    const at = Date.now();
    const k = await __latency.shown();
    if (k !== -1 && k !== last) log.shown.push([k, at]);
    if (k !== -1) last = k;
    if (running) requestAnimationFrame(watch);
  };
  // Up and down between two slices, 60 notches a second.
  const first = await __latency.shown();
  let at = first, sign = 1;
  const timer = setInterval(() => {
    if (at >= first + 100) sign = -1;
    else if (at <= first) sign = 1;
    at += sign;
    log.asked.push([at, Date.now()]);
    __latency.wheel(sign);
  }, 1000 / 60);
  watch();
  globalThis.__network = {
    stop: () => {
      running = false;
      clearInterval(timer);
      return log;
    },
  };
})()
