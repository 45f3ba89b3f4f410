/** Settings of the handle, kept as values. */
import type { Io } from '../../io/effect.ts';
import type { Configuration } from '../configuration.ts';
import type { LibraryFunctions, Session } from '../session.ts';

// biome-ignore lint/correctness/useYield: answers from memory
function* get<T>(read: (configuration: Configuration) => T, session: Session): Io<T> {
  return read(session.configuration);
}

function reading<T>(read: (configuration: Configuration) => T): (session: Session) => Io<T> {
  return (session) => get(read, session);
}

function setting<A>(write: (configuration: Configuration, args: A) => void): (session: Session, args: A) => Io<void> {
  // biome-ignore lint/correctness/useYield: only remembers
  return function* (session, args) {
    write(session.configuration, args);
  };
}

export const configurationFunctions: LibraryFunctions = {
  get_append: reading((configuration) => configuration.append),
  set_append: setting((configuration, { append }) => {
    configuration.append = append;
  }),
  get_attach_method: reading(({ backend }) => (backend === 'direct' ? 'appliance' : backend)),
  set_attach_method: setting((configuration, { backend }) => configuration.setBackend(backend)),
  get_autosync: reading(({ autosync }) => autosync),
  set_autosync: setting((configuration, { autosync }) => {
    configuration.autosync = autosync;
  }),
  get_backend: reading(({ backend }) => backend),
  set_backend: setting((configuration, { backend }) => configuration.setBackend(backend)),
  get_backend_setting: (session, { name }) => get((configuration) => configuration.setting(name), session),
  set_backend_setting: setting((configuration, { name, val }) => configuration.setSetting(name, val)),
  clear_backend_setting: (session, { name }) => get((configuration) => configuration.clearSetting(name), session),
  get_backend_settings: reading(({ settings }) => settings),
  set_backend_settings: setting((configuration, { settings }) => configuration.setSettings(settings)),
  get_cachedir: reading(({ cachedir }) => cachedir),
  set_cachedir: setting((configuration, { cachedir }) => {
    configuration.cachedir = cachedir;
  }),
  get_direct: reading(({ direct }) => direct),
  set_direct: setting((configuration, { direct }) => {
    configuration.direct = direct;
  }),
  get_hv: reading(({ hv }) => hv),
  set_hv: setting((configuration, { hv }) => {
    configuration.hv = hv;
  }),
  get_qemu: reading(({ hv }) => hv),
  set_qemu: setting((configuration, { hv }) => {
    configuration.hv = hv ?? '';
  }),
  get_identifier: reading(({ identifier }) => identifier),
  set_identifier: setting((configuration, { identifier }) => {
    configuration.identifier = identifier;
  }),
  get_memsize: reading(({ memsize }) => memsize),
  set_memsize: setting((configuration, { memsize }) => {
    configuration.memsize = memsize;
  }),
  get_network: reading(({ network }) => network),
  set_network: setting((configuration, { network }) => {
    configuration.network = network;
  }),
  get_path: reading(({ path }) => path),
  set_path: setting((configuration, { searchpath }) => {
    configuration.path = searchpath ?? '';
  }),
  get_pgroup: reading(({ pgroup }) => pgroup),
  set_pgroup: setting((configuration, { pgroup }) => {
    configuration.pgroup = pgroup;
  }),
  get_program: reading(({ program }) => program),
  set_program: setting((configuration, { program }) => {
    configuration.program = program;
  }),
  get_recovery_proc: reading(({ recoveryProcess }) => recoveryProcess),
  set_recovery_proc: setting((configuration, { recoveryproc }) => {
    configuration.recoveryProcess = recoveryproc;
  }),
  get_selinux: reading(({ selinux }) => selinux),
  set_selinux: setting((configuration, { selinux }) => {
    configuration.selinux = selinux;
  }),
  get_smp: reading(({ smp }) => smp),
  set_smp: setting((configuration, { smp }) => {
    configuration.smp = smp;
  }),
  get_sockdir: (session) => get(() => session.host.environment('XDG_RUNTIME_DIR') ?? '/tmp', session),
  get_tmpdir: reading(({ tmpdir }) => tmpdir),
  set_tmpdir: setting((configuration, { tmpdir }) => {
    configuration.tmpdir = tmpdir;
  }),
  get_trace: reading(({ trace }) => trace),
  set_trace: setting((configuration, { trace }) => {
    configuration.trace = trace;
  }),
  get_verbose: reading(({ verbose }) => verbose),
  set_verbose: setting((configuration, { verbose }) => {
    configuration.verbose = verbose;
  }),
  parse_environment: setting((configuration) => configuration.parseEnvironment()),
  parse_environment_list: setting((configuration, { environment }) =>
    configuration.parseEnvironment((name) => environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1)),
  ),
};
