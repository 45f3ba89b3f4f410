/** Drawings, all of one weight. */
import type { JSX } from 'preact';
import type { Kind } from '../protocol.ts';

const PATHS: Readonly<Record<string, string>> = {
  f: 'M6 3h7l5 5v13H6zM13 3v5h5',
  d: 'M3 6h7l2 2h9v11H3z',
  l: 'M6 3h7l5 5v13H6zM9 16c0-3 2-4 5-4m-2-2 2 2-2 2',
  c: 'M4 7h16v10H4zM8 11h8',
  b: 'M5 5h14v14H5zM5 12h14',
  p: 'M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4',
  s: 'M8 3v6M16 3v6M6 9h12v4a6 6 0 0 1-12 0zM12 19v3',
  '?': 'M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2M12 18v.5',
  disk: 'M4 5h16v14H4zM4 14h16M16 16.5h1',
  shield: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM9 12l2 2 4-4',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14M16 16l5 5',
  moon: 'M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10z',
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M12 4v12M7 11l5 5 5-5M5 20h14',
  up: 'M12 20V8M7 13l5-5 5 5M5 4h14',
  edit: 'M4 20l1-5L16 4l4 4L9 19zM14 6l4 4',
  bin: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13',
  plus: 'M12 5v14M5 12h14',
  key: 'M14 10a4 4 0 1 1-2-2l8-4 1 2-2 1 1 2-3 2-1-2z',
  back: 'M15 5l-7 7 7 7',
  chevron: 'M9 6l6 6-6 6',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  save: 'M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-7h8v7',
  shell: 'M4 5h16v14H4zM7 9l3 3-3 3M12 15h5',
  run: 'M7 4l13 8-13 8z',
  stop: 'M6 6h12v12H6z',
  list: 'M8 6h12M8 12h12M8 18h12M4 6h.5M4 12h.5M4 18h.5',
};

export function Icon({ name }: { readonly name: string }): JSX.Element {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.7"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name] ?? PATHS['?'] ?? ''} />
    </svg>
  );
}

export function KindIcon({ kind }: { readonly kind: Kind }): JSX.Element {
  return (
    <span class={`kind kind-${kind === '?' ? 'x' : kind}`}>
      <Icon name={kind} />
    </span>
  );
}
