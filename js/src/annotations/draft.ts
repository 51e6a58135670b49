/** An annotation while it is being drawn: a state machine of presses, moves and keys. */
import type { Point } from "../geometry";
import type { ToolFacts } from "./catalogue";
import { distance, simplify, toEighth, toSquare } from "./planar";
import type { Section } from "./section";
import { isCornered } from "./shape";
import type { Annotation, Point3 } from "./types";

/** Movement below this is a click. */
export const CLICK_PX = 4;
const DOUBLE_MS = 400;
/** Clicking this near the first vertex closes a polygon. */
const CLOSE_PX = 10;
const STROKE_STEP_PX = 2;
/** A stroke may differ by this much from what the hand drew. */
const STROKE_TOLERANCE_PX = 0.6;
const STROKE_MOST = 2000;
const COBB_HALF = 2;

/** A place that the hand points at. */
export interface Pointed {
  readonly at: Point;
  readonly section: Section;
  /** Shift: 45 degrees, squares. */
  readonly straight: boolean;
  readonly time: number;
}

/** "drawing": more is needed; "done": take `points`; "empty": nothing is left. */
export type Progress = "drawing" | "done" | "empty";

export class Draft {
  readonly points: Point3[] = [];
  /** Where the next vertex would be. */
  hover: Point3 | null = null;
  readonly axis: number | null;
  private readonly slice: number;
  private pressedAt: Point | null = null;
  private placedByPress = false;
  private lastClick: { at: Point; time: number } | null = null;

  constructor(
    readonly facts: ToolFacts,
    /** Where it was begun. */
    readonly section: Section,
    private readonly clamp: (point: Point3) => Point3,
  ) {
    this.axis = section.axis;
    this.slice = section.slice;
  }

  /** May it be gone on with on this section? */
  mayGoOn(section: Section): boolean {
    const isHere =
      this.axis === null ? section.sameSlice(this.section) : section.axis === this.axis;
    if (this.facts.series) return isHere && section.slice === this.slice;
    return isHere || this.facts.free === true;
  }

  /** What is drawn so far, with the vertex under the pointer. */
  get shown(): readonly Point3[] {
    return this.hover ? [...this.points, this.hover] : this.points;
  }

  get isOpenEnded(): boolean {
    return this.facts.max > 4 && !this.facts.stroke;
  }

  get canFinish(): boolean {
    return this.points.length >= this.facts.min;
  }

  press(pointed: Pointed): Progress {
    this.pressedAt = pointed.at;
    const beginsLine = this.facts.kind === "cobb" && this.points.length === COBB_HALF;
    this.placedByPress = this.points.length === 0 || beginsLine;
    if (this.placedByPress) this.points.push(this.placeOf(pointed));
    this.hover = null;
    return "drawing";
  }

  move(pointed: Pointed): void {
    if (this.facts.stroke && this.pressedAt) {
      this.follow(pointed);
      return;
    }
    this.hover = this.points.length > 0 ? this.placeOf(pointed) : null;
  }

  release(pointed: Pointed): Progress {
    const from = this.pressedAt;
    this.pressedAt = null;
    if (!from) return "drawing";
    if (this.facts.stroke) return this.endStroke(pointed.section);
    if (this.facts.max === 1) {
      this.points[0] = this.placeOf(pointed);
      return "done";
    }
    const moved = distance(from, pointed.at) >= CLICK_PX;
    if (this.placedByPress && !moved) {
      this.hover = null;
      this.lastClick = { at: pointed.at, time: pointed.time };
      return this.full;
    }
    if (!moved && this.ends(pointed)) return this.finish();
    this.lastClick = moved ? null : { at: pointed.at, time: pointed.time };
    this.points.push(this.placeOf(pointed));
    this.hover = null;
    return this.full;
  }

  /** The keyboard's vertex: Enter on a place that has one already ends the shape. */
  enter(pointed: Pointed): Progress {
    const last = this.points.at(-1);
    const isSame = last && distance(pointed.section.toPixel(last), pointed.at) < 1;
    if (isSame) return this.canFinish ? this.finish() : "drawing";
    this.points.push(this.placeOf(pointed));
    this.hover = null;
    return this.full;
  }

  /** Take the last vertex back. */
  back(): Progress {
    if (this.facts.stroke) this.points.length = 0;
    this.points.pop();
    this.pressedAt = null;
    this.hover = null;
    return this.points.length > 0 ? "drawing" : "empty";
  }

  /** The press is gone, by a second finger: what it placed is taken back, and no more. */
  abort(): Progress {
    if (this.pressedAt && this.placedByPress) return this.back();
    this.pressedAt = null;
    this.hover = null;
    return "drawing";
  }

  finish(): Progress {
    this.hover = null;
    return this.canFinish ? "done" : "drawing";
  }

  private get full(): Progress {
    return this.points.length >= this.facts.max ? "done" : "drawing";
  }

  /** A second click in one place, or a click on the first vertex of a ring. */
  private ends({ at, section, time }: Pointed): boolean {
    if (!this.isOpenEnded || !this.canFinish) return false;
    const last = this.lastClick;
    if (last && time - last.time < DOUBLE_MS && distance(last.at, at) <= CLICK_PX) return true;
    const [first] = this.points;
    return (
      this.facts.closed === true &&
      first !== undefined &&
      distance(section.toPixel(first), at) <= CLOSE_PX
    );
  }

  private placeOf({ at, section, straight }: Pointed): Point3 {
    const previous = this.points.at(-1);
    let to = at;
    const isFirstOfPair = this.facts.kind === "cobb" && this.points.length === COBB_HALF;
    if (straight && previous && !isFirstOfPair) {
      const from = section.toPixel(previous);
      to = isCornered({ kind: this.facts.kind ?? "line" })
        ? toSquare(from, at)
        : toEighth(from, at);
    }
    // The slice that the shape was begun on: it stays flat when the wheel turns meanwhile.
    const across = this.facts.free ? section.slice : this.slice;
    return this.clamp(section.lift(section.toPlane(to), across));
  }

  private follow(pointed: Pointed): void {
    const last = this.points.at(-1);
    const next = this.placeOf({ ...pointed, straight: false });
    if (!last || this.points.length >= STROKE_MOST) return;
    const step = distance(pointed.section.toPixel(last), pointed.section.toPixel(next));
    if (step >= STROKE_STEP_PX) this.points.push(next);
  }

  private endStroke(section: Section): Progress {
    const chain = this.points.map((point) => section.toPixel(point));
    const kept = simplify(chain, STROKE_TOLERANCE_PX).map((i) => this.points[i]);
    this.points.splice(0, this.points.length, ...kept.filter((point) => point !== undefined));
    return this.canFinish ? "done" : "empty";
  }
}

/** Nothing to see: a line or a box without size. */
export function isPoint(points: readonly Point3[]): boolean {
  const [first] = points;
  return (
    points.length > 1 &&
    points.every((point) => point.every((v, i) => Math.abs(v - (first?.[i] ?? 0)) < 1e-3))
  );
}

/** A shape with an area on its own section needs both sides. */
export function isThin(points: readonly Point3[], axis: number | null): boolean {
  const [a, c] = points;
  if (!a || !c) return true;
  return [0, 1, 2].some((i) => i !== axis && Math.abs((a[i] ?? 0) - (c[i] ?? 0)) < 1e-3);
}

export interface Style {
  readonly color: string;
  readonly width: number;
}

/** A new annotation. */
export function newItem(
  facts: ToolFacts,
  points: readonly Point3[],
  axis: number | null,
  style: Style,
  id: string,
): Annotation {
  return {
    id,
    kind: facts.kind ?? "point",
    points,
    axis,
    label: "",
    text: "",
    ...style,
    visible: true,
    locked: false,
    closed: facts.kind === "freehand" && facts.closed === true,
    group: "",
    grid: "",
    author: "",
    created_ms: 0,
    modified_ms: 0,
  };
}
