/** What is selected: its attributes, its contents, and what can be done with it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { CallFailed, call } from '../client.ts';
import { choice } from '../program.ts';
import type { Details as Facts, Failure } from '../protocol.ts';
import { joinPath, KIND_NAME, parentOf, shownCount, shownName, shownPermissions, shownSize, shownTime } from '../shown.ts';
import { chooseTarget, complain, deliver, lengthy, refreshStatistics, tab, tree, version } from '../state.ts';
import { type Node, pathOf } from '../tree-model.ts';
import { type Action, ActionDialog } from './actions.tsx';
import { uploadInto } from './files.tsx';
import { Icon } from './icons.tsx';
import { Preview } from './preview.tsx';

export function Details({ node }: { readonly node: Node }): JSX.Element {
  const path = pathOf(node);
  const [facts, setFacts] = useState<Facts | undefined>(undefined);
  const [failure, setFailure] = useState<Failure | undefined>(undefined);
  const [action, setAction] = useState<Action | undefined>(undefined);
  const [more, setMore] = useState(false);
  const changes = version.value;
  useEffect(() => {
    const controller = new AbortController();
    // Someone who walks through the tree by keyboard does not want each file.
    const timer = setTimeout(() => {
      call('details', { path }, { signal: controller.signal }).then(
        (result) => {
          setFacts(result);
          setFailure(undefined);
          void refreshStatistics();
        },
        (error: unknown) => {
          if (error instanceof CallFailed && error.failure.family !== 'cancelled') setFailure(error.failure);
        },
      );
    }, 40);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, changes]);

  const download = (as: 'file' | 'tar' | 'zip'): void => {
    void (async () => {
      const target = await chooseTarget(as === 'file' ? node.name : `${node.name || 'root'}.${as}`, as === 'file' ? (facts?.size ?? 0) : 0);
      if (target === false) return;
      const args = { path, as, ...(target === undefined ? {} : { target }) };
      deliver(await lengthy('Reading', (part, signal) => call('download', args, { part, signal })));
    })();
  };

  return (
    <div class="details">
      <Breadcrumbs path={path} />
      <div class="toolbar" role="toolbar" aria-label="Actions">
        {node.kind === 'f' && (
          <button type="button" class="button" onClick={() => download('file')}>
            <Icon name="down" /> Download
          </button>
        )}
        {node.kind === 'f' && path.endsWith('.wasm') && (
          <button
            type="button"
            class="button"
            onClick={() => {
              choice.value = { path };
              tab.value = 'program';
            }}
          >
            <Icon name="run" /> Run…
          </button>
        )}
        {node.kind === 'd' && (
          <>
            <button type="button" class="button" onClick={() => download('tar')}>
              <Icon name="down" /> tar
            </button>
            <button type="button" class="button" onClick={() => download('zip')}>
              <Icon name="down" /> zip
            </button>
            <label class="button">
              <Icon name="up" /> Upload
              <input
                type="file"
                multiple
                class="hidden"
                data-testid="upload"
                onChange={(event) => {
                  uploadInto(path, [...(event.currentTarget.files ?? [])]);
                  event.currentTarget.value = '';
                }}
              />
            </label>
            <button type="button" class="button" onClick={() => setAction('mkdir')}>
              <Icon name="plus" /> New folder
            </button>
          </>
        )}
        {node.parent !== undefined && (
          <>
            <button type="button" class="button" onClick={() => setAction('rename')}>
              <Icon name="edit" /> Rename
            </button>
            {node.kind !== 'l' && (
              <button type="button" class="button" onClick={() => setAction('chmod')}>
                <Icon name="key" /> Mode
              </button>
            )}
            <button type="button" class="button danger-text" onClick={() => setAction('remove')}>
              <Icon name="bin" /> Delete
            </button>
          </>
        )}
      </div>
      {failure !== undefined && (
        <p class="problem" role="alert">
          <Icon name="warning" />
          <bdi>{shownName(failure.message)}</bdi>
        </p>
      )}
      {facts !== undefined && (
        <>
          <dl class="attributes">
            <div>
              <dt>Kind</dt>
              <dd>
                {KIND_NAME[facts.kind]}
                {facts.device === undefined ? '' : ` ${facts.device}`}
              </dd>
            </div>
            {facts.target !== undefined && (
              <div>
                <dt>Target</dt>
                <dd>
                  <bdi>{shownName(facts.target)}</bdi>
                </dd>
              </div>
            )}
            <div>
              <dt>Size</dt>
              <dd>
                {shownSize(facts.size)} <span class="quiet">({shownSize(facts.allocated)} on disk)</span>
              </dd>
            </div>
            <div>
              <dt>Mode</dt>
              <dd>
                <code>{shownPermissions(facts.mode)}</code> <code>{(facts.mode & 0o7777).toString(8).padStart(4, '0')}</code>
              </dd>
            </div>
            <div>
              <dt>Owner</dt>
              <dd>
                <bdi>{shownName(facts.user ?? '')}</bdi>
                <span class="quiet">{facts.uid}</span> : <bdi>{shownName(facts.group ?? '')}</bdi>
                <span class="quiet">{facts.gid}</span>
              </dd>
            </div>
            <div>
              <dt>Modified</dt>
              <dd>{facts.times[0] === undefined ? '' : shownTime(facts.times[0][1])} UTC</dd>
            </div>
          </dl>
          <details class="more" open={more} onToggle={(event) => setMore(event.currentTarget.open)}>
            <summary>
              All attributes{facts.xattrs.length > 0 ? `, ${facts.xattrs.length} extended` : ''}
              {facts.extents.length > 0
                ? `, ${facts.moreExtents ? `more than ${facts.extents.length} extents` : shownCount(facts.extents.length, 'extent')}`
                : ''}
            </summary>
            {more && <More facts={facts} />}
          </details>
          {facts.problems.map((problem) => (
            <p key={problem} class="problem small">
              <Icon name="warning" />
              <bdi>{shownName(problem)}</bdi>
            </p>
          ))}
          {facts.contents !== undefined && <Preview path={path} size={facts.contents} version={changes} />}
        </>
      )}
      {action !== undefined && facts !== undefined && (
        <ActionDialog
          action={action}
          path={path}
          folder={node.kind === 'd' ? path : parentOf(path)}
          facts={facts}
          onClose={() => setAction(undefined)}
        />
      )}
    </div>
  );
}

function More({ facts }: { readonly facts: Facts }): JSX.Element {
  return (
    <div class="more-body">
      <dl class="attributes">
        {facts.times.map(([name, milliseconds, fraction]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {shownTime(milliseconds)}.{fraction}
            </dd>
          </div>
        ))}
        <div>
          <dt>Inode</dt>
          <dd>{facts.inode}</dd>
        </div>
        <div>
          <dt>Links</dt>
          <dd>{facts.links}</dd>
        </div>
        <div>
          <dt>File system</dt>
          <dd>
            {facts.fileSystem} on {facts.on}
            {facts.readOnly ? ', read-only' : ''}
          </dd>
        </div>
      </dl>
      {facts.xattrs.length > 0 && (
        <table>
          <caption>Extended attributes</caption>
          <tbody>
            {facts.xattrs.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">
                  <bdi>{shownName(name)}</bdi>
                </th>
                <td>
                  <code>
                    <bdi>{shownName(value)}</bdi>
                  </code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {facts.extents.length > 0 && (
        <table class="extents">
          <caption>Where it stands on {facts.on || 'the device'}, in bytes</caption>
          <thead>
            <tr>
              <th scope="col">In the file</th>
              <th scope="col">Length</th>
              <th scope="col">On the device</th>
            </tr>
          </thead>
          <tbody>
            {facts.extents.slice(0, 50).map(({ offset, length, place }) => (
              <tr key={offset}>
                <td>{offset}</td>
                <td>{length}</td>
                <td>{place ?? 'hole, or kept in the inode'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function Breadcrumbs({ path }: { readonly path: string }): JSX.Element {
  const names = path.split('/').filter((name) => name !== '');
  let at = '/';
  return (
    <nav class="crumbs" aria-label="Path">
      <button type="button" onClick={() => tree.reveal('/').catch(complain)}>
        /
      </button>
      {names.map((name, i) => {
        at = joinPath(at, name);
        const to = at;
        const last = i === names.length - 1;
        return (
          <span key={to}>
            {i > 0 && <span aria-hidden="true">/</span>}
            <button type="button" aria-current={last ? 'page' : undefined} onClick={() => tree.reveal(to).catch(complain)}>
              <bdi>{shownName(name)}</bdi>
            </button>
          </span>
        );
      })}
    </nav>
  );
}
