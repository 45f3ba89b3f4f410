/** Small WebAssembly modules, put together byte by byte (WebAssembly core specification, chapter 5). */

const I32 = 0x7f;
const I64 = 0x7e;
export type ValueType = 'i32' | 'i64';

export interface ModuleOptions {
  /** Functions that are imported, numbered from 0 on; they give an i32 unless `result` is false. */
  readonly imports?: readonly {
    readonly module?: string;
    readonly name: string;
    readonly parameters: readonly ValueType[];
    readonly result?: boolean;
  }[];
  /** The instructions of `_start`, without the end. */
  readonly code: readonly number[];
  /** How `_start` is exported; default that. */
  readonly start?: string;
  /** Whether the memory, of one page, is exported; default true. */
  readonly memory?: boolean;
  /** Text at address 0 of the memory. */
  readonly data?: string;
}

/** An unsigned number as LEB128. */
export function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

/** `i32.const`, signed LEB128. */
export function i32(value: number): number[] {
  const bytes = [0x41];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    if ((rest >> 7 === 0 && (low & 0x40) === 0) || (rest >> 7 === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** `i64.const` of a small number. */
export function i64(value: number): number[] {
  return [0x42, ...i32(value).slice(1)];
}

/** `call`, and the result dropped. */
export function callAndDrop(index: number): number[] {
  return [0x10, ...leb(index), 0x1a];
}

function text(value: string): number[] {
  const bytes = [...new TextEncoder().encode(value)];
  return [...leb(bytes.length), ...bytes];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

/** A module that imports functions of WASI and exports `_start`. */
export function buildModule(options: ModuleOptions): Uint8Array<ArrayBuffer> {
  const imports = options.imports ?? [];
  const types = [
    [0x60, 0, 0],
    ...imports.map(({ parameters, result }) => [
      0x60,
      ...vector(parameters.map((type) => [type === 'i32' ? I32 : I64])),
      ...(result === false ? [0] : [1, I32]),
    ]),
  ];
  const exported = [[...text(options.start ?? '_start'), 0, ...leb(imports.length)]];
  if (options.memory !== false) exported.push([...text('memory'), 2, 0]);
  const body = [0, ...options.code, 0x0b];
  const data = options.data === undefined ? [] : section(11, vector([[0, ...i32(0), 0x0b, ...text(options.data)]]));
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(
      2,
      vector(imports.map(({ module, name }, i) => [...text(module ?? 'wasi_snapshot_preview1'), ...text(name), 0, ...leb(i + 1)])),
    ),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, 1]])),
    ...section(7, vector(exported)),
    ...section(10, vector([[...leb(body.length), ...body]])),
    ...data,
  ]);
}
