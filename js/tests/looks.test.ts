/** Style sheets in the bundle are shorter, and say the same. */
import { expect, it } from "vitest";

it("loses comments and line breaks of its styles, and no space that means something", async () => {
  const { shortened } = await import("../looks.mjs" as string);
  const source = `const a = css\`
  \${shared}
  /* why; and more */
  .a .b:not(.c) {
    margin: \${x} \${y} calc(1px + 2px);
    grid-area: 1 / 2;
  }
  @media (pointer: coarse) and (hover: none) {
    .d,
    .e > i {
      color: rgb(12 14 17 / 0.9);
    }
  }
\`; // not in a sheet:  { a; }
`;
  const sheet =
    `\${shared} .a .b:not(.c){margin: \${x} \${y} calc(1px + 2px);grid-area: 1 / 2}` +
    "@media (pointer: coarse) and (hover: none){.d,.e > i{color: rgb(12 14 17 / 0.9)}}";
  expect(shortened(source)).toBe(`const a = css\`${sheet}\`; // not in a sheet:  { a; }\n`);
});
