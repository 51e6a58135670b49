/** How the page for guests differs where JupyterHub's service gives it out: the Hub knows who comes. */

const CODE_KEY = "blustream-guest-code";
const ENTERED_KEY = "blustream-guest-entered";
/** A login that did not help is not tried again by itself so soon. */
const AGAIN_MS = 30_000;

export interface HubPage {
  /** The Hub's name of who is logged in; "" if nobody is. */
  readonly account: string;
  /** They are to log in first. */
  readonly isToEnter: boolean;
}

function content(page: Document, name: string): string {
  return page.querySelector<HTMLMetaElement>(`meta[name="blustream-${name}"]`)?.content ?? "";
}

/** What the page says of the Hub; null where it is not the Hub's. */
export function hubPageOf(page: Document): HubPage | null {
  const account = content(page, "account");
  const isToEnter = content(page, "enter") !== "";
  return account || isToEnter ? { account, isToEnter } : null;
}

/** What a tab keeps while its person is away to log in: the login's own pages never see the code. */
export class Errand {
  constructor(
    private readonly storage: Storage | null,
    private readonly nowMs: () => number = Date.now,
  ) {}

  /** Keep a code; false if a login began just now, and another one would hardly help. */
  begin(code: string): boolean {
    if (code) this.storage?.setItem(CODE_KEY, code);
    const since = this.nowMs() - Number(this.storage?.getItem(ENTERED_KEY) ?? 0);
    return since >= AGAIN_MS;
  }

  /** A login begins now. */
  note(): void {
    this.storage?.setItem(ENTERED_KEY, String(this.nowMs()));
  }

  /** The code that was kept, once; "" if there is none. */
  take(): string {
    const code = this.storage?.getItem(CODE_KEY) ?? "";
    this.storage?.removeItem(CODE_KEY);
    return code;
  }
}
