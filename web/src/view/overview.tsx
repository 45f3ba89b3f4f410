/** What the image is and what is on it. */
import type { JSX } from 'preact';
import type { Content, Overview as Facts, Layer, Packages, Region, System } from '../protocol.ts';
import { shownCount, shownName, shownSize } from '../shown.ts';
import { countPackages, opened, overview, packages, showRoot } from '../state.ts';
import { Icon } from './icons.tsx';

export function Overview(): JSX.Element {
  const disk = opened.value;
  const facts = overview.value;
  if (disk === undefined) return <main />;
  return (
    <main class="overview">
      {facts === undefined ? (
        <p class="quiet" role="status">
          Reading…
        </p>
      ) : (
        <>
          {facts.systems.length === 0 && <p class="card quiet">No operating system was found on this disk.</p>}
          {facts.systems.map((system) => (
            <SystemCard key={system.root} system={system} packages={packages.value[system.root]} />
          ))}
          <section class="card" aria-labelledby="disk-title">
            <h2 id="disk-title">Disk</h2>
            <p class="quiet">
              {shownSize(disk.size)}
              {facts.scheme === undefined
                ? ', no partition table'
                : `, ${facts.scheme === 'gpt' ? 'GPT' : 'MBR'}, sectors of ${facts.sectorSize} bytes`}
            </p>
            {facts.tableError !== undefined && <Problem text={facts.tableError.message} />}
            {facts.tableWarnings.map((warning) => (
              <Problem key={warning} text={warning} />
            ))}
            <Drawing facts={facts} size={disk.size} />
            <Table facts={facts} />
          </section>
        </>
      )}
      <section class="card" aria-labelledby="chain-title">
        <h2 id="chain-title">Image</h2>
        <ol class="chain">
          {disk.layers.map((layer, depth) => (
            <LayerItem key={layer.name} layer={layer} depth={depth} />
          ))}
        </ol>
        {disk.warnings.map((warning) => (
          <Problem key={warning} text={warning} />
        ))}
      </section>
    </main>
  );
}

function Problem({ text }: { readonly text: string }): JSX.Element {
  return (
    <p class="problem small" role="note">
      <Icon name="warning" />
      <bdi>{shownName(text)}</bdi>
    </p>
  );
}

function SystemCard({
  system,
  packages: list,
}: {
  readonly system: System;
  readonly packages: Packages | 'counting' | undefined;
}): JSX.Element {
  return (
    <section class="card system" aria-label="Operating system">
      <div class="system-head">
        <div>
          <p class="eyebrow">Operating system on {system.root}</p>
          <h2 class="os-title">
            <bdi>{shownName(system.title)}</bdi>
          </h2>
        </div>
        <button type="button" class="button primary" onClick={() => void showRoot(`os:${system.root}`)}>
          Browse files
        </button>
      </div>
      <dl class="facts">
        <Fact name="Hostname" value={system.hostname === undefined ? 'not set' : shownName(system.hostname)} />
        <Fact name="Architecture" value={shownName(system.architecture)} />
        {system.init !== 'unknown' && <Fact name="Init" value={system.init} />}
        <div>
          <dt>Packages</dt>
          <dd data-testid="packages">
            {list === undefined ? (
              <button type="button" class="link" onClick={() => void countPackages(system.root)}>
                Count them
              </button>
            ) : list === 'counting' ? (
              'counting…'
            ) : list.count === undefined ? (
              `not listed: ${shownName(list.reason ?? '')}`
            ) : (
              `${list.count.toLocaleString('en')} (${system.packageFormat})`
            )}
          </dd>
        </div>
      </dl>
      <p class="quiet mounts">
        {system.mounts.map(({ path, device, spec }) => (
          <span class="chip" key={path}>
            <bdi>{shownName(path)}</bdi> on <bdi>{device ?? `${shownName(spec)} (not on this disk)`}</bdi>
          </span>
        ))}
      </p>
      {system.warnings.map((warning) => (
        <Problem key={warning} text={warning} />
      ))}
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <bdi>{value}</bdi>
      </dd>
    </div>
  );
}

/** Its own name and that of its type, once where they are the same. */
function partitionText({ partitionName = '', typeName = '' }: Region): string {
  const name = shownName(partitionName);
  return name === typeName ? name : `${name} ${typeName}`.trim();
}

function tone(region: Region): string {
  if (region.kind === 'free') return 'free';
  const type = region.content?.type ?? 'unknown';
  if (region.content?.error !== undefined) return 'broken';
  if (type.startsWith('ext')) return 'ext';
  if (type === 'vfat') return 'fat';
  if (type === 'swap') return 'swap';
  return type === 'unknown' ? 'unknown' : 'other';
}

function share(content: Content | undefined): number | undefined {
  return content?.used === undefined || content.total === undefined || content.total === 0 ? undefined : content.used / content.total;
}

/** A share, as people read it. */
function percent(share: number): string {
  return share > 0 && share < 0.01 ? 'under 1 %' : `${Math.round(share * 100)} %`;
}

function Drawing({ facts, size }: { readonly facts: Facts; readonly size: number }): JSX.Element {
  return (
    <ul class="drawing" aria-label="Partitions, to scale">
      {facts.regions.map((region) => {
        const used = share(region.content);
        const name = region.kind === 'free' ? 'free' : (region.device ?? '');
        const label = region.content?.label ?? '';
        const about = `${name}, ${region.content?.type ?? (region.kind === 'free' ? 'no partition' : 'unknown')}, ${shownSize(region.size)}${used === undefined ? '' : `, ${percent(used)} used`}`;
        return (
          <li
            key={region.start}
            class={`region ${tone(region)}`}
            style={{ flexGrow: Math.max(region.size / size, 0.004) * 1000 }}
            title={about}
          >
            {used !== undefined && <span class="fill" style={{ width: `${Math.max(used * 100, 1)}%` }} />}
            <span class="region-text">
              <b>{name.replace('/dev/', '')}</b>
              <span>
                <bdi>{shownName(label)}</bdi> {region.content?.type ?? ''}
              </span>
            </span>
            <span class="hidden">{about}</span>
          </li>
        );
      })}
    </ul>
  );
}

function Table({ facts }: { readonly facts: Facts }): JSX.Element {
  return (
    <div class="table-box">
      <table>
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">Content</th>
            <th scope="col">Label</th>
            <th scope="col" class="wide">
              Partition
            </th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col">Used</th>
            <th scope="col">
              <span class="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {facts.regions
            .filter(({ kind }) => kind === 'partition')
            .map((region) => {
              const { content } = region;
              const used = share(content);
              return (
                <>
                  <tr key={region.start}>
                    <td>
                      <span class={`dot ${tone(region)}`} /> {region.device}
                    </td>
                    <td>{content?.type ?? 'unknown'}</td>
                    <td>
                      <bdi>{shownName(content?.label ?? '')}</bdi>
                    </td>
                    <td class="wide">
                      <bdi>{partitionText(region)}</bdi>
                    </td>
                    <td class="number">{shownSize(region.size)}</td>
                    <td>
                      {used === undefined ? (
                        '–'
                      ) : (
                        <span class="usage">
                          <meter min={0} max={1} high={0.9} value={used} aria-label="Used" /> {percent(used)}
                        </span>
                      )}
                    </td>
                    <td>
                      {content !== undefined && content.error === undefined && content.total !== undefined && (
                        <button type="button" class="link" onClick={() => void showRoot(`fs:${content.device}`)}>
                          Browse
                        </button>
                      )}
                    </td>
                  </tr>
                  {(content?.error !== undefined || (content?.warnings.length ?? 0) > 0) && (
                    <tr>
                      <td colSpan={7}>
                        {content?.error !== undefined && <Problem text={content.error.message} />}
                        {content?.warnings.map((warning) => (
                          <Problem key={warning} text={warning} />
                        ))}
                      </td>
                    </tr>
                  )}
                </>
              );
            })}
        </tbody>
      </table>
    </div>
  );
}

function LayerItem({ layer, depth }: { readonly layer: Layer; readonly depth: number }): JSX.Element {
  return (
    <li>
      <Icon name="disk" />
      <div>
        <p>
          <strong>
            <bdi>{shownName(layer.name)}</bdi>
          </strong>{' '}
          <span class="quiet">{depth === 0 ? 'the image' : `${shownCount(depth, 'level')} below`}</span>
        </p>
        <p class="quiet">
          {layer.format}, {shownSize(layer.fileSize)} in the file, {shownSize(layer.virtualSize)} of disk
          {layer.facts.map(([name, value]) => (
            <span key={name}>
              {' '}
              · {name}: <bdi>{shownName(value)}</bdi>
            </span>
          ))}
        </p>
      </div>
    </li>
  );
}
