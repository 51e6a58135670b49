/** Numbers as people read them: thin spaces in thousands, a true minus, no false precision. */

const THIN_SPACE = "\u202f";
const MINUS = "\u2212";

/** Group the digits before the decimal point and set a true minus. */
function polish(text: string): string {
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE).replace("-", MINUS);
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A number with exactly `decimals` places; never "−0". */
export function fixed(value: number, decimals: number): string {
  const text = value.toFixed(decimals);
  return polish(Number(text) === 0 ? text.replace("-", "") : text);
}

/** A value of the data: whole numbers wholly, others with four significant figures. */
export function valueText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9) return fixed(value, 0);
  if (size >= 1e9 || (size > 0 && size < 1e-3)) return exponential(value);
  return fixed(value, Math.max(0, 3 - Math.floor(Math.log10(Math.max(size, 1e-3)))));
}

function exponential(value: number): string {
  const [mantissa = "0", exponent = "0"] = value.toExponential(3).split("e");
  return `${polish(mantissa)}e${exponent.replace("+", "").replace("-", MINUS)}`;
}

/** Like `valueText`, for labels of a range: no more figures than the range tells apart. */
export function rangeText(value: number, range: number): string {
  const decimals = range > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(range)))) : 0;
  if (Math.abs(value) >= 1e9 || (range > 0 && range < 1e-4)) return exponential(value);
  return fixed(value, range >= 100 ? 0 : decimals);
}

/** With a leading plus for positive numbers. */
export function signed(text: string, value: number): string {
  return value > 0 ? `+${text}` : text;
}

/** Decimals that tell neighbouring multiples of `step` apart, at most `most`. */
export function decimalsOf(step: number, most = 3): number {
  for (let decimals = 0; decimals < most; decimals++) {
    const scaled = step * 10 ** decimals;
    if (Math.abs(scaled - Math.round(scaled)) < 1e-6) return decimals;
  }
  return most;
}

/** Read a number that a person typed: spaces of any kind, true minus and decimal comma allowed. */
export function parseNumber(text: string): number | null {
  const plain = text
    .replace(/[\s\u202f\u00a0]/g, "")
    .replace(/\u2212/g, "-")
    .replace(",", ".");
  if (plain === "" || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return null;
  return Number(plain);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
