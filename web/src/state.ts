/** What the page knows: signals that the views follow. */
import { signal } from '@preact/signals';
import { CallFailed, call } from './client.ts';
import type { Failure, Opened, Overview, Packages, Progress, Statistics, Written } from './protocol.ts';
import { TreeModel } from './tree-model.ts';

export type Tab = 'overview' | 'files' | 'changes' | 'shell' | 'program';

export interface Notice {
  readonly id: number;
  readonly text: string;
  readonly kind: 'error' | 'note';
}

/** What is being opened or done, for the bar at the top. */
export interface Busy {
  readonly text: string;
  readonly progress?: Progress;
  readonly stop?: () => void;
}

export const opened = signal<Opened | undefined>(undefined);
export const overview = signal<Overview | undefined>(undefined);
export const packages = signal<Readonly<Record<string, Packages | 'counting'>>>({});
export const tab = signal<Tab>('overview');
export const notices = signal<readonly Notice[]>([]);
export const busy = signal<Busy | undefined>(undefined);
export const opening = signal(false);
export const openFailure = signal<Failure | undefined>(undefined);
export const statistics = signal<Statistics>({ read: 0, requests: 0, changed: 0 });
/** Grows with every change of the disk. */
export const version = signal(0);
export const changed = signal(false);
export const kept = signal<{ readonly bytes?: number; readonly when?: number }>({});

/** What was chosen, so that a file which is missing can be added. */
let chosen: readonly File[] = [];
let noticeCount = 0;

export function notify(text: string, kind: Notice['kind'] = 'error'): void {
  const id = ++noticeCount;
  notices.value = [...notices.value.slice(-3), { id, text, kind }];
  if (kind === 'note') setTimeout(() => dismiss(id), 6000);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** Tells of a failure, unless the user wanted it. */
export function complain(error: unknown): void {
  if (error instanceof CallFailed && error.failure.family === 'cancelled') return;
  notify(error instanceof Error ? error.message : String(error));
}

export const tree: TreeModel = new TreeModel(complain);

export async function refreshStatistics(): Promise<void> {
  statistics.value = await call('statistics', {});
}

/** Opens files, an address or the demo. Files that were chosen before stay when one of the chain was missing and comes now. */
export async function open(what: { files?: readonly File[]; url?: string; demo?: boolean }): Promise<void> {
  const names = new Set(what.files?.map((file) => file.name));
  // The file that is missing completes those that were chosen before; another begins anew.
  const before = names.has(openFailure.value?.missing ?? '') ? chosen.filter((file) => !names.has(file.name)) : [];
  const files = [...before, ...(what.files ?? [])];
  opening.value = true;
  performance.mark('guestless:open');
  openFailure.value = undefined;
  try {
    const demo = ['demo-overlay.qcow2', 'demo.qcow2'].map((name) => [name, new URL(`demo/${name}`, document.baseURI).href] as const);
    const result = await call('open', {
      files,
      ...(what.url === undefined ? {} : { url: what.url }),
      ...(what.demo === true ? { demo } : {}),
    });
    chosen = [];
    changed.value = false;
    version.value = 0;
    packages.value = {};
    overview.value = undefined;
    opened.value = result;
    tab.value = 'overview';
    document.title = `${result.name} · guestless`;
    if (result.root !== undefined) void tree.reset().then(() => performance.mark('guestless:listed'));
    await loadOverview();
    kept.value = await call('kept', {});
  } catch (error) {
    if (error instanceof CallFailed) {
      openFailure.value = error.failure;
      chosen = error.failure.missing === undefined ? [] : files;
      if (opened.value !== undefined && overview.value === undefined) opened.value = undefined;
    } else throw error;
  } finally {
    opening.value = false;
    await refreshStatistics();
  }
}

export async function loadOverview(): Promise<void> {
  const result = await call('overview', {});
  overview.value = result;
  await refreshStatistics();
  // Over the network a package database is long: it is read when it is asked for.
  if (opened.value?.remote !== true) for (const system of result.systems) void countPackages(system.root);
}

export async function countPackages(root: string): Promise<void> {
  packages.value = { ...packages.value, [root]: 'counting' };
  try {
    packages.value = { ...packages.value, [root]: await call('packages', { root }) };
  } catch (error) {
    packages.value = { ...packages.value, [root]: { names: [], reason: error instanceof Error ? error.message : String(error) } };
  }
  await refreshStatistics();
}

export function closeDisk(): void {
  opened.value = undefined;
  overview.value = undefined;
  openFailure.value = undefined;
  chosen = [];
  document.title = 'guestless';
}

export async function showRoot(root: string): Promise<void> {
  try {
    opened.value = await call('mount', { root });
    tab.value = 'files';
    await tree.reset();
  } catch (error) {
    complain(error);
  }
}

/** Does something that changes the disk, and lets the views follow. */
export async function change(work: () => Promise<unknown>, folders: readonly string[]): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    complain(error);
    return false;
  } finally {
    changed.value = true;
    version.value++;
    for (const folder of folders) await tree.refresh(folder);
    await refreshStatistics();
  }
}

/** Something that takes long, with a bar and a way to stop it. */
export async function lengthy<T>(
  text: string,
  work: (part: (progress: Progress) => void, signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  busy.value = { text, stop };
  try {
    return await work((progress) => {
      busy.value = { text, progress, stop };
    }, controller.signal);
  } catch (error) {
    complain(error);
    return undefined;
  } finally {
    busy.value = undefined;
    await refreshStatistics();
  }
}

/** Gives a file that the worker wrote to the user. */
export function deliver(written: Written | undefined): void {
  if (written === undefined) return;
  for (const warning of written.warnings) notify(warning);
  if (written.file === undefined) {
    notify(`${written.name} is written.`, 'note');
    return;
  }
  const link = document.createElement('a');
  const url = URL.createObjectURL(written.file);
  link.href = url;
  link.download = written.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 600_000);
}

interface Picker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/** Bytes from which on the user is asked where to write: what is longer should not pass through storage of the browser. */
const ASK_FROM: number = 256 << 20;

/** Where something long goes; `undefined` for a download, `false` when the user thought better of it. */
export async function chooseTarget(name: string, size: number): Promise<FileSystemFileHandle | undefined | false> {
  const picker = window as unknown as Picker;
  if (picker.showSaveFilePicker === undefined || size < ASK_FROM) return undefined;
  try {
    return await picker.showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return false;
    return undefined;
  }
}
