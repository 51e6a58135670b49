/** The fourth axis: when its steps are, and what they are called. See `core/time_axis.py`. */
import type { TimeAxis } from "./protocol";

/** Time of a step, in the axis's unit; 0 where there is no such axis. */
export function timeAt(axis: TimeAxis | null, idx: number): number {
  if (!axis) return 0;
  return axis.values[idx] ?? axis.first + idx * axis.step;
}

/** Step whose time is nearest; of two equally near, the earlier one. */
export function nearestStep(axis: TimeAxis, time: number): number {
  const last = axis.n - 1;
  if (axis.values.length === 0) {
    return Math.min(Math.max(Math.ceil((time - axis.first) / axis.step - 0.5), 0), last);
  }
  const after = axis.values.findIndex((value) => value >= time);
  if (after < 0) return last;
  const before = Math.max(after - 1, 0);
  return time - timeAt(axis, before) <= timeAt(axis, after) - time ? before : after;
}
