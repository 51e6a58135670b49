/** A server of horizons in the page: snaps by the volume's formula, follows along the formula too. */
import { gridOf } from "../src/annotations/grids";
import type { Point3, SectionLine } from "../src/annotations/types";
import { LiveHorizons } from "../src/live-horizons";
import { type GridOfHorizon, MessageType, type Snap, type Track } from "../src/protocol";
import type { FakeAnnotations } from "./fake-annotations";
import type { DevVolume } from "./volumes";

type Question = Snap | Track | { readonly type: 138; readonly name: string };

/** Answers as the server does; `hold` keeps what is followed under way until `finish`. */
export class FakeHorizons {
  readonly link: LiveHorizons;
  /** Every question since the start, for tests. */
  readonly questions: Question[] = [];
  isHeld = false;
  private readonly grids = new Map<string, GridOfHorizon>();

  constructor(
    private readonly volume: DevVolume,
    private readonly annotations: FakeAnnotations,
  ) {
    this.link = new LiveHorizons((question) => {
      this.questions.push(question);
      queueMicrotask(() => void this.answer(question));
      return true;
    });
  }

  private async answer(question: Question): Promise<void> {
    if (question.type === MessageType.SNAP) {
      const sample = this.snap(question.place as Point3, question.event ?? "peak", question.reach);
      this.link.received({ type: MessageType.SNAP, n: question.n, sample, error: "" });
    } else if (question.type === MessageType.GRID) {
      const grid = this.grids.get(question.name);
      if (grid) this.link.received(grid);
    } else if (!question.cancel) {
      const way = { type: MessageType.TRACK, n: question.n, id: question.id, error: "" } as const;
      this.link.received({ ...way, progress: 0.42, done: false, n_picked: 0 });
      if (!this.isHeld) await this.track(question);
    }
  }

  private value(i: number, j: number, k: number): number {
    return this.volume.value(Math.round(i), Math.round(j), k);
  }

  /** Nearest extreme or zero of the formula within reach; null: none. */
  private snap([i, j, k]: Point3, event: string, reach = 3): number | null {
    const sign = event === "trough" || event === "falling" ? -1 : 1;
    const isZero = event === "rising" || event === "falling";
    const step = 0.05;
    let best: number | null = null;
    for (let at = k - reach; at <= k + reach; at += step) {
      const [a, b, c] = [-1, 0, 1].map((n) => sign * this.value(i, j, at + n * step));
      if (a === undefined || b === undefined || c === undefined) continue;
      const isHere = isZero ? b <= 0 && c > 0 : b > 0 && b >= a && b > c;
      if (isHere && (best === null || Math.abs(at - k) < Math.abs(best - k))) best = at;
    }
    return best;
  }

  /** A plane through the first pick, tilted a little: it need not be the event for what is drawn. */
  private async track(question: Track): Promise<void> {
    const item = this.annotations.store.get(question.id);
    const [first] = item?.points ?? [];
    if (!item || !first) return;
    const [rows, columns] = this.volume.info.axes.map(({ n }) => n) as [number, number, number];
    const section: SectionLine | null =
      question.over === "section" ? { axis: question.axis ?? 0, line: question.line ?? 0 } : null;
    const codes = new Uint16Array(rows * columns).fill(0xffff);
    let picked = 0;
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        if (section && [i, j][section.axis] !== section.line) continue;
        codes[i * columns + j] = Math.round(
          64 * (20 + 12 * Math.sin(i / 60) + 8 * Math.cos(j / 45)),
        );
        picked++;
      }
    const differences = codes.map((code, n) => (code - (codes[n - 1] ?? 0)) & 0xffff);
    const stream = new Blob([differences]).stream().pipeThrough(new CompressionStream("deflate"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    const name = `g${this.questions.length}`;
    const base = first[2] - 20;
    const grid: GridOfHorizon = {
      type: MessageType.GRID,
      name,
      shape: [rows, columns],
      stride: 1,
      base,
      step: 1 / 64,
      n_picked: picked,
      low: base,
      high: base + 40,
      codes: btoa(text),
    };
    this.grids.set(name, grid);
    this.annotations.change([{ op: "put", item: { ...item, grid: name } }]);
    const way = { type: MessageType.TRACK, n: question.n, id: question.id, error: "" } as const;
    this.link.received({ ...way, progress: 1, done: true, n_picked: picked });
  }

  /** What the page makes of a grid, for tests. */
  unpacked(name: string): ReturnType<typeof gridOf> | null {
    const grid = this.grids.get(name);
    return grid ? gridOf(grid) : null;
  }
}
