// Runs after latency_page.js: keeps scrolling through an outage, and notes what was asked and shown when.
(async () => {
  const find = (root, selector) => {
    const found = root.querySelector(selector);
    if (found) return found;
    for (const e of root.querySelectorAll("*")) {
      const inner = e.shadowRoot && find(e.shadowRoot, selector);
      if (inner) return inner;
    }
    return null;
  };
  const view = find(document, "[part=view]");
  const wheel = (sign) => {
    const { left, top } = view.getBoundingClientRect();
    view.dispatchEvent(
      new WheelEvent("wheel", {
        deltaY: 100 * sign,
        clientX: left + 200,
        clientY: top + 200,
        bubbles: true,
        cancelable: true,
        composed: true,
      }),
    );
  };
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
    wheel(sign);
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
