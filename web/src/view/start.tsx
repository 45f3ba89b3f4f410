/** Where one begins: drop, choose, an address, the demo. */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { open, openFailure, opening } from '../state.ts';
import { Icon } from './icons.tsx';

export function Start(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  const [url, setUrl] = useState('');
  const failure = openFailure.value;
  return (
    <main class="start">
      <div class="hero">
        <h1>Look into a disk image</h1>
        <p class="lead">
          qcow2, raw, compressed raw; ext2, ext3, ext4, FAT, ISO 9660. Browse, preview, change, and save the changes as an overlay.
        </p>
      </div>
      <button type="button" class="drop" disabled={opening.value} onClick={() => input.current?.click()}>
        <Icon name="disk" />
        <span class="drop-title">{opening.value ? 'Opening…' : 'Drop an image here, or click to choose one'}</span>
        <span class="drop-note">For an overlay choose its backing files too: they are matched by their names.</span>
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Disk images"
        data-testid="file-input"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          if (files.length > 0) void open({ files });
        }}
      />
      {failure !== undefined && (
        <div class="problem" role="alert">
          <Icon name="warning" />
          <div>
            <strong>{failure.missing === undefined ? 'This cannot be opened.' : 'One more file is needed.'}</strong>
            <p>
              <bdi>{failure.message}</bdi>
            </p>
            {failure.missing !== undefined && (
              <button type="button" class="button primary" onClick={() => input.current?.click()}>
                Choose {failure.missing}
              </button>
            )}
          </div>
        </div>
      )}
      <form
        class="url"
        onSubmit={(event) => {
          event.preventDefault();
          if (url.trim() !== '') void open({ url: url.trim() });
        }}
      >
        <label for="address">Or open one from a web server, reading only the parts that are looked at</label>
        <div class="line">
          <input
            id="address"
            type="url"
            placeholder="https://example.org/disk.qcow2"
            value={url}
            spellcheck={false}
            onInput={(event) => setUrl(event.currentTarget.value)}
          />
          <button type="submit" class="button" disabled={opening.value}>
            Open
          </button>
        </div>
      </form>
      <p>
        No image at hand?{' '}
        <button type="button" class="link" disabled={opening.value} onClick={() => void open({ demo: true })}>
          Open the demo
        </button>
        , a small Linux in an overlay and its base.
      </p>
      <p class="promise">
        <Icon name="shield" />
        <span>
          <strong>Nothing is uploaded.</strong> The image is read by this page, on your computer; it also works without a network. What you
          change stays in an overlay: your file is never written.
        </span>
      </p>
    </main>
  );
}
