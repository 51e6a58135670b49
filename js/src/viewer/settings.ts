/** What a user prefers in this browser: kept in its storage, the same for all viewers of a page. */

/** "standard": left drag pans, right drag is window and level; "radiology": as in OHIF. */
export type MouseSet = "standard" | "radiology";

export const SCROLL_STEPS = [1, 2, 5, 10] as const;

export interface Preferences {
  readonly mouse: MouseSet;
  /** Wheel up, not down, goes to the next slice. */
  readonly invertWheel: boolean;
  /** Slices that one notch of the wheel or one arrow key goes. */
  readonly scrollStep: number;
}

export const DEFAULTS: Preferences = { mouse: "standard", invertWheel: false, scrollStep: 1 };
const KEY = "blustream-widget.settings";

type Store = Pick<Storage, "getItem" | "setItem">;

/** Preferences in a stored text; whatever is not as it should be is left at its default. */
export function readPreferences(text: string | null): Preferences {
  let found: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? "{}");
    if (typeof parsed === "object" && parsed !== null) found = parsed;
  } catch {
    // Somebody else's text under our key.
  }
  const { mouse, invertWheel, scrollStep } = found;
  return {
    mouse: mouse === "radiology" ? mouse : DEFAULTS.mouse,
    invertWheel: invertWheel === true,
    scrollStep: SCROLL_STEPS.find((step) => step === scrollStep) ?? DEFAULTS.scrollStep,
  };
}

export class Settings {
  private kept: Preferences;
  private readonly listeners = new Set<() => void>();

  /** @param open the storage; throws, or gives null, where pages may not keep anything */
  constructor(private readonly open: () => Store | null) {
    this.kept = readPreferences(this.attempt((store) => store.getItem(KEY)));
  }

  get now(): Preferences {
    return this.kept;
  }

  set(change: Partial<Preferences>): void {
    this.kept = { ...this.kept, ...change };
    this.attempt((store) => store.setItem(KEY, JSON.stringify(this.kept)));
    for (const listener of this.listeners) listener();
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener), { once: true });
  }

  /** Storage may be forbidden or full: then preferences last as long as the page. */
  private attempt<T>(use: (store: Store) => T): T | null {
    try {
      const store = this.open();
      return store ? use(store) : null;
    } catch {
      return null;
    }
  }
}

export const settings = new Settings(() => globalThis.localStorage ?? null);
