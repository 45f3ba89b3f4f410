/** A long list of which only the rows in sight are drawn. */
import type { AriaRole, ComponentChildren, HTMLAttributes, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Browsers lose exactness in taller elements. */
const TALLEST = 8_000_000;
const BEYOND = 4;

interface Props extends Omit<HTMLAttributes<HTMLDivElement>, 'children' | 'role'> {
  readonly count: number;
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** The row to bring into sight, whenever it changes. */
  readonly show?: number | undefined;
  readonly onRange?: (first: number, end: number) => void;
  readonly role?: AriaRole;
  /** The part that each row plays. */
  readonly rowRole?: AriaRole;
}

export function VirtualList({ count, rowHeight, row, show, onRange, rowRole = 'presentation', ...rest }: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const full = count * rowHeight;
  const tall = Math.min(full, TALLEST);
  const scaled = full > TALLEST;

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || show === undefined || show < 0) return;
    const visible = Math.max(1, Math.floor(element.clientHeight / rowHeight));
    if (scaled) {
      element.scrollTop = (show / Math.max(1, count - visible)) * (tall - element.clientHeight);
      return;
    }
    const at = show * rowHeight;
    if (at < element.scrollTop) element.scrollTop = at;
    else if (at + rowHeight > element.scrollTop + element.clientHeight) element.scrollTop = at + rowHeight - element.clientHeight;
  }, [show]);

  const inSight = Math.ceil(height / rowHeight);
  const exact = scaled ? (top / Math.max(1, tall - height)) * Math.max(0, count - inSight) : top / rowHeight;
  const first = Math.max(0, Math.floor(exact) - BEYOND);
  const end = Math.min(count, Math.floor(exact) + inSight + BEYOND);
  const shift = scaled ? top - exact * rowHeight : 0;

  useEffect(() => onRange?.(first, end), [first, end, count, onRange]);

  // Elements of rows that went out of sight are used again: making them anew takes longer than a picture may.
  const places = inSight + 2 * BEYOND + 1;
  const rows: ComponentChildren[] = [];
  for (let i = first; i < end; i++) {
    rows.push(
      <div
        key={i % places}
        class="row-place"
        role={rowRole}
        style={{ transform: `translateY(${i * rowHeight + shift}px)`, height: `${rowHeight}px` }}
      >
        {row(i)}
      </div>,
    );
  }
  return (
    <div {...rest} ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
      <div class="rows" role="presentation" style={{ height: `${tall}px` }}>
        {rows}
      </div>
    </div>
  );
}
