/** `inject`: keys, network configuration, metadata, a password and files, as OpenStack nova puts them into a guest. */
import type { Bytes } from '../bytes/struct.ts';
import { type GuestlessError, Posix, Refused } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { type InjectionItem, type InjectionItems, injectDataIntoFs, type PasswordScheme } from '../vfs/inject.ts';
import { TreeVerbs } from '../vfs/tree-verbs.ts';
import type { Content } from '../vfs/verbs.ts';
import type { Run } from './declaration.ts';
import { withEditing } from './edit.ts';
import type { Host } from './host.ts';
import type { Invocation } from './invocation.ts';
import { Printer } from './output.ts';

/** Bytes of one file that is injected: they are held in memory, as nova holds them. */
const MAX_FILE: number = 64 << 20;
const MAX_TEXT: number = 1 << 20;

/** The items by their names on the command line, and by those that nova gives them. */
const ITEMS: Readonly<Record<string, InjectionItem>> = {
  key: 'key',
  net: 'net',
  meta: 'metadata',
  metadata: 'metadata',
  'admin-password': 'adminPassword',
  admin_password: 'adminPassword',
  adminPassword: 'adminPassword',
  file: 'files',
  files: 'files',
};

const OPTION_OF: Readonly<Record<InjectionItem, string>> = {
  key: '--key',
  net: '--net',
  metadata: '--meta',
  adminPassword: '--admin-password-file',
  files: '--file',
};

const SCHEMES: Readonly<Record<string, PasswordScheme>> = { sha512: 'sha512', md5: 'md5', des: 'des' };

export const inject: Run = function* (invocation, host, output): Io<number> {
  checkUse(invocation);
  const mandatory = invocation.values('--mandatory').flatMap((list) => list.split(',').map((name) => itemNamed(name, invocation)));
  const items = yield* readItems(invocation, host);
  const failed: { readonly item: string; readonly error: GuestlessError }[] = [];
  const complete = yield* withEditing(invocation, host, (tree) =>
    injectDataIntoFs(new TreeVerbs(tree), items, {
      mandatory,
      passwordScheme: SCHEMES[invocation.value('--password-scheme') ?? 'sha512'] ?? 'sha512',
      salt: () => salt(host.random(16)),
      warn: (item, error) => {
        const option = item === 'image' ? item : OPTION_OF[item];
        failed.push({ item: option.replace(/^--/, ''), error });
        host.warn(`${option} was not injected: ${error.message}`);
      },
    }),
  );
  if (output.json) {
    const printer = new Printer(output);
    const failures = failed.map(({ item, error: { message, family, code, where } }) => ({ item, error: message, family, code, where }));
    printer.text(JSON.stringify({ complete, failed: failures }));
    yield* printer.line();
    yield* printer.flush();
  }
  return complete ? 0 : 1;
};

function checkUse(invocation: Invocation): void {
  const given = Object.values(OPTION_OF).filter((option) => invocation.values(option).length > 0);
  if (given.length === 0) throw invocation.wrongUse(`nothing to inject: give one of ${Object.values(OPTION_OF).join(', ')}`);
  const sources = [
    invocation.value('--key'),
    invocation.value('--net'),
    invocation.value('--admin-password-file'),
    ...invocation.values('--file').map((text) => split(invocation, text, '--file', 'GUEST=HOST')[1]),
  ];
  if (sources.filter((name) => name === '-').length > 1) throw invocation.wrongUse("standard input ('-') can be read once only");
}

function itemNamed(name: string, invocation: Invocation): InjectionItem {
  const item = Object.hasOwn(ITEMS, name) ? ITEMS[name] : undefined;
  if (item === undefined)
    throw invocation.wrongUse(`--mandatory: there is no item '${name}'; items are key, net, meta, admin-password, file`);
  if (invocation.values(OPTION_OF[item]).length === 0) throw invocation.wrongUse(`--mandatory ${name}: ${OPTION_OF[item]} is not given`);
  return item;
}

/** `NAME=VALUE` in its two parts; the first `=` divides them. */
function split(invocation: Invocation, text: string, option: string, form: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0 || (option === '--file' && at === text.length - 1)) throw invocation.wrongUse(`${option} wants ${form}, not '${text}'`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function* readItems(invocation: Invocation, host: Host): Io<InjectionItems> {
  const files: [string, Content][] = [];
  for (const text of invocation.values('--file')) {
    const [guest, file] = split(invocation, text, '--file', 'GUEST=HOST');
    files.push([guest, yield* readFile(host, file)]);
  }
  const key = yield* readText(invocation, host, '--key');
  if (key?.includes('PRIVATE KEY-----') === true) {
    throw new Refused('this is a private key, which does not belong into a guest; give the public one (.pub)', {
      image: invocation.value('--key') ?? '',
    });
  }
  const password = yield* readText(invocation, host, '--admin-password-file');
  return {
    key: key ?? null,
    net: (yield* readText(invocation, host, '--net')) ?? null,
    metadata: Object.fromEntries(invocation.values('--meta').map((text) => split(invocation, text, '--meta', 'KEY=VALUE'))),
    adminPassword: password?.replace(/\r?\n$/, '') ?? null,
    files,
  };
}

function* readFile(host: Host, name: string): Io<Bytes> {
  try {
    return yield* host.readFile(name, MAX_FILE);
  } catch (error) {
    if (!(error instanceof Posix) || error.code !== 'EFBIG') throw error;
    throw new Posix(
      'EFBIG',
      { image: name },
      `too large to be injected (more than ${MAX_FILE >> 20} MiB); copy-in takes files of any size`,
    );
  }
}

/** The text in the file that an option names; undefined without that option. Throws Posix EINVAL when it is empty or no UTF-8. */
function* readText(invocation: Invocation, host: Host, option: string): Io<string | undefined> {
  const name = invocation.value(option);
  if (name === undefined) return undefined;
  const bytes = yield* host.readFile(name, MAX_TEXT);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Posix('EINVAL', { image: name }, `the file for ${option} is no UTF-8 text`);
  }
  if (text.trim() === '') throw new Posix('EINVAL', { image: name }, `the file for ${option} is empty`);
  return text;
}

const SALT_CHARACTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./';

/** Random bytes as crypt(3) wants its salts. */
function salt(random: Bytes): string {
  return Array.from(random, (byte) => SALT_CHARACTERS.charAt(byte & 63)).join('');
}
