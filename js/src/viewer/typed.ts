/** What a hand types into a field stays there until it is done, whatever else changes meanwhile. */
import { noChange } from "lit";
import { Directive, directive, type ElementPart, type PropertyPart } from "lit/directive.js";
import { setCommittedValue } from "lit/directive-helpers.js";

/**
 * As lit's `live`, for `.value` of fields that are typed into: the view is drawn again with each
 * movement of the mouse and of other people, which must not take back half a number.
 */
class Typed extends Directive {
  private field: HTMLInputElement | null = null;
  private about: unknown = null;
  private isTyping = false;

  render(text: string, _about: unknown = null): unknown {
    return text;
  }

  override update(
    part: PropertyPart | ElementPart,
    [text, about = null]: [string, unknown?],
  ): unknown {
    const field = part.element as HTMLInputElement;
    if (this.field !== field) this.watch(field);
    if (this.about !== about) [this.about, this.isTyping] = [about, false];
    if (this.isTyping || field.value === text) return noChange;
    setCommittedValue(part); // so that lit sets it, were it the same as last time
    return text;
  }

  private watch(field: HTMLInputElement): void {
    this.field = field;
    field.addEventListener("input", () => {
      this.isTyping = true;
    });
    const end = (): void => {
      this.isTyping = false;
    };
    // The end of the focus alone, where what was typed is what was there.
    field.addEventListener("change", end);
    field.addEventListener("blur", end);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") end();
    });
  }
}

/** `.value=${typed(text, about)}`: another `about` (the item that is named) drops what was typed. */
export const typed = directive(Typed);
