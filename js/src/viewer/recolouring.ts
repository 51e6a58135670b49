/**
 * While the true picture is on its way, shows the one that is there in the wanted window, level and
 * colour map, so that the hand never waits for the network.
 */
import type { Placement } from "../geometry";
import type { FrameHeader, ViewState } from "../protocol";
import type { ViewContext } from "./context";
import { channelOf } from "./range";
import { coloursOf, isContinuous, isInvertible, type Look, lookOf, sameLook } from "./recolour";
import { softwareRecolourer } from "./recolour-software";
import { webglRecolourer } from "./recolour-webgl";
import { hasWiggles, showsWiggles } from "./wiggle";

/** Draws one picture in any number of looks. */
export interface Recolourer {
  readonly canvas: HTMLCanvasElement;
  /** It takes next to nothing from the processor. */
  readonly isQuick: boolean;
  load(image: CanvasImageSource & TexImageSource, width: number, height: number, look: Look): void;
  /** False: it cannot any more. */
  draw(colours: Uint32Array): boolean;
}

/**
 * On the processor, a picture takes 10 ms or more. Where the true ones come in about that time, it would
 * only slow them down: there a picture is recoloured when none has come for so long.
 */
const SOON_MS = 50;

/** What lies over the slice has colours of its own: such a picture waits for the true one. */
export function isCovered(state: ViewState): boolean {
  const { show_segmentations, segmentations, show_overlays, overlays } = state;
  const isDrawn = ({ visible, opacity }: { visible: boolean; opacity: number }): boolean =>
    visible && opacity > 0;
  return (
    (show_segmentations && segmentations.some(isDrawn)) || (show_overlays && overlays.some(isDrawn))
  );
}

type Make = () => Recolourer | null;

export class Recolouring {
  /** Lies over the picture; empty and hidden while the picture is as it should be. */
  readonly element = document.createElement("div");
  private recolourer: Recolourer | null = null;
  private readonly makers: Make[];
  private loaded: FrameHeader | null = null;
  private drawn: { readonly of: FrameHeader; readonly look: Look } | null = null;
  private latencyMs = 0;
  private waitsFor: FrameHeader | null = null;
  private waitsSinceMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** @param again called when `update` has something to do without a new state or picture */
  constructor(
    private readonly context: ViewContext,
    private readonly again: () => void,
    makers: readonly Make[] = [webglRecolourer, softwareRecolourer],
  ) {
    this.makers = [...makers];
    this.element.className = "recoloured";
    this.element.hidden = true;
    context.session.onStatus(({ latencyMs }) => {
      if (latencyMs > 0) this.latencyMs = latencyMs;
    }, context.signal);
    context.signal.addEventListener("abort", () => clearTimeout(this.timer), { once: true });
  }

  /** The state or the picture changed; true if the picture is shown in another look than its own. */
  update(): boolean {
    const isShown = this.show();
    // Also the same again makes the page look for what it changes.
    if (this.element.hidden === isShown) this.element.hidden = !isShown;
    if (!isShown) this.drawn = null;
    if (isShown !== this.context.ui.recoloured) this.context.set({ recoloured: isShown });
    return isShown;
  }

  /** Only data is recoloured, not what lies around it. `placement` is the one of the picture. */
  clip(placement: Placement, { width_px, height_px }: FrameHeader): void {
    const { x0, y0, width, height } = placement;
    const share = (px: number, of: number): string =>
      `${Math.max(0, (Math.round(px) / of) * 100).toFixed(3)}%`;
    const top = share(y0, height_px);
    const right = share(width_px - x0 - width, width_px);
    const bottom = share(height_px - y0 - height, height_px);
    this.element.style.clipPath = `inset(${top} ${right} ${bottom} ${share(x0, width_px)})`;
  }

  private show(): boolean {
    const { session, ui } = this.context;
    const header = ui.shown;
    if (!header || !this.mayRecolour(header)) return false;
    const [from, to] = [lookOf(header, session), session.state];
    if (sameLook(from, to)) {
      this.waitsFor = null;
      return false;
    }
    const recolourer = this.prepared();
    if (!recolourer || this.comesSoon(recolourer, header)) return false;
    if (this.drawn?.of === header && sameLook(this.drawn.look, to)) return true;
    if (!isInvertible(from.colormap)) return false;
    const frame = session.lastFrame();
    if (this.loaded !== header) {
      // The newest picture is about to be painted: what is shown now stays until then.
      if (frame?.header !== header) return this.drawn !== null;
      recolourer.load(frame.image, header.width_px, header.height_px, from);
      this.loaded = header;
    }
    if (!recolourer.draw(coloursOf(from, to))) {
      this.giveUp();
      return false;
    }
    this.drawn = { of: header, look: to };
    return true;
  }

  private mayRecolour(header: FrameHeader): boolean {
    const { session } = this.context;
    const { info, state } = session;
    return (
      info !== null &&
      !isCovered(state) &&
      !showsWiggles(header) &&
      !hasWiggles(info, state) &&
      header.channel === (state.channel & 0xff) &&
      !channelOf(info, state.channel).is_label &&
      isContinuous(lookOf(header, session).colormap) &&
      isContinuous(state.colormap)
    );
  }

  /** Made when it is needed first. */
  private prepared(): Recolourer | null {
    while (!this.recolourer && this.makers.length > 0) {
      this.recolourer = this.makers.shift()?.() ?? null;
      if (this.recolourer) this.element.replaceChildren(this.recolourer.canvas);
    }
    return this.recolourer;
  }

  /** Whether the next picture comes before it is worth while to recolour the shown one. */
  private comesSoon(recolourer: Recolourer, shown: FrameHeader): boolean {
    if (recolourer.isQuick || this.latencyMs === 0 || this.latencyMs >= SOON_MS) return false;
    const now = performance.now();
    if (this.waitsFor !== shown) this.waitsSinceMs = now;
    this.waitsFor = shown;
    const leftMs = SOON_MS - (now - this.waitsSinceMs);
    if (leftMs <= 0) return false;
    clearTimeout(this.timer);
    this.timer = setTimeout(this.again, leftMs);
    return true;
  }

  /** The graphics processor was taken away: on with the next one. */
  private giveUp(): void {
    this.recolourer = null;
    this.loaded = null;
    this.element.replaceChildren();
  }
}
