/** Numbers as people read them; a narrow space before units. */

const UNIT = "\u202f";

export function percent(share: number, digits = 1): string {
  return `${(100 * share).toFixed(digits)}${UNIT}%`;
}

export function seconds(value: number): string {
  if (value < 1) return `${Math.max(1, Math.round(1000 * value))}${UNIT}ms`;
  return `${value.toFixed(value < 10 ? 2 : 1)}${UNIT}s`;
}

/** A time to wait, roughly. */
export function duration(value: number): string {
  if (value < 55) return `${Math.max(5, 5 * Math.round(value / 5))}${UNIT}s`;
  if (value < 3300) return `${Math.round(value / 60)}${UNIT}min`;
  return `${(value / 3600).toFixed(1)}${UNIT}h`;
}

export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Square millimetres with three significant digits. */
export function area(mm2: number): string {
  const text = mm2 === 0 || mm2 >= 0.001 ? Number(mm2.toPrecision(3)).toString() : mm2.toExponential(2);
  return `${text}${UNIT}mm²`;
}

/** A message that ends a sentence. */
export function ended(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** A message as a sentence of its own. */
export function sentence(text: string): string {
  return ended(text.charAt(0).toUpperCase() + text.slice(1));
}

/** The message of whatever was thrown. */
export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
