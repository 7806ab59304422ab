/** Ids come from clients: what a terminal would obey must not reach it. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text with line feeds in it, and no other control characters. */
export function printable(text: string): string {
  return text.replace(controls, '\ufffd');
}

/** At most so many characters, the last an ellipsis if there were more. */
export function cut(line: string, columns: number): string {
  const characters = [...line];
  return characters.length <= columns ? line : `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}
