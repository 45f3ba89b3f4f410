/** The settings of a handle of the client library. Most of them are about starting a virtual machine: they are kept, and mean nothing here. */
import { Posix } from '../errors.ts';
import { parseBoolean } from './number.ts';

export class Configuration {
  append: string | undefined;
  autosync = true;
  backend = 'direct';
  #settings: readonly string[] = [];
  #cachedir: string | undefined;
  direct = false;
  hv = '';
  #identifier = '';
  #memsize = 1280;
  network = false;
  path = '';
  pgroup = false;
  program = 'guestfish';
  recoveryProcess = true;
  selinux = false;
  #smp = 1;
  #tmpdir: string | undefined;
  trace = false;
  verbose = false;
  readonly #environment: (name: string) => string | undefined;

  constructor(environment: (name: string) => string | undefined = () => undefined) {
    this.#environment = environment;
    this.parseEnvironment();
  }

  /** What the variables of the environment say, which the client library reads when a handle is made. */
  parseEnvironment(environment: (name: string) => string | undefined = this.#environment): void {
    const set = (name: string, use: (value: string) => void): void => {
      const value = environment(name);
      if (value !== undefined && value !== '') use(value);
    };
    set('LIBGUESTFS_TRACE', (value) => {
      this.trace = truth(value, 'LIBGUESTFS_TRACE');
    });
    set('LIBGUESTFS_DEBUG', (value) => {
      this.verbose = truth(value, 'LIBGUESTFS_DEBUG');
    });
    set('LIBGUESTFS_TMPDIR', (value) => {
      this.tmpdir = value;
    });
    set('LIBGUESTFS_CACHEDIR', (value) => {
      this.cachedir = value;
    });
    set('LIBGUESTFS_PATH', (value) => {
      this.path = value;
    });
    for (const name of ['LIBGUESTFS_QEMU', 'LIBGUESTFS_HV']) {
      set(name, (value) => {
        this.hv = value;
      });
    }
    set('LIBGUESTFS_APPEND', (value) => {
      this.append = value;
    });
    set('LIBGUESTFS_MEMSIZE', (value) => {
      if (!/^[0-9]{1,9}$/.test(value)) throw new Posix('EINVAL', {}, `LIBGUESTFS_MEMSIZE is ${value}, which is no number`);
      this.memsize = Number(value);
    });
    for (const name of ['LIBGUESTFS_ATTACH_METHOD', 'LIBGUESTFS_BACKEND']) set(name, (value) => this.setBackend(value));
    set('LIBGUESTFS_BACKEND_SETTINGS', (value) => this.setSettings(value.split(':')));
  }

  setBackend(backend: string): void {
    if (backend !== 'direct' && backend !== 'appliance' && backend !== 'libvirt' && !/^(?:libvirt|unix):/.test(backend)) {
      throw new Posix('EINVAL', {}, `invalid backend: ${backend}`);
    }
    this.backend = backend === 'appliance' ? 'direct' : backend;
  }

  get identifier(): string {
    return this.#identifier;
  }

  set identifier(value: string) {
    if (!/^[A-Za-z0-9_-]*$/.test(value)) {
      throw new Posix('EINVAL', {}, `the identifier '${value}' has other characters than letters, digits, underscore and minus sign`);
    }
    this.#identifier = value;
  }

  get memsize(): number {
    return this.#memsize;
  }

  set memsize(value: number) {
    if (value < 256) throw new Posix('EINVAL', {}, `too small value for memsize: ${value}, at least 256 megabytes are needed`);
    this.#memsize = value;
  }

  get smp(): number {
    return this.#smp;
  }

  set smp(value: number) {
    if (value < 1) throw new Posix('EINVAL', {}, `invalid smp parameter: ${value}`);
    if (value > 255) throw new Posix('EINVAL', {}, `unsupported number of smp vcpus: ${value}`);
    this.#smp = value;
  }

  get tmpdir(): string {
    return this.#tmpdir ?? this.#environment('TMPDIR') ?? '/tmp';
  }

  set tmpdir(value: string | undefined) {
    this.#tmpdir = value;
  }

  get cachedir(): string {
    return this.#cachedir ?? this.#environment('TMPDIR') ?? '/var/tmp';
  }

  set cachedir(value: string | undefined) {
    this.#cachedir = value;
  }

  /** All settings of the backend, as `name=value` or a name alone. */
  get settings(): readonly string[] {
    return this.#settings;
  }

  setSettings(settings: readonly string[]): void {
    this.#settings = settings;
  }

  /** The value of a setting; of a name alone it is 1. */
  setting(name: string): string {
    for (const setting of this.#settings) {
      if (setting === name) return '1';
      if (setting.startsWith(`${name}=`)) return setting.slice(name.length + 1);
    }
    throw new Posix('ENOENT', {}, `there is no setting ${name}`);
  }

  setSetting(name: string, value: string): void {
    this.clearSetting(name);
    this.#settings = [...this.#settings, `${name}=${value}`];
  }

  /** How many there were. */
  clearSetting(name: string): number {
    const before = this.#settings.length;
    this.#settings = this.#settings.filter((setting) => setting !== name && !setting.startsWith(`${name}=`));
    return before - this.#settings.length;
  }
}

function truth(value: string, name: string): boolean {
  try {
    return parseBoolean(value, name);
  } catch {
    throw new Posix('EINVAL', {}, `${name} is ${value}, which is neither true nor false`);
  }
}
