/** What the commands about images print: text, or JSON as qemu-img lays it out. */
import type { Io } from '../../io/effect.ts';
import type { Invocation } from '../invocation.ts';
import { escapeControls, type Output, Printer } from '../output.ts';

/** Whether JSON is wanted: `--output=json`, or `--json` as everywhere. */
export function wantsJson(invocation: Invocation): boolean {
  return invocation.has('--json') || invocation.value('--output') === 'json';
}

/** Prints a JSON value. */
export function* printJson(output: Output, value: unknown): Io<void> {
  yield* printText(output, `${JSON.stringify(value, null, 4)}\n`);
}

/** Prints text as it is. */
export function* printText(output: Output, text: string): Io<void> {
  const printer = new Printer(output);
  printer.text(text);
  yield* printer.flush();
}

/** A name for people: control characters are escaped on a terminal. */
export function shownName(output: Output, name: string): string {
  return output.terminal ? escapeControls(name) : name;
}
