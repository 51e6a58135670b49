/** What a guest sees in place of the viewer: a question, a wait, or why there is nothing. */
import { NAME_CHARS } from "../protocol";
import type { Words } from "./words";

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = "",
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

function cardOf(title: string, text: string): HTMLElement {
  const card = make("section", "card");
  card.append(make("h1", "", title));
  if (text) card.append(make("p", "", text));
  return card;
}

/** @param again what "Try again" does; without it there is no such button */
export function showCard(place: HTMLElement, words: Words, again?: () => void): void {
  const card = cardOf(words.title, words.text);
  card.setAttribute("role", words.isBusy ? "status" : "alert");
  if (words.isBusy) card.prepend(make("div", "spinner"));
  if (again) {
    const button = make("button", "main", "Try again");
    button.addEventListener("click", again);
    card.append(button);
  }
  place.replaceChildren(card);
}

/** Ask how others shall call the guest; an empty name is one too. */
export function askName(place: HTMLElement, known: string): Promise<string> {
  const card = cardOf("Join the shared view", "Others who look at it see the name that you give.");
  const form = make("form", "");
  const label = make("label", "", "Your name");
  const field = make("input", "");
  field.type = "text";
  field.maxLength = NAME_CHARS;
  field.value = known;
  field.autocomplete = "name";
  label.append(field);
  const button = make("button", "main", "Join");
  button.type = "submit";
  form.append(label, button);
  card.append(form);
  place.replaceChildren(card);
  field.focus();
  field.select();
  return new Promise((resolve) => {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      resolve(field.value.trim());
    });
  });
}
