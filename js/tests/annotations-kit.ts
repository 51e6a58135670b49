/** Annotations, sections and a server of annotations for tests. */
import { FakeAnnotations } from "../dev/fake-annotations";
import { makeVolume } from "../dev/volumes";
import { type ToolName, toolOf } from "../src/annotations/catalogue";
import { newItem } from "../src/annotations/draft";
import { Editor, type Surface, type Touch } from "../src/annotations/editor";
import { SliceIndex } from "../src/annotations/hit";
import { Picking } from "../src/annotations/picking";
import { Section } from "../src/annotations/section";
import type { Annotation, Kind, Point3 } from "../src/annotations/types";
import { placeSlice } from "../src/geometry";

export const volume = makeVolume("seismic");

let made = 0;

export function item(
  kind: Kind,
  points: readonly Point3[],
  more: Partial<Annotation> = {},
): Annotation {
  made += 1;
  const base = newItem(toolOf("line"), points, 0, { color: "#ffd43b", width: 2 }, `item-${made}`);
  return { ...base, kind, axis: null, ...more };
}

/** An inline on a pane of 1000 by 500 CSS pixels. */
export function sectionOf(slice = 100, axis = 0, zoom = 1): Section {
  const view = { zoom, pan: [0.5, 0.5] as const, stretch: 1, width_px: 1000, height_px: 500 };
  return Section.of(placeSlice(volume.info, axis, view), { scale: 1, x: 0, y: 0 }, slice);
}

/** A pane for an editor, without a page. */
export class TestSurface implements Surface {
  readonly width = 1000;
  readonly height = 500;
  section = sectionOf();

  constructor(private readonly server: FakeAnnotations) {}

  get index(): SliceIndex {
    return new SliceIndex(this.server.store.items, this.section, 500);
  }

  labelAt(): null {
    return null;
  }

  moveLabel(): void {}
}

/** An editor with its server, driven by hand. */
export class Bench {
  readonly server = new FakeAnnotations(volume);
  readonly surface = new TestSurface(this.server);
  readonly said: string[] = [];
  readonly notes: string[] = [];
  readonly editor: Editor;
  readonly picking: Picking;
  canEdit = true;
  isDrawing = false;
  private time = 0;
  private readonly frames: (() => void)[] = [];

  constructor() {
    const bench = this;
    globalThis.requestAnimationFrame = (run) => this.frames.push(() => run(0));
    const host = {
      info: volume.info,
      channel: 0,
      get canEdit() {
        return bench.canEdit;
      },
      setDrawing: (on: boolean) => {
        this.isDrawing = on;
      },
      say: (text: string) => this.said.push(text),
      note: (message: string) => this.notes.push(message),
    };
    const { store, horizons } = this.server;
    const { signal } = new AbortController();
    this.picking = new Picking(store, horizons, host, () => {}, signal);
    this.editor = new Editor(store, host, signal, this.picking);
  }

  get items(): readonly Annotation[] {
    return this.server.store.items;
  }

  get only(): Annotation {
    const [first] = this.items;
    if (!first || this.items.length > 1) throw new Error(`${this.items.length} annotations`);
    return first;
  }

  /** The next animation frame, and what the server answers. */
  async frame(): Promise<void> {
    for (const run of this.frames.splice(0)) run();
    await new Promise((resolve) => setTimeout(resolve));
  }

  touch(x: number, y: number, more: Partial<Touch> = {}): Touch {
    this.time += 600; // so slow that no two clicks are a double click
    const time = this.time;
    return { at: { x, y }, time, shift: false, alt: false, isFinger: false, ...more };
  }

  pick(tool: ToolName): void {
    this.editor.pick(tool);
  }

  press(x: number, y: number, more: Partial<Touch> = {}): boolean {
    return this.editor.press(this.surface, this.touch(x, y, more), !this.isDrawing);
  }

  move(x: number, y: number, more: Partial<Touch> = {}): void {
    this.editor.move(this.surface, this.touch(x, y, more));
  }

  release(x: number, y: number, more: Partial<Touch> = {}): void {
    this.editor.release(this.surface, this.touch(x, y, more));
  }

  click(x: number, y: number, more: Partial<Touch> = {}): void {
    this.press(x, y, more);
    this.release(x, y, more);
  }

  drag(x0: number, y0: number, x1: number, y1: number, more: Partial<Touch> = {}): void {
    this.press(x0, y0, more);
    this.move((x0 + x1) / 2, (y0 + y1) / 2, more);
    this.move(x1, y1, more);
    this.release(x1, y1, more);
  }

  /** Where the vertices lie on the pane, to whole pixels. */
  pixels(of: Annotation = this.only): number[][] {
    return of.points.map((point) => {
      const { x, y } = this.surface.section.toPixel(point);
      return [Math.round(x), Math.round(y)];
    });
  }
}
