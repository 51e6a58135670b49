/**
 * The canvas of a pane with the annotations that nobody has in hand.
 *
 * A few are painted at once. Many take a processor hundreds of milliseconds: while zoom and pan go on,
 * the painted canvas is moved; when they rest, another one is painted a slice a refresh, one pane of the
 * page at a time, and takes its place when it is whole. What comes meanwhile is never waited for.
 */
import type { Section } from "./section";
import type { Annotation } from "./types";

/** More than this, in annotations and vertices, is not painted sixty times a second. */
const HEAVY = 1200;
const REST_MS = 90;

export interface StillHost {
  readonly size: { readonly width: number; readonly height: number; readonly pixelRatio: number };
  /** What is to be seen of a slice now, in the order of painting. */
  itemsOn(section: Section): readonly Annotation[];
  /** What lies below all lines. */
  begin(brush: CanvasRenderingContext2D, items: readonly Annotation[], section: Section): void;
  paint(brush: CanvasRenderingContext2D, item: Annotation, section: Section): void;
  /** What lies above all lines: labels. */
  finish(brush: CanvasRenderingContext2D, items: readonly Annotation[], section: Section): void;
  /** Put this canvas on the page; null: none, there is nothing to see. */
  put(canvas: HTMLCanvasElement | null): void;
}

/** What a pane shows. */
interface Wanted {
  readonly section: Section;
  /** What is seen at once when it changes. */
  readonly key: string;
  /** What may be seen a moment later. */
  readonly later: number;
}

interface Painting extends Wanted {
  readonly brush: CanvasRenderingContext2D;
  readonly items: readonly Annotation[];
  readonly cost: number;
}

export class StillCanvas {
  /** What the page shows. */
  private painted: Painting | null = null;
  /** Painted up to one of its items. */
  private next: (Painting & { from: number }) | null = null;
  private wanted: Wanted | null = null;
  /** What `next` is, or will be, painted for. */
  private awaited: Section | null = null;
  private rest: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly host: StillHost,
    signal: AbortSignal,
  ) {
    signal.addEventListener("abort", () => this.drop(), { once: true });
  }

  get canvas(): HTMLCanvasElement | null {
    return this.painted && this.painted.items.length > 0 ? this.painted.brush.canvas : null;
  }

  /** Nothing is shown; what is shown next is painted at once. */
  clear(): void {
    this.drop();
    if (this.painted) this.host.put(null);
    this.painted = null;
  }

  /** Paint all anew, at once. */
  repaint(): void {
    if (this.wanted) this.paintAtOnce(this.wanted);
  }

  /** Show a slice; where much is in sight, a change of `later` is seen when the slice rests. */
  show(wanted: Wanted): void {
    this.wanted = wanted;
    const { section, key, later } = wanted;
    const { painted } = this;
    const isSame = painted?.later === later && section.same(painted.section);
    if (painted?.key !== key) this.paintAtOnce(wanted);
    else if (painted.cost <= HEAVY && !isSame) this.paintAtOnce(wanted);
    else {
      lay(painted, section);
      if (isSame) this.drop();
      else if (!section.same(this.awaited)) this.wait(section);
    }
  }

  private wait(section: Section): void {
    this.drop();
    this.awaited = section;
    this.rest = setTimeout(() => this.begin(), REST_MS);
  }

  private paintAtOnce(wanted: Wanted): void {
    this.drop();
    const painting = this.plan(wanted, this.painted?.brush ?? makeBrush());
    const { brush, items, section } = painting;
    if (items.length > 0) {
      this.host.begin(brush, items, section);
      for (const item of items) this.host.paint(brush, item, section);
    }
    this.painted = painting;
    this.host.finish(brush, items, section);
    this.host.put(this.canvas);
  }

  /** A clean canvas for what is in sight; a scroll through slices without any costs nothing. */
  private plan(wanted: Wanted, brush: CanvasRenderingContext2D): Painting {
    const items = this.host.itemsOn(wanted.section);
    if (items.length > 0) this.prepare(brush);
    return { ...wanted, brush, items, cost: items.reduce((n, item) => n + costOf(item), 0) };
  }

  private begin(): void {
    if (!this.wanted) return;
    this.next = { ...this.plan(this.wanted, makeBrush()), from: 0 };
    this.host.begin(this.next.brush, this.next.items, this.next.section);
    queue.add(this);
  }

  /** Paint about as much as costs `budget`; false: it is whole, or not wanted any more. */
  paintSlice(budget: number): boolean {
    const { next, wanted } = this;
    if (!next || !wanted) return false;
    const { items, brush, section } = next;
    for (let spent = 0; next.from < items.length && spent < budget; next.from++) {
      const item = items[next.from] as Annotation;
      this.host.paint(brush, item, section);
      spent += costOf(item);
    }
    if (next.from < items.length) return true;
    this.painted = next;
    this.next = this.awaited = null;
    this.host.finish(brush, items, section);
    this.host.put(this.canvas);
    if (wanted.later !== next.later) this.wait(section); // it came while this was painted
    return false;
  }

  /** What waits or is half painted is not wanted any more. */
  private drop(): void {
    clearTimeout(this.rest);
    this.next = this.awaited = null;
    queue.remove(this);
  }

  private prepare(brush: CanvasRenderingContext2D): void {
    const { width, height, pixelRatio } = this.host.size;
    const { canvas } = brush;
    fitCanvas(canvas, width, height, pixelRatio);
    brush.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
    brush.clearRect(0, 0, width + 1, height + 1);
    setStyle(canvas, "transform", "none");
    setStyle(canvas, "visibility", "");
  }
}

/** Lay what is painted where the slice has gone. */
function lay({ brush: { canvas }, section: from }: Painting, to: Section): void {
  // What lies on another slice may not be seen on this one, not for a moment.
  const isHere = from.sameSlice(to);
  setStyle(canvas, "visibility", isHere ? "" : "hidden");
  if (!isHere) return;
  const [x, y] = [to.scaleX / from.scaleX, to.scaleY / from.scaleY];
  const dx = to.offsetX - from.offsetX * x;
  const dy = to.offsetY - from.offsetY * y;
  const isMoved = !to.same(from);
  setStyle(canvas, "transform", isMoved ? `translate(${dx}px, ${dy}px) scale(${x}, ${y})` : "none");
}

/** The canvases of the page that are being painted: one slice of one of them a refresh. */
class Queue {
  private readonly waiting = new Set<StillCanvas>();
  private isRunning = false;
  /** Of a slice; follows what this machine paints in a refresh. */
  private budget = 300;

  add(still: StillCanvas): void {
    this.waiting.add(still);
    if (this.isRunning) return;
    this.isRunning = true;
    requestAnimationFrame(() => this.step());
  }

  remove(still: StillCanvas): void {
    this.waiting.delete(still);
  }

  private step(): void {
    const [first] = this.waiting;
    this.isRunning = first !== undefined;
    if (!first) return;
    const from = performance.now();
    if (!first.paintSlice(this.budget)) this.waiting.delete(first);
    // What the browser puts off until it shows the page is seen in when the next refresh begins.
    requestAnimationFrame(() => {
      const took = performance.now() - from;
      if (took > LONG_MS) this.budget = Math.max(BUDGET_LEAST, this.budget / 2);
      else this.budget = Math.min(BUDGET_MOST, this.budget * BUDGET_GROWTH);
      this.step();
    });
  }
}

const LONG_MS = 25;
const BUDGET_LEAST = 50;
const BUDGET_MOST = 20_000;
const BUDGET_GROWTH = 1.25;
const queue = new Queue();

/** In annotations and vertices. */
function costOf(item: Annotation): number {
  return 4 + item.points.length;
}

function makeBrush(): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true"); // everything drawn is in the list, as text
  return canvas.getContext("2d") as CanvasRenderingContext2D;
}

/** Setting the size clears a canvas and makes it anew: only where it is another. */
function fitCanvas(canvas: HTMLCanvasElement, width: number, height: number, ratio: number): void {
  const [wide, high] = [Math.ceil(width * ratio), Math.ceil(height * ratio)];
  if (canvas.width === wide && canvas.height === high) return;
  canvas.width = wide;
  canvas.height = high;
  canvas.style.width = `${wide / ratio}px`;
  canvas.style.height = `${high / ratio}px`;
}

function setStyle({ style }: HTMLElement, name: "transform" | "visibility", value: string): void {
  if (style[name] !== value) style[name] = value;
}
