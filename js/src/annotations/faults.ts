/** Which fault the sticks belong to that are being drawn. */
import { newId } from "./selection";
import type { Annotation } from "./types";

const NAME = /^Fault (\d+)$/;

/** The sticks of one fault share a group and a name. */
export class FaultInHand {
  private group = "";
  private label = "";

  /** The next stick is one of a new fault. */
  begin(): void {
    this.group = "";
  }

  /** Sticks that the fault has so far. */
  sticksOf(items: readonly Annotation[]): number {
    return this.group ? items.filter(({ group }) => group === this.group).length : 0;
  }

  get name(): string {
    return this.group ? this.label : "New fault";
  }

  /** Group and name of the next stick. */
  next(items: readonly Annotation[]): Pick<Annotation, "group" | "label"> {
    if (!this.group) {
      const numbers = items.map(({ label }) => Number(NAME.exec(label)?.[1] ?? 0));
      this.group = newId().slice(0, 12);
      this.label = `Fault ${numbers.reduce((most, n) => Math.max(most, n), 0) + 1}`;
    }
    return { group: this.group, label: this.label };
  }
}
