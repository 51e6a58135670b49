// @vitest-environment happy-dom
import { html, render } from "lit";
import { beforeEach, describe, expect, it } from "vitest";
import { typed } from "../src/viewer/typed";

let host: HTMLElement;

function draw(text: string, about: unknown = null): HTMLInputElement {
  render(html`<input .value=${typed(text, about)} />`, host);
  return host.querySelector("input") as HTMLInputElement;
}

function type(field: HTMLInputElement, text: string): void {
  field.value = text;
  field.dispatchEvent(new Event("input"));
}

beforeEach(() => {
  host = document.createElement("div");
});

describe("a field that is typed into", () => {
  it("keeps what is typed while the view is drawn again and the value changes elsewhere", () => {
    const field = draw("1");
    type(field, "");
    draw("1");
    expect(field.value).toBe("");
    draw("2");
    expect(field.value).toBe("");
  });

  it.each([
    new Event("change"),
    new Event("blur"),
    new KeyboardEvent("keydown", { key: "Enter" }),
    new KeyboardEvent("keydown", { key: "Escape" }),
  ])("shows the value again after $type", (end) => {
    const field = draw("1");
    type(field, "one");
    field.dispatchEvent(end);
    draw("1");
    expect(field.value).toBe("1");
  });

  it("goes on after other keys", () => {
    const field = draw("1");
    type(field, "12");
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "3" }));
    draw("1");
    expect(field.value).toBe("12");
  });

  it("shows another item's text at once", () => {
    const field = draw("first", 1);
    type(field, "half a na");
    draw("second", 2);
    expect(field.value).toBe("second");
  });

  it("follows the value while nobody types, also after it was set by script", () => {
    const field = draw("1");
    draw("2");
    expect(field.value).toBe("2");
    field.value = "3";
    draw("2");
    expect(field.value).toBe("2");
  });
});
