/** The field in which a label or a text is typed, over the picture. */
import type { Editor, Surface, Writing } from "./editor";
import type { Section } from "./section";

const MOST_CHARACTERS = 4096;

export class LabelField {
  readonly element = document.createElement("input");
  private writing: Writing | null = null;

  constructor(
    private readonly editor: Editor,
    private readonly focusBack: () => void,
  ) {
    const { element } = this;
    element.type = "text";
    element.hidden = true;
    element.maxLength = MOST_CHARACTERS;
    element.autocomplete = "off";
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("blur", () => this.commit());
  }

  /** Show the field if a text is being written on this surface. */
  place(surface: Surface, section: Section | null): void {
    const { writing } = this.editor;
    const mine = section && writing?.surface === surface ? writing : null;
    if (mine === this.writing) return;
    const { element } = this;
    this.writing = mine;
    element.hidden = mine === null;
    if (!mine) return;
    element.value = mine.text;
    element.setAttribute("aria-label", mine.name);
    element.placeholder = mine.name;
    element.style.left = `${Math.max(4, Math.min(mine.at.x, surface.width - 180))}px`;
    element.style.top = `${Math.max(4, Math.min(mine.at.y - 14, surface.height - 48))}px`;
    element.focus();
    element.select();
  }

  /** Take what was typed. */
  commit(): void {
    if (!this.writing) return;
    this.close(this.element.value);
  }

  private close(text: string | null): void {
    const hadFocus = this.element.matches(":focus");
    this.writing = null;
    this.element.hidden = true;
    this.editor.commit(text);
    if (hadFocus) this.focusBack();
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    this.close(event.key === "Enter" ? this.element.value : null);
  }
}
