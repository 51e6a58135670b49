/** What is known of a recording: when its pictures are, and how the view was at each time. */
import type { OrderedEdit } from "../annotations/types";
import { POINTER_IDLE_MS, type PointerMark } from "../people";
import type { Place } from "../pointing";
import type { Drawing, SetPalette, ViewState, VolumeInfo } from "../protocol";
import { NOTHING_YET } from "../store";

export interface Chapter {
  /** Seconds since the first picture. */
  readonly t: number;
  readonly title: string;
}

/** Annotations that were changed between two times; `reset`: there were no others. */
export interface Changes {
  readonly edits: readonly OrderedEdit[];
  readonly reset: boolean;
}

/** What happened, as the file says it; kinds that this version does not know are left alone. */
export interface Happened {
  readonly t: number;
  readonly kind: string;
  readonly [name: string]: unknown;
}

/** A part of what is in the file, behind what is known already. */
export interface News {
  readonly times: readonly number[];
  readonly sizes: readonly number[];
  readonly stills: readonly number[];
  readonly events: readonly Happened[];
  readonly duration: number;
  readonly isFinished: boolean;
  readonly isGrowing: boolean;
  readonly chapters: readonly Chapter[];
}

interface Edited extends Changes {
  readonly t: number;
}

interface Pointed {
  readonly t: number;
  readonly places: readonly {
    readonly who: string;
    readonly voxel: Place;
    readonly drawing?: Drawing | null;
  }[];
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly color: string;
}

/** A pointer that nobody moved for so many seconds is not shown, as while it was recorded. */
const POINTER_IDLE_S = POINTER_IDLE_MS / 1000;
/** The state is kept whole at each of these, so that a seek need not begin at the first. */
const WHOLE_EACH = 128;
/** The highest bit of a size: the picture decodes alone. */
const KEY = 2 ** 31;

/** How many of `count` rising times are not later than `t`. */
function countUntil(t: number, count: number, timeOf: (index: number) => number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(middle) <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Timeline {
  readonly times: number[] = [];
  /** Numbers of the pictures that decode alone. */
  readonly keys: number[] = [];
  readonly stills: number[] = [];
  readonly palettes: Omit<SetPalette, "type">[] = [];
  chapters: readonly Chapter[] = [];
  duration = 0;
  isFinished = false;
  isGrowing = false;
  info: VolumeInfo | null = null;
  /** When it began: milliseconds since 1970; 0 where the file does not say. */
  beganMs = 0;
  events = 0;
  readonly #states: { readonly t: number; readonly set: Partial<ViewState> }[] = [];
  readonly #whole: ViewState[] = [];
  readonly #edited: Edited[] = [];
  readonly #pointed: Pointed[] = [];
  readonly #people = new Map<string, Named>();
  #state: { readonly count: number; readonly state: ViewState } | null = null;

  get pictures(): number {
    return this.times.length;
  }

  add(news: News): void {
    for (const [i, t] of news.times.entries()) {
      if ((news.sizes[i] ?? 0) >= KEY) this.keys.push(this.times.length);
      this.times.push(t);
    }
    for (const t of news.stills) this.stills.push(t);
    for (const event of news.events) this.#happened(event);
    this.events += news.events.length;
    this.duration = news.duration;
    this.isFinished = news.isFinished;
    this.isGrowing = news.isGrowing;
    this.chapters = news.chapters;
  }

  #happened(event: Happened): void {
    const { t, kind } = event;
    if (kind === "start") this.beganMs = Number(event.unix_s ?? 0) * 1000;
    else if (kind === "info") this.info = event.info as VolumeInfo;
    else if (kind === "palette") {
      const palette = event.palette as SetPalette["palette"];
      this.palettes.push({ palette, idx: Number(event.idx ?? 0) });
    } else if (kind === "annotations") {
      const edits = event.edits as readonly OrderedEdit[];
      this.#edited.push({ t, edits, reset: event.reset === true });
    } else if (kind === "people") {
      for (const who of event.people as readonly Named[]) this.#people.set(who.id, who);
    } else if (kind === "pointers") {
      this.#pointed.push({ t, places: event.places as Pointed["places"] });
    } else if (kind === "state") {
      const count = this.#states.length;
      this.#states.push({ t, set: event.set as Partial<ViewState> });
      if (count % WHOLE_EACH === 0) this.#whole.push(this.#after(count + 1));
    }
  }

  /** The picture that is shown at a time; -1 while there is none. */
  pictureAt(t: number): number {
    const count = countUntil(t + 1e-6, this.pictures, (i) => this.times[i] ?? 0);
    return this.pictures === 0 ? -1 : Math.max(0, count - 1);
  }

  /** The nearest before it, or it itself, that decodes alone; -1 if there is none. */
  keyAt(picture: number): number {
    const count = countUntil(picture, this.keys.length, (i) => this.keys[i] ?? 0);
    return this.keys[count - 1] ?? -1;
  }

  /** The next behind it that decodes alone; none: the number of pictures. */
  keyAfter(picture: number): number {
    const count = countUntil(picture, this.keys.length, (i) => this.keys[i] ?? 0);
    return this.keys[count] ?? this.pictures;
  }

  /** The exact picture at rest that is shown at a time; -1 while the view moves. */
  stillAt(t: number): number {
    const count = countUntil(t + 1e-6, this.stills.length, (i) => this.stills[i] ?? 0);
    const since = this.times[this.pictureAt(t)] ?? 0;
    return (this.stills[count - 1] ?? -1) >= since ? count - 1 : -1;
  }

  /** How long a picture is shown from a time on, in seconds. */
  restAfter(t: number): number {
    return (this.times[this.pictureAt(t) + 1] ?? this.duration) - t;
  }

  /** The view at a time, always the very same object for the same; null where nothing is known. */
  stateAt(t: number): ViewState | null {
    const known = countUntil(t + 1e-6, this.#states.length, (i) => this.#states[i]?.t ?? 0);
    const count = Math.max(known, Math.min(1, this.#states.length));
    if (count === 0) return null;
    if (this.#state?.count !== count) this.#state = { count, state: this.#after(count) };
    return this.#state.state;
  }

  /** The view after so many changes. */
  #after(count: number): ViewState {
    const mark = Math.min(Math.floor((count - 1) / WHOLE_EACH), this.#whole.length - 1);
    // Fields that came after the file was made are as they were before they came.
    const state = { ...NOTHING_YET, ...this.#whole[mark] };
    for (let i = Math.max(mark, 0) * WHOLE_EACH; i < count; i++) {
      Object.assign(state, this.#states[i]?.set);
    }
    return state;
  }

  /** How often annotations had been changed by a time. */
  editsUntil(t: number): number {
    return countUntil(t + 1e-6, this.#edited.length, (i) => this.#edited[i]?.t ?? 0);
  }

  /** From one number of changes to another; back means everything anew. */
  changesBetween(before: number, after: number): Changes {
    const from = after < before ? 0 : before;
    const some = this.#edited.slice(from, after);
    const last = some.findLastIndex(({ reset }) => reset);
    const edits = some.slice(Math.max(last, 0)).flatMap((change) => change.edits);
    return { edits, reset: last >= 0 || from === 0 };
  }

  /** Where pointers are at a time. */
  pointersAt(t: number): readonly PointerMark[] {
    const marks: PointerMark[] = [];
    const known = new Set<string>();
    let i = countUntil(t + 1e-6, this.#pointed.length, (k) => this.#pointed[k]?.t ?? 0) - 1;
    for (; i >= 0; i--) {
      const pointed = this.#pointed[i];
      if (!pointed || pointed.t < t - POINTER_IDLE_S) break;
      for (const { who, voxel, drawing = null } of pointed.places) {
        const person = this.#people.get(who);
        if ((voxel || drawing) && person && !known.has(who)) {
          const { name, color } = person;
          marks.push({ who, name, color, place: voxel, drawing });
        }
        known.add(who);
      }
    }
    return marks;
  }

  /** When the chapter before or behind a time begins; the beginning or the end if there is none. */
  chapterFrom(t: number, by: 1 | -1): number {
    return chapterFrom(this.chapters, t, by) ?? this.duration;
  }
}

/** When the one before or behind a time begins; before the first it is 0, behind the last nothing. */
export function chapterFrom(
  chapters: readonly Chapter[],
  t: number,
  by: 1 | -1,
): number | undefined {
  const starts = chapters.map((chapter) => chapter.t);
  // Just begun: back means the one before, as players of music do.
  if (by < 0) return starts.findLast((start) => start < t - 1) ?? 0;
  return starts.find((start) => start > t + 1e-3);
}
