/** Whether a graphics processor draws the page, or the processor does: some ways of drawing suit only one. */

/** Names of renderers that are programs. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Does this context run on the processor? Chromium 156 gives such a one even to those who refuse it. */
export function isSoftware(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return SOFTWARE.test(String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
}

let isDrawnBySoftware: boolean | undefined;

/** Whether the processor draws; true until it was found out, which `lookForGraphics` begins. */
export function drawsInSoftware(): boolean {
  return isDrawnBySoftware ?? true;
}

/** Find out once for the page, when it has nothing else to do: making a context takes a while. */
export function lookForGraphics(): void {
  if (isDrawnBySoftware !== undefined) return;
  isDrawnBySoftware = true;
  const look = (): void => {
    const gl = document.createElement("canvas").getContext("webgl2", {
      failIfMajorPerformanceCaveat: true,
    });
    isDrawnBySoftware = !gl || isSoftware(gl);
    gl?.getExtension("WEBGL_lose_context")?.loseContext(); // a page may have few
  };
  if (typeof requestIdleCallback === "function") requestIdleCallback(look, { timeout: 5000 });
  else setTimeout(look, 1000);
}
