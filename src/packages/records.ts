/** Texts that consist of lines, walked without making an array of them all. */

/** Calls `visit` with each line, without its end. */
export function forEachLine(text: string, visit: (line: string) => void): void {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at);
    visit(text.slice(at, end < 0 ? text.length : end));
    if (end < 0) return;
    at = end + 1;
  }
}
