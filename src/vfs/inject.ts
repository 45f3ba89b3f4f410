/**
 * Injection of keys, network configuration, metadata, the administrator's password and files, as OpenStack nova does it
 * (`nova/virt/disk/api.py`): the same bytes, modes, order and results. What nova gets wrong by an accident of Python is put right; the
 * list stands in docs/vfs.md.
 */
import { decodeName, encodeName } from '../bytes/text.ts';
import { GuestlessError, Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { replacePassword } from './accounts.ts';
import { desCrypt } from './crypt/des-crypt.ts';
import { md5Crypt } from './crypt/md5-crypt.ts';
import { sha512Crypt } from './crypt/sha512-crypt.ts';
import { type Json, pythonJson, pythonStrip } from './python-text.ts';
import type { Content, VfsVerbs } from './verbs.ts';

/** What to inject; what is absent or empty is passed over. The order of this list is the order of injection. */
export interface InjectionItems {
  /** A public SSH key for root. */
  readonly key?: string | null;
  /** The text of /etc/network/interfaces. */
  readonly net?: string | null;
  /** Written as JSON to /meta.js. */
  readonly metadata?: { readonly [key: string]: Json } | null;
  /** The new password of root. */
  readonly adminPassword?: string | null;
  /** Guest paths and their contents. */
  readonly files?: readonly (readonly [path: string, content: Content])[] | null;
}

export type InjectionItem = keyof InjectionItems;

export type PasswordScheme = 'md5' | 'des' | 'sha512';

export interface InjectionOptions {
  /** Items whose failure ends the injection with its error; the others only make the result false. */
  readonly mandatory?: readonly InjectionItem[];
  /** Sixteen characters of `[a-zA-Z0-9./]` for the password hash; the caller brings the randomness. */
  readonly salt: () => string;
  /** nova's own is MD5-crypt. */
  readonly passwordScheme?: PasswordScheme;
  /** Told about each failure that is not mandatory. */
  readonly warn?: (item: InjectionItem | 'image', error: GuestlessError) => void;
}

const ITEMS: readonly InjectionItem[] = ['key', 'net', 'metadata', 'adminPassword', 'files'];

/** Whether there is anything to inject for an item: nova passes over every value that Python calls false. */
export function isWanted(items: InjectionItems, item: InjectionItem): boolean {
  const value = items[item];
  if (value === undefined || value === null) return false;
  if (typeof value === 'string' || Array.isArray(value)) return value.length > 0;
  return Object.keys(value).length > 0;
}

/** Throws Refused for names that are no items: a misspelt `mandatory` must not pass silently. */
export function checkMandatory(mandatory: readonly string[]): void {
  for (const name of mandatory) {
    if (!(ITEMS as readonly string[]).includes(name))
      throw new Refused(`there is no item "${name}" to inject; items are ${ITEMS.join(', ')}`);
  }
}

/**
 * Injects into a file system that is already set up. True when everything that was wanted is in; false when something that was not
 * mandatory failed. A mandatory failure is thrown at once and what comes after it is not attempted.
 */
export function* injectDataIntoFs(fs: VfsVerbs, items: InjectionItems, options: InjectionOptions): Io<boolean> {
  const mandatory = options.mandatory ?? [];
  checkMandatory(mandatory);
  let complete = true;
  for (const item of ITEMS) {
    if (!isWanted(items, item)) continue;
    try {
      yield* injectItem(fs, item, items, options);
    } catch (error) {
      if (!(error instanceof GuestlessError) || mandatory.includes(item)) throw error;
      options.warn?.(item, error);
      complete = false;
    }
  }
  return complete;
}

function* injectItem(fs: VfsVerbs, item: InjectionItem, items: InjectionItems, options: InjectionOptions): Io<void> {
  switch (item) {
    case 'key':
      return yield* injectKey(fs, items.key ?? '');
    case 'net':
      return yield* injectNet(fs, items.net ?? '');
    case 'metadata':
      return yield* fs.replaceFile('meta.js', pythonJson(items.metadata ?? {}));
    case 'adminPassword':
      return yield* injectAdminPassword(fs, items.adminPassword ?? '', options);
    case 'files':
      for (const [path, content] of items.files ?? []) yield* injectFile(fs, path, content);
  }
}

function* injectKey(fs: VfsVerbs, key: string): Io<void> {
  const folder = 'root/.ssh';
  const file = `${folder}/authorized_keys`;
  yield* fs.makePath(folder);
  yield* fs.setOwnership(folder, 'root', 'root');
  yield* fs.setPermissions(folder, 0o700);
  yield* fs.appendFile(file, `\n# The following ssh key was injected by Nova\n${pythonStrip(key)}\n`);
  yield* fs.setPermissions(file, 0o600);
  yield* restoreContextAtBoot(fs, folder);
}

/** On a guest with SELinux the new files get their labels at the next boot, by a line in rc.local. */
function* restoreContextAtBoot(fs: VfsVerbs, folder: string): Io<void> {
  if (!(yield* fs.hasFile('etc/selinux'))) return;
  let rcLocal = 'etc/rc.local';
  if (!(yield* fs.hasFile(rcLocal)) && (yield* fs.hasFile('etc/rc.d'))) rcLocal = 'etc/rc.d/rc.local';
  const start = (yield* fs.hasFile(rcLocal)) ? '' : '#!/bin/sh';
  yield* fs.appendFile(
    rcLocal,
    `${start}\n# Added by Nova to ensure injected ssh keys have the right context\nrestorecon -RF ${folder} 2>/dev/null || :\n`,
  );
  yield* fs.setPermissions(rcLocal, 0o700);
}

function* injectNet(fs: VfsVerbs, net: string): Io<void> {
  yield* makeOwnedPath(fs, 'etc/network');
  yield* fs.replaceFile('etc/network/interfaces', net);
}

/** nova makes directories 0744: useless to anyone but root, kept because guests are compared by it. */
function* makeOwnedPath(fs: VfsVerbs, path: string): Io<void> {
  yield* fs.makePath(path);
  yield* fs.setOwnership(path, 'root', 'root');
  yield* fs.setPermissions(path, 0o744);
}

function* injectAdminPassword(fs: VfsVerbs, password: string, options: InjectionOptions): Io<void> {
  // The databases may hold bytes of any encoding in their comment fields; they must come back as they were.
  const passwd = decodeName(yield* fs.readFileBytes('etc/passwd'));
  const shadow = yield* fs.readFileBytes('etc/shadow');
  const hash = hashPassword(password, options.salt(), options.passwordScheme ?? 'md5');
  yield* fs.replaceFile('etc/shadow', encodeName(replacePassword(passwd, decodeName(shadow), 'root', hash)));
}

/** The hash of a password under a scheme of crypt(3). */
export function hashPassword(password: string, salt: string, scheme: PasswordScheme): string {
  if (scheme === 'sha512') return sha512Crypt(password, salt);
  return scheme === 'des' ? desCrypt(password, salt) : md5Crypt(password, salt);
}

function* injectFile(fs: VfsVerbs, path: string, content: Content): Io<void> {
  const parent = posixDirname(path);
  if (parent !== '' && parent !== '/' && !(yield* fs.hasFile(parent))) yield* makeOwnedPath(fs, parent);
  yield* fs.replaceFile(path, content);
}

/** Python's `posixpath.dirname`: what stands before the last slash, without trailing slashes unless it is nothing but slashes. */
export function posixDirname(path: string): string {
  const head = path.slice(0, path.lastIndexOf('/') + 1);
  return /^\/*$/.test(head) ? head : head.replace(/\/+$/, '');
}
