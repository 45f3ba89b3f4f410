/** Programs of WASI over the files of the disk. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { choice, commandLine, environment, input, outcome, output, type ProgramChoice, running, start } from '../program.ts';
import { shownName } from '../shown.ts';
import { tab } from '../state.ts';
import { splitWords } from '../words.ts';
import { Icon } from './icons.tsx';

function nameOf(program: ProgramChoice): string {
  return 'file' in program ? program.file.name : program.path;
}

export function Program(): JSX.Element {
  return (
    <main class="program">
      <ProgramForm />
      <Output />
    </main>
  );
}

function ProgramForm(): JSX.Element {
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const program = choice.value;
  const busy = running.value;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (program === undefined || busy !== undefined) return;
    const words = splitWords(commandLine.value);
    setProblem(words === undefined ? 'A quote in the arguments has no end.' : undefined);
    if (words !== undefined) void start(program, words);
  };
  return (
    <form class="program-form" onSubmit={submit}>
      <p class="quiet">
        Runs a WebAssembly program of WASI preview 1 in this browser. It finds the files of the disk at <code>/</code> and nothing else: no
        network, nothing of your computer. What it writes is kept aside with your other changes.
      </p>
      <div class="program-line">
        <label class="button">
          <Icon name="up" /> {program === undefined ? 'Choose a .wasm file…' : 'Another…'}
          <input
            class="hidden"
            type="file"
            accept=".wasm,application/wasm"
            data-testid="program-file"
            disabled={busy !== undefined}
            onChange={(event) => {
              const [file] = event.currentTarget.files ?? [];
              event.currentTarget.value = '';
              if (file !== undefined) choice.value = { file };
            }}
          />
        </label>
        {program !== undefined && <bdi class="program-name">{shownName(nameOf(program))}</bdi>}
        <input
          type="text"
          aria-label="Arguments"
          placeholder="Arguments, such as -n PermitRootLogin /etc/ssh"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={commandLine.value}
          onInput={(event) => {
            commandLine.value = event.currentTarget.value;
          }}
        />
        {busy === undefined ? (
          <button type="submit" class="button primary" disabled={program === undefined}>
            <Icon name="run" /> Run
          </button>
        ) : (
          <button type="button" class="button" onClick={() => busy.abort()}>
            <Icon name="stop" /> Stop
          </button>
        )}
      </div>
      <details>
        <summary>Input and environment</summary>
        <label>
          Text on its standard input
          <textarea
            rows={3}
            spellcheck={false}
            value={input.value}
            onInput={(event) => {
              input.value = event.currentTarget.value;
            }}
          />
        </label>
        <label>
          Environment, a NAME=VALUE on each line
          <textarea
            rows={2}
            spellcheck={false}
            value={environment.value}
            onInput={(event) => {
              environment.value = event.currentTarget.value;
            }}
          />
        </label>
      </details>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

function Output(): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const pieces = output.value;
  const end = outcome.value;
  useEffect(() => {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [pieces, end]);
  return (
    <div class="log" role="log" aria-label="Output of the program" ref={box} data-testid="program-output">
      {pieces.map(({ text, error }, i) => (
        <pre key={i} class={error ? 'error' : ''}>
          {text}
        </pre>
      ))}
      {running.value !== undefined && <p class="quiet">It runs…</p>}
      {end !== undefined && (
        <p class={`program-end ${end.good ? 'good' : 'bad'}`} role="status">
          {end.text}{' '}
          {end.changed && (
            <button
              type="button"
              class="link"
              onClick={() => {
                tab.value = 'changes';
              }}
            >
              See what it changed
            </button>
          )}
        </p>
      )}
    </div>
  );
}
