/** The shown step of a series: by hand, and played like a film. */
import type { VolumeInfo } from "../protocol";
import type { Session } from "../session";
import { timeAt } from "../time";
import type { Actions } from "./actions";
import { withUnit } from "./axes";
import { Cine, type CineClock } from "./cine";
import { clamp, decimalsOf, fixed } from "./format";

/** "25.0 s", or the step's name; "" where the volume has no time axis. */
export function timeText({ time }: VolumeInfo, idx: number): string {
  if (!time) return "";
  const at = timeAt(time, idx);
  const numbers = time.values.length > 0 ? [at] : [time.first, time.step];
  const decimals = Math.max(...numbers.map((number) => decimalsOf(number)));
  return time.names[idx] ?? withUnit(fixed(at, decimals), time.unit);
}

/** "Time", "Frequency": what the steps differ in. */
export function timeTitle({ time }: VolumeInfo): string {
  const name = time?.name ?? "time";
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The same for a pane's corner: a bare number says what it is. */
export function shortTime(info: VolumeInfo, idx: number): string {
  const isBare = !info.time?.unit && !info.time?.names.length;
  return isBare ? `${timeTitle(info)} ${timeText(info, idx)}` : timeText(info, idx);
}

/** "Time 25.0 s, step 12 of 300" for screen readers. */
export function stepText(info: VolumeInfo, idx: number): string {
  return `${timeTitle(info)} ${timeText(info, idx)}, step ${idx + 1} of ${info.time?.n ?? 1}`;
}

export class TimePlay {
  readonly cine: Cine;

  constructor(
    private readonly session: Session,
    private readonly actions: Actions,
    clock: CineClock,
    changed: () => void,
  ) {
    this.cine = new Cine(
      clock,
      { current: () => this.idx, count: () => this.count },
      (idx) => this.show(idx),
      changed,
    );
  }

  /** Steps of the series; 1 of a volume without a time axis, for which nothing is offered. */
  get count(): number {
    return this.session.info?.time?.n ?? 1;
  }

  get idx(): number {
    return this.session.state.time_idx;
  }

  /** Go on by hand: a film stops for it. */
  step(by: number): void {
    this.goTo(this.idx + by);
  }

  goTo(idx: number): void {
    this.cine.stop();
    this.show(idx);
  }

  private show(idx: number): void {
    const time_idx = clamp(Math.round(idx), 0, this.count - 1);
    if (time_idx !== this.idx) this.actions.patch({ time_idx });
  }
}
