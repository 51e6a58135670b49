/** "Copy this view", and showing one that was copied: by menu, or pasted over the picture. */
import { MAX_LINK_CHARS } from "../protocol";
import { isViewLink } from "../view-links";
import type { ViewContext } from "./context";
import type { Entry } from "./entries";

export function viewEntries(context: ViewContext): readonly Entry[] {
  if (!context.session.info) return [];
  return [
    { label: "Copy this view", icon: "copy", act: () => void copyView(context) },
    { label: "Open a copied view", act: () => void openClipboard(context) },
  ];
}

/** The text comes from the server: the clipboard is asked for while the click still counts. */
async function copyView(context: ViewContext): Promise<void> {
  const text = context.session.viewLinks.copy();
  try {
    const blob = text.then((words) => new Blob([words], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    context.note("View copied", "Whoever has the same data can paste it over the picture.");
  } catch {
    const words = await text.catch(() => "");
    if (words) context.note("This page may not use the clipboard.", words);
    else context.note("There is no connection at the moment.");
  }
}

async function openClipboard(context: ViewContext): Promise<void> {
  try {
    openView(context, await navigator.clipboard.readText());
  } catch {
    context.note(
      "This page may not read the clipboard.",
      "Paste the view over the picture: Ctrl+V.",
    );
  }
}

/** Show a copied view: in the shown one where that may be moved from here, else in one's own. */
export function openView(context: ViewContext, text: string): void {
  const { session, actions } = context;
  if (!isViewLink(text) || text.length > MAX_LINK_CHARS) {
    context.note("There is no copied view.", "Copy one first: More, Copy this view.");
    return;
  }
  if (!actions.canDrive) session.ownView.set(true);
  session.viewLinks.open(text);
}

/** A view is pasted over the picture; anything else that is pasted is not for us. */
export function pasted(context: ViewContext, event: ClipboardEvent): void {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const inField = event.composedPath().some((el) => el instanceof HTMLInputElement);
  if (inField || !context.session.info || !isViewLink(text)) return;
  event.preventDefault();
  event.stopPropagation();
  openView(context, text);
}
