/** The standard streams of a program, with what it prints on its way to the page. */
import { StandardStream } from '../../../src/wasi/index.ts';

/** What is printed goes at once, as long as it is not much; then in pieces of so many bytes, or so many milliseconds apart. */
const AT_ONCE = 5000;
const PIECE: number = 64 << 10;
const PAUSE_MS = 50;
/** What goes to the page at most, in bytes. */
const MOST_OUTPUT: number = 16 << 20;

export interface ProgramStreams {
  readonly streams: readonly [StandardStream, StandardStream, StandardStream];
  /** Sends what still waits. */
  finish(): void;
}

/** Streams over a text to read, and a way for output. */
export function streamsOf(input: string, send: (output: Uint8Array<ArrayBuffer>, error: boolean) => void): ProgramStreams {
  let rest = new TextEncoder().encode(input);
  let sent = 0;
  let messages = 0;
  let last = 0;
  const waiting: { bytes: Uint8Array<ArrayBuffer>; error: boolean }[] = [];
  let length = 0;
  const flush = (): void => {
    for (const { bytes, error } of waiting.splice(0)) {
      messages++;
      send(bytes, error);
    }
    length = 0;
    last = performance.now();
  };
  const output = (number: number, error: boolean): StandardStream =>
    new StandardStream(number, {
      write(data) {
        if (sent >= MOST_OUTPUT) return;
        const bytes = data.slice(0, MOST_OUTPUT - sent);
        sent += bytes.length;
        length += bytes.length;
        waiting.push({ bytes: new Uint8Array(bytes), error });
        if (sent === MOST_OUTPUT) waiting.push({ bytes: new TextEncoder().encode('\n… more was left out\n'), error: true });
        if (messages < AT_ONCE || length >= PIECE || performance.now() - last > PAUSE_MS) flush();
      },
    });
  const stdin = new StandardStream(0, {
    read(size) {
      const part = rest.subarray(0, size);
      rest = rest.subarray(part.length);
      return part;
    },
  });
  return { streams: [stdin, output(1, false), output(2, true)], finish: flush };
}
