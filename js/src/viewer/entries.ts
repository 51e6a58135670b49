/** What menus are made of. */
import type { IconName } from "./icons";

export interface Item {
  readonly label: string;
  readonly act: () => void;
  readonly key?: string;
  readonly icon?: IconName;
  /** Given: one of several that exclude each other, or a switch. */
  readonly checked?: boolean;
  readonly disabled?: boolean;
  /** On or off by itself, not one of several. */
  readonly isSwitch?: boolean;
  /** The menu stays open, to set more than one thing. */
  readonly stays?: boolean;
}

export interface Heading {
  readonly heading: string;
}

export type Entry = Item | Heading | "line";
