/** The people of a session as its page knows them: who is here, their pointers, what they say. */
import { Listeners } from "./listeners";
import type { Place } from "./pointing";
import {
  type Chat,
  type ChatLine,
  type Drawing,
  type Exported,
  type LinkOpened,
  MAX_CHAT_LINES,
  MessageType,
  type People as PeopleMessage,
  type Pointers,
  type SharedPerson,
  type ShareLinkInfo,
  type ViewerMessage,
} from "./protocol";

export type GuestRole = ShareLinkInfo["role"];
export type Manage = "grant" | "refuse" | "remove" | "take-back";

/** A link that this page made: only it knows the address. */
export interface OwnLink {
  readonly id: string;
  readonly url: string;
  readonly qr: readonly string[];
}

/** A pointer as panes draw it, and what its hand draws. */
export interface PointerMark {
  readonly who: string;
  readonly name: string;
  readonly color: string;
  readonly place: Place;
  readonly drawing: Drawing | null;
}

/** A pointer that nobody moved for this long is not shown. */
export const POINTER_IDLE_MS = 6000;
const POINT_APART_MS = 60;
const CODE_BYTES = 24;
const KEY_BYTES = 8;

export function mayDrive(role: string): boolean {
  return role !== "viewer" && role !== "annotator";
}

export class People {
  /** Everybody who is here; empty where the session was never shared. */
  all: readonly SharedPerson[] = [];
  /** Of whom this page knows no more than that they are here. */
  more = 0;
  /** Links that others can come by; the owner's pages know them. */
  links: readonly ShareLinkInfo[] = [];
  lines: readonly ChatLine[] = [];
  /** Lines that came to this page while no chat was in sight on it. */
  unread = 0;
  /** This page may take part in calls. */
  mayCall = false;
  /** Grows with every change of people and lines, and of pointers. */
  revision = 0;
  /** Where the pointers of others are. */
  readonly pointers = new Map<string, NonNullable<Place>>();
  /** What others draw at the moment. */
  readonly drawings = new Map<string, Drawing>();
  /** Links of this page. */
  readonly own = new Map<string, OwnLink>();
  readonly #send: (message: ViewerMessage) => boolean;
  readonly #isRecorded: () => boolean;
  readonly #changed = new Listeners<void>();
  #played: readonly PointerMark[] = [];
  readonly #idle = new Map<string, ReturnType<typeof setTimeout>>();
  #you = "";
  #pointTimer: ReturnType<typeof setTimeout> | undefined;
  #point: Place = null;
  #drawing: Drawing | null = null;
  /** Which view of this page draws it. */
  #drawer: object | null = null;
  #pointed = "";
  #isToldAgain = false;
  /** Chats of this page that are in sight. */
  readonly #looks = new Set<object>();

  /**
   * @param send by the reliable link; false if there is none
   * @param isRecorded the pointer goes into a recording, also where nobody else is here
   */
  constructor(send: (message: ViewerMessage) => boolean, isRecorded: () => boolean = () => false) {
    this.#send = send;
    this.#isRecorded = isRecorded;
  }

  /** The person at this page; undefined before the server has said. */
  get you(): SharedPerson | undefined {
    return this.all.find(({ id }) => id === this.#you);
  }

  /** How many are here. */
  get count(): number {
    return this.all.length + this.more;
  }

  get isShared(): boolean {
    return this.all.length > 1 || this.links.length > 0;
  }

  /** Whoever moved the view last, if that is somebody else. */
  get driver(): SharedPerson | undefined {
    return this.all.find((person) => person.drives && person.id !== this.#you);
  }

  /** Pointers to be drawn: of others, or those that a recording shows. */
  get marks(): readonly PointerMark[] {
    if (this.pointers.size === 0 && this.drawings.size === 0) return this.#played;
    const marks: PointerMark[] = [];
    for (const { id, name, color } of this.all) {
      const place = this.pointers.get(id) ?? null;
      const drawing = this.drawings.get(id) ?? null;
      if (place || drawing) marks.push({ who: id, name, color, place, drawing });
    }
    return marks;
  }

  onChange(listener: () => void, signal: AbortSignal): void {
    this.#changed.add(listener, signal);
  }

  #tell(): void {
    this.revision += 1;
    this.#changed.emit();
  }

  // ------------------------------------------------------------ from the server

  received(message: PeopleMessage | LinkOpened | Chat | Pointers): void {
    switch (message.type) {
      case MessageType.PEOPLE:
        this.all = message.people;
        this.more = message.more;
        this.links = message.links;
        this.#you = message.you;
        this.mayCall = message.may_call;
        for (const who of [...this.pointers.keys(), ...this.drawings.keys()]) {
          if (!this.all.some(({ id }) => id === who)) this.#forget(who);
        }
        this.#tell();
        break;
      case MessageType.LINK_OPENED: {
        const link = this.own.get(message.id);
        if (link) this.own.set(message.id, { ...link, qr: message.qr });
        this.#tell();
        break;
      }
      case MessageType.CHAT:
        this.#heard(message.lines);
        break;
      case MessageType.POINTER:
        for (const { who, voxel, drawing } of message.places) {
          this.#place(who, voxel);
          if (drawing) this.drawings.set(who, drawing);
          else this.drawings.delete(who);
        }
        this.#tell();
        break;
    }
  }

  /** The connection is gone: pointers are not where they were, and lines are told again. */
  lost(): void {
    for (const who of [...this.pointers.keys(), ...this.drawings.keys()]) this.#forget(who);
    clearTimeout(this.#pointTimer);
    this.#pointTimer = undefined;
    this.#pointed = "";
    this.#isToldAgain = true;
    this.#tell();
  }

  /** Show the pointers of a recording; none of these people are here. */
  play(marks: readonly PointerMark[]): void {
    const isSame = ({ name, place, drawing }: PointerMark, i: number): boolean => {
      const shown = this.#played[i];
      return shown?.place === place && shown.drawing === drawing && shown.name === name;
    };
    if (marks.length === this.#played.length && marks.every(isSame)) return;
    this.#played = marks;
    this.#tell();
  }

  #heard(lines: readonly ChatLine[]): void {
    const isSame = (a: ChatLine, b: ChatLine): boolean => a.n === b.n && a.at_ms === b.at_ms;
    const known = lines.some((line) => this.lines.some((one) => isSame(one, line)));
    // After a break they are told from the first: if none is known, the server began anew.
    if (this.#isToldAgain && !known) {
      this.lines = [];
      this.unread = 0;
    }
    this.#isToldAgain = false;
    const last = this.lines.at(-1)?.n ?? 0;
    const fresh = lines.filter(({ n }) => n > last);
    if (fresh.length === 0) return;
    this.lines = [...this.lines, ...fresh].slice(-MAX_CHAT_LINES);
    // A server tells a page that comes what was said before, and then who it is: no news, and partly its own.
    const isNews = this.#you !== "" && this.#looks.size === 0;
    if (isNews) this.unread += fresh.filter(({ who }) => who !== this.#you).length;
    this.#tell();
  }

  #forget(who: string): void {
    this.#place(who, null);
    this.drawings.delete(who);
  }

  #place(who: string, voxel: Place): void {
    clearTimeout(this.#idle.get(who));
    if (!voxel) {
      this.pointers.delete(who);
      this.#idle.delete(who);
      return;
    }
    this.pointers.set(who, voxel);
    const hide = (): void => {
      this.#place(who, null);
      this.#tell();
    };
    this.#idle.set(who, setTimeout(hide, POINTER_IDLE_MS));
  }

  // ------------------------------------------------------------ to the server

  /** A chat came into sight, and what is said is read as it comes; or it went out of it. */
  look(chat: object, isSeen: boolean): void {
    if (isSeen) this.#looks.add(chat);
    else this.#looks.delete(chat);
    if (!isSeen || this.unread === 0) return;
    this.unread = 0;
    this.#tell();
  }

  say(text: string): boolean {
    const said = text.trim();
    return said !== "" && this.#send({ type: MessageType.CHAT, text: said });
  }

  /** The pointer went somewhere: told to whom it concerns, if anybody, some times a second. */
  point(place: Place): void {
    this.#point = place;
    this.#tellSoon();
  }

  /** What a view of this page draws at the moment; null: nothing any more. */
  draw(drawer: object, drawing: Drawing | null): void {
    if (!drawing && this.#drawer !== drawer) return;
    this.#drawer = drawing ? drawer : null;
    this.#drawing = drawing;
    this.#tellSoon();
  }

  #tellSoon(): void {
    // In a crowd nobody is told of those who may only look.
    const isOneOfMany = this.more > 0 && this.you?.role === "viewer";
    const concerns = (this.all.length > 1 || this.#isRecorded()) && !isOneOfMany;
    if (!concerns || this.#pointTimer !== undefined) return;
    this.#tellPoint();
    this.#pointTimer = setTimeout(() => {
      this.#pointTimer = undefined;
      if (this.#pointed !== this.#pointKey()) this.#tellSoon();
    }, POINT_APART_MS);
  }

  #tellPoint(): void {
    const key = this.#pointKey();
    if (this.#pointed === key) return;
    this.#pointed = key;
    const drawing = this.#drawing && { drawing: this.#drawing };
    this.#send({ type: MessageType.POINTER, voxel: this.#point, ...drawing });
  }

  #pointKey(): string {
    return `${this.#point}${this.#drawing ? JSON.stringify(this.#drawing) : ""}`;
  }

  /** A picture was taken out of the view: for the owner's record. */
  exported(what: Exported["what"]): void {
    if (this.isShared) this.#send({ type: MessageType.EXPORTED, what });
  }

  control(action: "ask" | "withdraw" | "give-back"): void {
    this.#send({ type: MessageType.CONTROL, action });
  }

  manage(person: string, action: Manage): void {
    this.#send({ type: MessageType.MANAGE, person, action });
  }

  setRole(person: string, role: GuestRole): void {
    this.#send({ type: MessageType.MANAGE, person, action: "role", role });
  }

  /** Make a link at `address`; what it is known by stays on this page. */
  openLink(address: string, role: GuestRole, expires_s: number, max_viewers: number): OwnLink {
    const id = hexOf(randomBytes(KEY_BYTES));
    const code = base64Of(randomBytes(CODE_BYTES));
    const link: OwnLink = { id, url: `${address}#${code}`, qr: [] };
    const asked = { id, code, role, expires_s, max_viewers, address };
    if (this.#send({ type: MessageType.OPEN_LINK, ...asked })) this.own.set(id, link);
    return link;
  }

  /** End one link, or all. */
  stopSharing(link?: string): void {
    this.#send({ type: MessageType.STOP_SHARING, ...(link !== undefined && { link }) });
  }
}

function randomBytes(n: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(n));
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** URL-safe base64 without padding. */
function base64Of(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
