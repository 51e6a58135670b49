/**
 * Holds back work that may not be done for every frame; the last request is always served.
 *
 * All limits of one length end at the same moments: what several parts do, they do in one refresh, and
 * the page is laid out once for them.
 */

export class RateLimit {
  private readyAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param apartMs between two runs, on average at least; 0 = every request runs at once */
  constructor(
    private readonly apartMs: number,
    private readonly run: () => void,
  ) {}

  /** Run now, or at the first of those moments that is at least half of `apartMs` after the last run. */
  request(): void {
    if (this.timer !== undefined) return; // what comes will see the newest
    const wait = this.readyAt - performance.now();
    if (wait <= 0) this.start();
    else {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.start();
      }, wait);
    }
  }

  /** Nothing runs any more until the next request. */
  cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private start(): void {
    this.readyAt = this.after(performance.now());
    this.run();
  }

  private after(now: number): number {
    const { apartMs } = this;
    return apartMs > 0 ? Math.ceil((now + apartMs / 2) / apartMs) * apartMs : now;
  }
}
