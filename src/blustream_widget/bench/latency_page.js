// Sends input events to the viewer and notes when its display shows what they asked for.
// Needs display_page.js. The display is looked at once per animation frame: what is in the element
// then is what this refresh draws. So 16.7 ms is the resolution, and a picture that a `<video>` got
// in between counts from the next refresh on.
(() => {
  const host = document.querySelector("[data-phase]");
  const display = __displayOf(host);
  const view = display.surface;

  // Measured once: asking for the layout with every event would be a cost of the instrument.
  const { left, top } = view.getBoundingClientRect();
  const wheel = (sign) =>
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
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  // Calls `see(number, now_ms, refresh_ms)` for each refresh until it returns true, or for `limit`.
  // Reading a video takes a moment; the next refresh is looked at all the same.
  const watch = (see, limit) =>
    new Promise((resolve) => {
      const end = performance.now() + limit;
      let isOver = false;
      let before = Promise.resolve();
      const finish = (value) => {
        isOver = true;
        resolve(value);
      };
      const look = (refresh) => {
        if (isOver) return;
        const now = performance.now();
        const reading = display.shown();
        before = before.then(async () => {
          const k = await reading;
          if (isOver) return;
          if (see(k, now, refresh)) finish(now);
          else if (now > end) finish(null);
        });
        requestAnimationFrame(look);
      };
      look(performance.now());
    });
  const until = (k, limit) => watch((seen) => seen === k, limit);

  // One notch, then nothing until its slice is on the screen; the pause has a random part, so that
  // events do not fall on one phase of the display.
  const steps = async (n, { limit = 5000, pause_ms = 40, sign = 1 } = {}) => {
    const result = { latencies_ms: [], lost: 0 };
    for (let i = 0; i < n && result.lost < 8; i++) {
      const from = await display.shown();
      if (i % 20 === 19) sign = -sign;
      const start = performance.now();
      wheel(sign);
      const at = await until(from + sign, limit);
      if (at === null) result.lost++;
      else result.latencies_ms.push(at - start);
      await pause(pause_ms + Math.random() * 60);
    }
    return result;
  };

  // 60 notches a second, whether the picture follows or not. Everything that is displayed is noted.
  const scrub = async (n, sign) => {
    const first = await display.shown();
    const sent = new Map();
    const seen = [];
    let last = first, running = true;
    const start = performance.now();
    const watching = watch((k, now, refresh) => {
      if (k !== -1 && k !== last) {
        last = k;
        seen.push({ k, now, refresh });
      }
      return !running;
    }, 60_000);
    for (let i = 1; i <= n; i++) {
      const due = start + (i * 1000) / 60;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      sent.set(first + sign * i, performance.now());
      wheel(sign);
    }
    const end = performance.now();
    const arrived = await until(first + sign * n, 10_000);
    running = false;
    await watching;
    const during = seen.filter(({ now }) => now <= end);
    const gaps = during.slice(1).map(({ refresh }, i) => refresh - during[i].refresh);
    return {
      displayed: during.length,
      duration_ms: end - start,
      lags_ms: during.filter(({ k }) => sent.has(k)).map(({ k, now }) => now - sent.get(k)),
      gaps_ms: gaps,
      settled_ms: arrived === null ? null : arrived - end,
      total_displayed: seen.length,
      longest_gap_ms: Math.max(0, ...gaps),
    };
  };

  globalThis.__latency = { shown: () => display.shown(), wheel, steps, scrub, display };
  return { size: display.size };
})()
