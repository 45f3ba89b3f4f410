/** The tree: one flat list of rows of which only those in sight are drawn; the keyboard works as in other trees. */
import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { KIND_NAME, shownName, shownPermissions, shownSize, shownTime } from '../shown.ts';
import { refreshStatistics, tree } from '../state.ts';
import type { Node } from '../tree-model.ts';
import { KindIcon } from './icons.tsx';
import { VirtualList } from './virtual-list.tsx';

const ROW = 28;
const TYPING_MS = 700;

export function Tree({ onOpen }: { readonly onOpen: () => void }): JSX.Element {
  const rows = tree.rows.value;
  const selected = tree.selected.value;
  void tree.briefs.value;
  const at = selected === undefined ? -1 : rows.indexOf(selected);
  const [show, setShow] = useState<number | undefined>(undefined);
  const range = useRef<readonly [number, number]>([0, 0]);
  const typed = useRef({ text: '', when: 0 });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const onRange = useCallback((first: number, end: number) => {
    range.current = [first, end];
    clearTimeout(timer.current);
    // Rows that fly past are not asked for.
    timer.current = setTimeout(() => {
      void tree.ask(tree.rows.value.slice(...range.current)).then(refreshStatistics);
    }, 60);
  }, []);
  useEffect(() => onRange(...range.current), [rows]);
  useEffect(() => setShow(at), [at]);

  const select = (index: number): void => {
    const row = rows[Math.max(0, Math.min(index, rows.length - 1))];
    if (row !== undefined) tree.selected.value = row;
  };
  const toggle = (row: Node): void => {
    if (row.expanded) tree.collapse(row);
    else void tree.expand(row);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (selected === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, range.current[1] - range.current[0] - 16);
    switch (event.key) {
      case 'ArrowDown':
        select(at + 1);
        break;
      case 'ArrowUp':
        select(at - 1);
        break;
      case 'PageDown':
        select(at + page);
        break;
      case 'PageUp':
        select(at - page);
        break;
      case 'Home':
        select(0);
        break;
      case 'End':
        select(rows.length - 1);
        break;
      case 'ArrowRight':
        if (selected.kind !== 'd') break;
        if (selected.expanded) select(at + 1);
        else void tree.expand(selected);
        break;
      case 'ArrowLeft':
        if (selected.expanded && selected.parent !== undefined) tree.collapse(selected);
        else if (selected.parent !== undefined) tree.selected.value = selected.parent;
        break;
      case 'Enter':
        if (selected.kind === 'd') toggle(selected);
        onOpen();
        break;
      default:
        if (event.key.length !== 1) return;
        typeAhead(event.key, event.timeStamp);
    }
    event.preventDefault();
  };
  /** The next row that begins with what was typed. */
  const typeAhead = (key: string, when: number): void => {
    const before = when - typed.current.when < TYPING_MS ? typed.current.text : '';
    typed.current = { text: before + key.toLowerCase(), when };
    const start = before === '' ? at + 1 : at;
    for (let i = 0; i < rows.length; i++) {
      const index = (start + i) % rows.length;
      if (rows[index]?.name.toLowerCase().startsWith(typed.current.text) === true) {
        select(index);
        break;
      }
    }
  };

  return (
    <VirtualList
      class="rows-box tree"
      role="tree"
      tabIndex={0}
      aria-label="Files of the guest"
      aria-activedescendant={at < 0 ? undefined : `row-${at}`}
      count={rows.length}
      rowHeight={ROW}
      show={show}
      onRange={onRange}
      onKeyDown={onKeyDown}
      row={(index) => {
        const row = rows[index];
        return row === undefined ? null : (
          <Row
            row={row}
            index={index}
            selected={row === selected}
            onPick={() => {
              tree.selected.value = row;
              if (row.kind === 'd') toggle(row);
              else onOpen();
            }}
          />
        );
      }}
    />
  );
}

interface RowProps {
  readonly row: Node;
  readonly index: number;
  readonly selected: boolean;
  readonly onPick: () => void;
}

function Row({ row, index, selected, onPick }: RowProps): JSX.Element {
  const { brief, kind } = row;
  const name = row.parent === undefined ? '/' : shownName(row.name);
  return (
    // The keyboard is heard by the tree, which has the focus.
    <div
      id={`row-${index}`}
      class={`tree-row ${selected ? 'selected' : ''}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-label={`${name}, ${KIND_NAME[kind]}`}
      {...(kind === 'd' ? { 'aria-expanded': row.expanded } : {})}
      onClick={onPick}
      onKeyDown={undefined}
    >
      <span class="indent" style={{ width: `${Math.min(row.depth, 20) * 16}px` }} />
      <span class={`twist ${kind === 'd' ? (row.expanded ? 'open' : 'shut') : ''}`} aria-hidden="true" />
      <KindIcon kind={kind} />
      <span class="name" title={name}>
        <bdi>{name}</bdi>
        {brief?.target !== undefined && (
          <span class="quiet">
            {' → '}
            <bdi>{shownName(brief.target)}</bdi>
          </span>
        )}
        {row.loading && <span class="quiet"> {row.children?.length.toLocaleString('en')}…</span>}
        {row.problem !== undefined && (
          <span class="bad" title={row.problem.message}>
            {' '}
            damaged
          </span>
        )}
      </span>
      <span class="column size">
        {brief === undefined || kind !== 'f'
          ? kind === 'd' && row.children !== undefined && !row.loading
            ? row.children.length.toLocaleString('en')
            : ''
          : shownSize(brief.size)}
      </span>
      <span class="column mode">{brief === undefined ? '' : shownPermissions(brief.mode)}</span>
      <span class="column time">{brief === undefined ? '' : shownTime(brief.mtime).slice(0, 16)}</span>
    </div>
  );
}
