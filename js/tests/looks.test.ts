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

it("refuses what it would change the meaning of", async () => {
  const { shortened } = await import("../looks.mjs" as string);
  const sheet = (inside: string) => (): string => shortened(`css\`\n${inside}\n\``);
  expect(sheet('.a { content: "a;  b"; }')).toThrow('"a;  b"');
  expect(sheet(".a { content: 'a, b'; }")).toThrow("'a, b'");
  expect(sheet("$" + "{on ? css`.a { top: 0 }` : nothing}")).toThrow("inside of");
  expect(sheet("$" + "{of({ a: 1 })} .a { top: 0; }")).toThrow("inside of");
  expect(sheet('/* the page\'s; "it is" */ .a::before { content: attr(b) " c"; }')()).toBe(
    'css`.a::before{content: attr(b) " c"}`',
  );
});
