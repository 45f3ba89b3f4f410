/**
 * Names of other files inside an image, read as QEMU reads them (block.c: path_combine, bdrv_parse_filename; the `json:` form).
 *
 * These are pure functions; whether a name may be opened is the gate's decision.
 */
import { Refused, Unsupported, type Where } from '../errors.ts';

/** A file that an image names: its path as it would be opened, and the format if the name itself says so. */
export interface ResolvedName {
  readonly path: string;
  readonly format?: string;
  /** The name is absolute, or relative to the process instead of the image's folder (`file:`, `json:`). */
  readonly outside: boolean;
}

/** The folder part of a name with its slash, empty when there is none. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

/** The protocol of a name such as `nbd://host` or `a:b`: a colon before the first slash. */
export function protocolOf(name: string): string | undefined {
  const colon = name.indexOf(':');
  const slash = name.indexOf('/');
  return colon >= 0 && (slash < 0 || colon < slash) ? name.slice(0, colon) : undefined;
}

/**
 * Resolves a backing file's name against the name of the image that holds it, as the caller named it (a symbolic link is not followed).
 * `file:` and `json:` names are relative to the process in QEMU, and marked as outside. Throws Unsupported for protocols, by name.
 */
export function resolveBackingName(name: string, imageName: string, where: Where): ResolvedName {
  const protocol = protocolOf(name);
  if (protocol === 'json') return resolveJson(name.slice('json:'.length), where);
  if (protocol === 'file') return { path: name.slice('file:'.length), outside: true };
  if (protocol !== undefined)
    throw new Unsupported(`protocol ${protocol}`, `the image refers to "${name}": protocol ${protocol} is not supported`, where);
  return resolvePath(name, imageName);
}

/** Resolves a data file's name: always a plain path, whatever it looks like. */
export function resolveDataName(name: string, imageName: string): ResolvedName {
  return resolvePath(name, imageName);
}

function resolvePath(name: string, imageName: string): ResolvedName {
  if (name.startsWith('/')) return { path: name, outside: true };
  return { path: folderOf(imageName) + name, outside: false };
}

/** Nesting of `json:` options. */
const MAX_DEPTH = 8;
const FORMATS: ReadonlySet<string> = new Set(['raw', 'qcow2']);

/** `json:{"driver":"qcow2","file":{"driver":"file","filename":"base"}}`, also with dotted keys such as `file.filename`. */
function resolveJson(text: string, where: Where): ResolvedName {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Refused('the image refers to a json: name that is no JSON', where, { cause: error });
  }
  let format: string | undefined;
  let node = parsed;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const options = flatten(node);
    const driver = options.get('driver');
    const nested = options.get('file');
    if (nested !== undefined && typeof nested === 'object') {
      if (typeof driver === 'string') {
        if (!FORMATS.has(driver))
          throw new Unsupported(`driver ${driver}`, `the image refers to a json: name with driver ${driver}`, where);
        format ??= driver;
      }
      for (const key of options.keys()) {
        if (key !== 'driver' && key !== 'file')
          throw new Unsupported(`json: option ${key}`, `the image refers to a json: name with option ${key}`, where);
      }
      node = nested;
      continue;
    }
    const filename = options.get('filename');
    if (driver !== undefined && driver !== 'file') {
      // A format driver over nothing but a name, or a protocol.
      throw new Unsupported(`driver ${String(driver)}`, `the image refers to a json: name with driver ${String(driver)}`, where);
    }
    if (typeof filename !== 'string' || filename === '') break;
    for (const key of options.keys()) {
      if (key !== 'driver' && key !== 'filename')
        throw new Unsupported(`json: option ${key}`, `the image refers to a json: name with option ${key}`, where);
    }
    return { path: filename, ...(format === undefined ? {} : { format }), outside: true };
  }
  throw new Refused('the image refers to a json: name without a file name', where);
}

/** The options of one node, with `file.x.y` folded into an object under `file`. */
function flatten(node: unknown): Map<string, unknown> {
  const options = new Map<string, unknown>();
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return options;
  const dotted: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    if (key.startsWith('file.')) dotted[key.slice('file.'.length)] = value;
    else options.set(key, value);
  }
  if (Object.keys(dotted).length > 0) {
    const given = options.get('file');
    options.set('file', { ...(given !== null && typeof given === 'object' ? given : {}), ...dotted });
  }
  return options;
}
