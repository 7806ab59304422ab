/**
 * Text from others (ids, names, reasons, error messages) on its way to a terminal or into a log of lines. What a terminal
 * would obey, or what would look like a line of our own, is written as JSON has it: `\u001b`.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above, without ESC
const uncolored = /[\u0000-\u0009\u000b-\u001a\u001c-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text with line feeds in it, and no other characters that control a terminal or turn the direction of what follows. JSON
 * stays the same value: only its strings have such characters, and only as far as JSON does not escape them itself.
 */
export function printable(text: string): string {
  return text.replace(controls, escaped);
}

/** The same without line feeds: it cannot pretend to be several lines. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n');
}

/** The same for text that has been colored: its parts from others must have no ESC any more. */
export function printableInColors(text: string): string {
  return text.replace(uncolored, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
