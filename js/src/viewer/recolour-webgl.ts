/** Gives pictures another look on the graphics processor. */
import { isSoftware } from "./graphics";
import { CELLS, inverseKey, inverseOf, OFF_THE_MAP, PLACES } from "./recolour";
import type { Recolourer } from "./recolouring";

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp sampler3D;
uniform sampler2D picture;
uniform sampler3D cells;
uniform sampler2D colours;
out vec4 colour;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  colour = texelFetch(picture, ivec2(at.x, textureSize(picture, 0).y - 1 - at.y), 0);
  vec3 rgb = floor(colour.rgb * 255.0 + 0.5);
  ivec3 cell = ivec3(rgb) / ${256 / CELLS};
  float place = dot(texelFetch(cells, cell.bgr, 0), vec4(1.0, rgb));
  if (place < ${OFF_THE_MAP.toFixed(1)}) return;
  colour = texelFetch(colours, ivec2(clamp(int(place), 0, ${PLACES - 1}), 0), 0);
}`;

const UNITS = ["picture", "cells", "colours"] as const;

function linked(gl: WebGL2RenderingContext): boolean {
  const program = gl.createProgram();
  for (const [type, text] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type);
    if (!shader) return false;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return false;
  gl.useProgram(program);
  for (const [unit, name] of UNITS.entries()) {
    gl.uniform1i(gl.getUniformLocation(program, name), unit);
  }
  return true;
}

/** A texture on `unit` whose texels are fetched as they are. */
function bind(gl: WebGL2RenderingContext, unit: number, kind: number): void {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.bindTexture(kind, gl.createTexture());
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(kind, filter, gl.NEAREST);
  }
}

/** @param anyway also where WebGL itself runs on the processor, which is slower than `recolour` */
export function webglRecolourer(anyway = false): Recolourer | null {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", {
    alpha: false,
    antialias: false,
    depth: false,
    failIfMajorPerformanceCaveat: !anyway,
    preserveDrawingBuffer: anyway,
  });
  if (!gl || (!anyway && isSoftware(gl)) || !linked(gl)) return null;
  bind(gl, 0, gl.TEXTURE_2D);
  bind(gl, 1, gl.TEXTURE_3D);
  bind(gl, 2, gl.TEXTURE_2D);
  let inverse = "";
  return {
    canvas,
    isQuick: true,
    load(image, width, height, look): void {
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
        gl.viewport(0, 0, width, height);
      }
      gl.activeTexture(gl.TEXTURE0);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, image);
      const key = inverseKey(look);
      if (key === inverse) return;
      inverse = key;
      gl.activeTexture(gl.TEXTURE1);
      const { RGBA32F, RGBA, FLOAT, TEXTURE_3D } = gl;
      const cells = inverseOf(look);
      gl.texImage3D(TEXTURE_3D, 0, RGBA32F, CELLS, CELLS, CELLS, 0, RGBA, FLOAT, cells);
    },
    draw(colours): boolean {
      gl.activeTexture(gl.TEXTURE2);
      const bytes = new Uint8Array(colours.buffer);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, PLACES, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
      gl.drawArrays(gl.TRIANGLES, 0, 3);
      return !gl.isContextLost();
    },
  };
}
