/** A question in a window of its own: the browser's <dialog>, which keeps the keyboard inside and closes with Escape. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  readonly title: string;
  readonly action: string;
  readonly danger?: boolean;
  readonly wide?: boolean;
  readonly disabled?: boolean;
  readonly onAction: () => void;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, action, danger, wide, disabled, onAction, onClose, children }: Props): JSX.Element {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
    element.current?.querySelector<HTMLElement>('input, textarea')?.focus();
  }, []);
  return (
    <dialog ref={element} class={wide === true ? 'wide' : ''} aria-labelledby="dialog-title" onClose={onClose}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          if (disabled !== true) onAction();
        }}
      >
        <h2 id="dialog-title">{title}</h2>
        <div class="dialog-body">{children}</div>
        <div class="dialog-buttons">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={`button ${danger === true ? 'danger' : 'primary'}`} disabled={disabled}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
