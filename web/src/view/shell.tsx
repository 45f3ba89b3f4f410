/** The fish shell: guestfish's language on the disk that is open. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from '../client.ts';
import { changed, complain, refreshStatistics, statistics, tree, version } from '../state.ts';

interface Line {
  readonly kind: 'input' | 'output' | 'error';
  readonly text: string;
}

/** Lines that stay on the screen. */
const MOST_LINES = 2000;

let lines: readonly Line[] = [
  { kind: 'output', text: "guestfish's language on the disk that is open. help lists first steps; try: ls /etc\n" },
];
const history: string[] = [];

export function Shell(): JSX.Element {
  const [, redraw] = useState(0);
  const [running, setRunning] = useState<AbortController | undefined>(undefined);
  const at = useRef(history.length);
  const input = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const add = (line: Line): void => {
    lines = [...lines, line].slice(-MOST_LINES);
    redraw((count) => count + 1);
  };
  useEffect(() => end.current?.scrollIntoView({ block: 'end' }));
  useEffect(() => input.current?.focus(), [running]);

  const perform = async (text: string): Promise<void> => {
    add({ kind: 'input', text });
    if (text.trim() === '') return;
    if (history.at(-1) !== text) history.push(text);
    at.current = history.length;
    const controller = new AbortController();
    setRunning(controller);
    const before = statistics.value.changed;
    try {
      await call(
        'shell',
        { line: text },
        { signal: controller.signal, part: ({ text: output, error }) => add({ kind: error ? 'error' : 'output', text: output }) },
      );
    } catch (error) {
      complain(error);
    } finally {
      setRunning(undefined);
      await refreshStatistics();
      if (statistics.value.changed > 0) {
        changed.value ||=
          statistics.value.changed !== before || !/^\s*(ls|ll|cat|stat|help|df|echo|find|list|inspect|get|file|is-|exists)/.test(text);
        version.value++;
        await tree.refreshAll();
      }
    }
  };

  const complete = async (): Promise<void> => {
    const field = input.current;
    if (field === null) return;
    const line = field.value;
    try {
      const { candidates, part } = await call('complete', { line });
      const [only] = candidates;
      if (only === undefined || field.value !== line) return;
      let common = only;
      for (const one of candidates) while (!one.startsWith(common)) common = common.slice(0, -1);
      if (common.length > part.length) field.value = line.slice(0, line.length - part.length) + common;
      else if (candidates.length > 1) add({ kind: 'output', text: `${candidates.slice(0, 200).join('  ')}\n` });
    } catch (error) {
      complain(error);
    }
  };

  return (
    <main class="shell">
      <div class="log" role="log" aria-label="Output">
        {lines.map((line, i) => (
          <pre key={i} class={line.kind}>
            {line.kind === 'input' ? `><fs> ${line.text}` : line.text.replace(/\n$/, '')}
          </pre>
        ))}
        <div ref={end} />
      </div>
      <form
        class="prompt"
        onSubmit={(event) => {
          event.preventDefault();
          const field = input.current;
          if (field === null || running !== undefined) return;
          const text = field.value;
          field.value = '';
          void perform(text);
        }}
      >
        <label for="command">{'><fs>'}</label>
        <input
          id="command"
          ref={input}
          type="text"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          aria-label="Command"
          disabled={running !== undefined}
          onKeyDown={(event) => {
            const field = event.currentTarget;
            if (event.key === 'Tab' && field.value.trim() !== '' && !event.shiftKey) {
              event.preventDefault();
              void complete();
            } else if (event.key === 'ArrowUp' && at.current > 0) {
              event.preventDefault();
              field.value = history[--at.current] ?? '';
            } else if (event.key === 'ArrowDown' && at.current < history.length) {
              event.preventDefault();
              field.value = history[++at.current] ?? '';
            }
          }}
        />
        {running !== undefined && (
          <button type="button" class="button" onClick={() => running.abort()}>
            Stop
          </button>
        )}
      </form>
    </main>
  );
}
