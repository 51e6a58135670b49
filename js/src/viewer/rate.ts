/** Holds back work that may not be done for every frame; the last request is always served. */

export class RateLimit {
  private readyAt = Number.NEGATIVE_INFINITY;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param apartMs least time between two runs; 0 = every request runs at once */
  constructor(
    private readonly apartMs: number,
    private readonly run: () => void,
  ) {}

  /** Run now, or as soon as the last run is `apartMs` ago. */
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
    this.readyAt = performance.now() + this.apartMs;
    this.run();
  }
}
