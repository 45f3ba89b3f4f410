/** The options of the shell's command line, guestfish's own. */
import { ShellError } from './error.ts';

/** A drive that an option adds. */
export type DriveOption =
  | { readonly kind: 'image'; readonly name: string; readonly format?: string; readonly blockSize?: number }
  | { readonly kind: 'domain'; readonly name: string }
  | { readonly kind: 'prepared'; readonly recipe: string };

export interface MountOption {
  readonly device: string;
  readonly at: string;
  /** Options of mount(8); undefined to go by --ro. */
  readonly options?: string;
  readonly type?: string;
}

export interface Options {
  readonly drives: readonly DriveOption[];
  readonly mounts: readonly MountOption[];
  readonly inspect: boolean;
  readonly readOnly: boolean;
  /** A script to read commands from. */
  readonly file?: string;
  readonly verbose: boolean;
  readonly trace: boolean;
  readonly autosync: boolean;
  readonly network: boolean;
  readonly listen: boolean;
  readonly csh: boolean;
  /** The number of the process to control; `''` for that of the environment. */
  readonly remote?: string;
  readonly completePaths: boolean;
  readonly pipeErrors: boolean;
  /** Undefined to go by whether a person is there. */
  readonly progress?: boolean;
  /** Files and folders that images may name as their backing files, besides their own folders. */
  readonly allowed: readonly string[];
  /** Commands with their arguments. */
  readonly words: readonly string[];
}

/** What else a command line asks for. */
export type Asked =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' }
  | { readonly kind: 'command-help'; readonly command: string | undefined }
  | { readonly kind: 'prepared-help' };

type Value = 'none' | 'needed' | 'optional';

interface OptionFacts {
  readonly long?: string;
  readonly short?: string;
  readonly value: Value;
  readonly placeholder?: string;
  readonly help: string;
}

/** In the order in which help shows them. */
export const OPTIONS: readonly OptionFacts[] = [
  { short: 'a', long: 'add', value: 'needed', placeholder: 'IMAGE', help: 'add an image' },
  { long: 'format', value: 'optional', placeholder: 'FORMAT', help: 'the format of the images that follow; nothing: find it out' },
  { long: 'blocksize', value: 'optional', placeholder: '512|4096', help: 'bytes in a sector of the images that follow' },
  { short: 'd', long: 'domain', value: 'needed', placeholder: 'FILE', help: 'add the disks of a libvirt domain definition or an OVA file' },
  { short: 'N', long: 'new', value: 'needed', placeholder: '[FILE=]TYPE', help: 'make an image and add it; -N help lists the types' },
  { short: 'i', long: 'inspector', value: 'none', help: 'find the operating system and mount its file systems' },
  {
    short: 'm',
    long: 'mount',
    value: 'needed',
    placeholder: 'DEVICE[:DIRECTORY[:OPTIONS[:TYPE]]]',
    help: 'mount a device; default directory /',
  },
  { short: 'r', long: 'ro', value: 'none', help: 'changes are forgotten in the end' },
  { short: 'w', long: 'rw', value: 'none', help: 'changes are written into the images (the default)' },
  { short: 'f', long: 'file', value: 'needed', placeholder: 'FILE', help: 'read commands from a file' },
  { short: 'n', long: 'no-sync', value: 'none', help: 'at the end write nothing into the images; only sync does' },
  { long: 'listen', value: 'none', help: 'wait for commands in the background' },
  { long: 'csh', value: 'none', help: 'with --listen, print what a C shell understands' },
  { long: 'remote', value: 'optional', placeholder: 'PID', help: 'send commands to a process that listens' },
  { short: 'h', long: 'cmd-help', value: 'optional', placeholder: 'COMMAND', help: 'list commands, or tell of one' },
  { short: 'x', value: 'none', help: 'show each call before it is made' },
  { short: 'v', long: 'verbose', value: 'none', help: 'say more' },
  { short: 'V', long: 'version', value: 'none', help: 'print the version' },
  { long: 'help', value: 'none', help: 'this text' },
  { long: 'pipe-error', value: 'none', help: 'fail when a command after | stops reading' },
  { long: 'progress-bars', value: 'none', help: 'show progress also in scripts' },
  { long: 'no-progress-bars', value: 'none', help: 'never show progress' },
  { long: 'no-dest-paths', value: 'none', help: 'do not complete paths of the guest' },
  { long: 'allow-backing', value: 'needed', placeholder: 'PATH', help: 'images may use backing files there, too' },
  { short: 'c', long: 'connect', value: 'needed', placeholder: 'URI', help: 'refused: there is no libvirt here; -d takes a file' },
  { long: 'key', value: 'needed', placeholder: 'SELECTOR', help: 'ignored: encrypted disks cannot be opened' },
  { long: 'echo-keys', value: 'none', help: 'ignored' },
  { long: 'keys-from-stdin', value: 'none', help: 'ignored' },
  { long: 'network', value: 'none', help: 'kept as a setting; there is no guest that could use it' },
  { long: 'selinux', value: 'none', help: 'ignored' },
];

interface Occurrence {
  readonly name: string;
  readonly value: string | undefined;
}

function nameOf(facts: OptionFacts): string {
  return facts.long ?? facts.short ?? '';
}

/** Options and other words, as getopt_long(3) tells them apart: options stand anywhere, `--` ends them, long ones may be shortened. */
function separate(words: readonly string[]): { readonly found: readonly Occurrence[]; readonly rest: readonly string[] } {
  const found: Occurrence[] = [];
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') {
      rest.push(...words.slice(i + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word);
      continue;
    }
    const next = (): string => {
      const value = words[++i];
      if (value === undefined) throw new ShellError(`the option ${word} needs a value`);
      return value;
    };
    if (word.startsWith('--')) found.push(longOption(word, next));
    else found.push(...shortOptions(word, next));
  }
  return { found, rest };
}

function longOption(word: string, next: () => string): Occurrence {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
  const candidates = OPTIONS.filter((one) => one.long?.startsWith(name));
  const facts = candidates.find((one) => one.long === name) ?? (candidates.length === 1 ? candidates[0] : undefined);
  if (facts === undefined) {
    const meant = candidates.map((one) => `--${one.long}`).join(', ');
    throw new ShellError(candidates.length === 0 ? `there is no option --${name}; see --help` : `--${name} can be ${meant}`);
  }
  if (equals >= 0) {
    if (facts.value === 'none') throw new ShellError(`the option --${facts.long} takes no value`);
    return { name: nameOf(facts), value: word.slice(equals + 1) };
  }
  return { name: nameOf(facts), value: facts.value === 'needed' ? next() : undefined };
}

function shortOptions(word: string, next: () => string): Occurrence[] {
  const found: Occurrence[] = [];
  for (let k = 1; k < word.length; k++) {
    const letter = word.charAt(k);
    const facts = OPTIONS.find((one) => one.short === letter);
    if (facts === undefined) throw new ShellError(`there is no option -${letter}; see --help`);
    if (facts.value === 'none') {
      found.push({ name: nameOf(facts), value: undefined });
      continue;
    }
    const attached = k + 1 < word.length ? word.slice(k + 1) : undefined;
    found.push({ name: nameOf(facts), value: attached ?? (facts.value === 'needed' ? next() : undefined) });
    break;
  }
  return found;
}

/** What a command line asks for. Throws {@link ShellError}. */
export function parseOptions(words: readonly string[]): Asked {
  const { found, rest } = separate(words);
  const drives: DriveOption[] = [];
  const mounts: MountOption[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const allowed: string[] = [];
  let readOnly = false;
  let format: string | undefined;
  let blockSize: number | undefined;
  /** A format or block size that no image followed. */
  let unused: string | undefined;
  for (const { name, value } of found) {
    switch (name) {
      case 'help':
        return { kind: 'help' };
      case 'version':
        return { kind: 'version' };
      case 'cmd-help':
        return { kind: 'command-help', command: value ?? rest[0] };
      case 'add':
        drives.push({
          kind: 'image',
          name: value ?? '',
          ...(format === undefined ? {} : { format }),
          ...(blockSize === undefined ? {} : { blockSize }),
        });
        unused = undefined;
        break;
      case 'domain':
        drives.push({ kind: 'domain', name: value ?? '' });
        unused = undefined;
        break;
      case 'new':
        if (value === 'help') return { kind: 'prepared-help' };
        drives.push({ kind: 'prepared', recipe: value ?? '' });
        break;
      case 'format':
        format = value === undefined || value === 'auto' ? undefined : value;
        unused = '--format';
        break;
      case 'blocksize':
        if (value !== undefined && value !== '512' && value !== '4096') throw new ShellError(`--blocksize is 512 or 4096, not ${value}`);
        blockSize = value === undefined ? undefined : Number(value);
        unused = '--blocksize';
        break;
      case 'mount':
        mounts.push(parseMount(value ?? ''));
        break;
      case 'ro':
        readOnly = true;
        break;
      case 'rw':
        break;
      case 'allow-backing':
        allowed.push(value ?? '');
        break;
      case 'connect':
        throw new ShellError('there is no libvirt here: give -d a file with the definition of the domain (virsh dumpxml NAME)');
      case 'file':
        if (values.has('file')) throw new ShellError('-f can be given once');
        values.set('file', value ?? '');
        break;
      case 'progress-bars':
      case 'no-progress-bars':
        values.set('progress', name);
        break;
      case 'remote':
        values.set('remote', value ?? '');
        break;
      default:
        flags.add(name);
    }
  }
  if (unused !== undefined) throw new ShellError(`${unused} has to stand before the -a that it is about`);
  let commands = rest;
  if (flags.has('inspector') && drives.length === 0 && !values.has('remote')) {
    // The older form: the images are what follows.
    for (const name of rest) drives.push(/\.(?:xml|ova)$/i.test(name) ? { kind: 'domain', name } : { kind: 'image', name });
    commands = [];
  }
  const file = values.get('file');
  const remote = values.get('remote');
  const progress = values.get('progress');
  if (flags.has('listen') && commands.length > 0) throw new ShellError('with --listen there are no commands; send them with --remote');
  if (flags.has('listen') && remote !== undefined) throw new ShellError('--listen and --remote exclude each other');
  return {
    kind: 'run',
    options: {
      drives,
      mounts,
      inspect: flags.has('inspector'),
      readOnly,
      ...(file === undefined ? {} : { file }),
      verbose: flags.has('verbose'),
      trace: flags.has('x'),
      autosync: !flags.has('no-sync'),
      network: flags.has('network'),
      listen: flags.has('listen'),
      csh: flags.has('csh'),
      ...(remote === undefined ? {} : { remote }),
      completePaths: !flags.has('no-dest-paths'),
      pipeErrors: flags.has('pipe-error'),
      ...(progress === undefined ? {} : { progress: progress === 'progress-bars' }),
      allowed,
      words: commands,
    },
  };
}

/** `DEVICE[:DIRECTORY[:OPTIONS[:TYPE]]]`. */
function parseMount(text: string): MountOption {
  const [device = '', at, options, ...type] = text.split(':');
  return {
    device,
    at: at === undefined || at === '' ? '/' : at,
    ...(options === undefined ? {} : { options }),
    ...(type.length === 0 ? {} : { type: type.join(':') }),
  };
}

/** The options, for people. */
export function optionsHelp(): string {
  const lines = OPTIONS.map(({ short, long, placeholder, value, help }) => {
    const shown = placeholder === undefined ? '' : value === 'optional' ? `[=${placeholder}]` : ` ${placeholder}`;
    const names = [short === undefined ? [] : [`-${short}`], long === undefined ? [] : [`--${long}`]].flat().join(', ');
    return `  ${`${names}${shown}`.padEnd(34)} ${help}`;
  });
  return `guestless fish [OPTIONS] [COMMAND [ARGUMENT ...] [: COMMAND ...]]

The shell of libguestfs, guestfish, without its appliance. Without commands they are read from standard input.

${lines.join('\n')}

  guestless fish --ro -a disk.qcow2 -i cat /etc/os-release
  guestless fish -a disk.img run : list-filesystems
`;
}
