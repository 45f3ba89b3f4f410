/** Verbs about operating systems: what they are, where their file systems belong, what is installed in them. */
import { Posix } from '../../errors.ts';
import { type ApiAnswers, apiAnswers } from '../../guest/inspect/api-answers.ts';
import { type Application, listApplications, listRpmApplications } from '../../guest/inspect/applications.ts';
import { readIcon } from '../../guest/inspect/icon.ts';
import { inspect } from '../../guest/inspect/inspection.ts';
import type { Io } from '../../io/effect.ts';
import type { Application2Struct, ApplicationStruct } from '../api/calls.ts';
import type { Handle, StateKey } from './handle.ts';
import type { Verbs } from './verb.ts';

/** What the last `inspect_os` found, by the device of the root; the getters only look it up. */
interface Inspected {
  systems: ReadonlyMap<string, ApiAnswers> | undefined;
}
const INSPECTED: StateKey<Inspected> = { name: 'inspection', initial: () => ({ systems: undefined }) };

function systemOf(handle: Handle, root: string): ApiAnswers {
  const { systems } = handle.state(INSPECTED);
  if (systems === undefined) throw new Posix('EINVAL', {}, 'nothing was inspected yet: call inspect_os first');
  const system = systems.get(root);
  if (system === undefined) {
    throw new Posix('EINVAL', {}, `${root}: root device not found: this is no root that inspect_os gave`);
  }
  return system;
}

type Root = { readonly root: string };

/** A verb that gives one of the answers about a system. */
function answer<K extends keyof ApiAnswers>(key: K): (handle: Handle, args: Root) => Io<ApiAnswers[K]> {
  return function* (handle, { root }) {
    return systemOf(handle, root)[key];
  };
}

function* windowsOnly(handle: Handle, { root }: Root): Io<never> {
  systemOf(handle, root);
  throw new Posix('EINVAL', {}, `${root}: this is no Windows, or it could not be told`);
}

function application2(one: Application): Application2Struct {
  return {
    app2_name: one.name,
    app2_display_name: '',
    app2_epoch: one.epoch,
    app2_version: one.version,
    app2_release: one.release,
    app2_arch: one.arch,
    app2_install_path: '',
    app2_trans_path: '',
    app2_publisher: '',
    app2_url: one.url,
    app2_source_package: one.source,
    app2_summary: one.summary,
    app2_description: one.description,
    app2_spare1: '',
    app2_spare2: '',
    app2_spare3: '',
    app2_spare4: '',
  };
}

function application(one: Application): ApplicationStruct {
  return {
    app_name: one.name,
    app_display_name: '',
    app_epoch: one.epoch,
    app_version: one.version,
    app_release: one.release,
    app_install_path: '',
    app_trans_path: '',
    app_publisher: '',
    app_url: one.url,
    app_source_package: one.source,
    app_summary: one.summary,
    app_description: one.description,
  };
}

function* applicationsOf(handle: Handle, root: string) {
  const { type, packageFormat } = systemOf(handle, root);
  if (['deb', 'rpm', 'pacman', 'apk'].includes(packageFormat)) handle.requireMount();
  return yield* listApplications(handle.tree, type, packageFormat);
}

export const inspectionVerbs: Verbs = {
  inspect_os: {
    summary: 'looks for operating systems on all drives, and gives the devices of their roots',
    *run(handle) {
      yield* handle.unmountAll();
      const systems = new Map<string, ApiAnswers>();
      const skip = ({ device, error }: { readonly device: string; readonly error: Error }): void =>
        handle.host.warn(`${device}: ${error.message}`);
      for (const system of yield* inspect(handle.view(), skip)) systems.set(system.root, apiAnswers(system));
      handle.state(INSPECTED).systems = systems;
      return [...systems.keys()];
    },
  },
  inspect_get_roots: {
    summary: 'gives the roots that inspect_os found, without looking again',
    *run(handle) {
      return [...(handle.state(INSPECTED).systems?.keys() ?? [])];
    },
  },
  inspect_get_format: {
    summary: 'gives how the system came there, which is always that it was installed',
    *run() {
      return 'installed';
    },
  },
  inspect_get_type: {
    summary: 'gives the kind of the operating system, such as linux',
    run: answer('type'),
  },
  inspect_get_distro: {
    summary: 'gives the name of the distribution, such as debian',
    run: answer('distro'),
  },
  inspect_get_package_format: {
    summary: 'gives the format of the packages, such as deb',
    run: answer('packageFormat'),
  },
  inspect_get_package_management: {
    summary: 'gives the tool that installs packages, such as apt',
    run: answer('packageManagement'),
  },
  inspect_get_product_name: {
    summary: 'gives what the system calls itself',
    run: answer('productName'),
  },
  inspect_get_product_variant: {
    summary: 'gives the variant of a product, which only Windows has',
    *run(handle, { root }) {
      systemOf(handle, root);
      return 'unknown';
    },
  },
  inspect_get_build_id: {
    summary: 'gives the build of the system',
    run: answer('buildId'),
  },
  inspect_get_major_version: {
    summary: 'gives the first number of the version, 0 when it is not known',
    run: answer('majorVersion'),
  },
  inspect_get_minor_version: {
    summary: 'gives the second number of the version, 0 when it is not known',
    run: answer('minorVersion'),
  },
  inspect_get_arch: {
    summary: 'gives the architecture of the programs, such as x86_64',
    run: answer('arch'),
  },
  inspect_get_hostname: {
    summary: 'gives the name of the host',
    run: answer('hostname'),
  },
  inspect_get_mountpoints: {
    summary: 'gives mount points and their devices',
    run: answer('mountpoints'),
  },
  inspect_get_filesystems: {
    summary: 'gives all devices that the system uses, swap space too',
    run: answer('filesystems'),
  },
  inspect_get_drive_mappings: {
    summary: 'gives the drive letters, which only Windows has',
    *run(handle, { root }) {
      systemOf(handle, root);
      return [];
    },
  },
  inspect_get_osinfo: {
    summary: "gives libosinfo's short name of the system, such as debian12",
    run: answer('osinfo'),
  },
  inspect_get_windows_systemroot: {
    summary: 'gives the folder of Windows',
    run: windowsOnly,
  },
  inspect_get_windows_software_hive: {
    summary: 'gives the path of the software hive of Windows',
    run: windowsOnly,
  },
  inspect_get_windows_system_hive: {
    summary: 'gives the path of the system hive of Windows',
    run: windowsOnly,
  },
  inspect_get_windows_current_control_set: {
    summary: 'gives the current control set of Windows',
    run: windowsOnly,
  },
  inspect_get_windows_group_policy: {
    summary: 'tells whether a Windows has group policies',
    run: windowsOnly,
  },
  inspect_is_live: {
    summary: 'tells of live CDs, which are not recognised: always false',
    *run() {
      return false;
    },
  },
  inspect_is_netinst: {
    summary: 'tells of network installers, which are not recognised: always false',
    *run() {
      return false;
    },
  },
  inspect_is_multipart: {
    summary: 'tells of sets of installer disks, which are not recognised: always false',
    *run() {
      return false;
    },
  },
  internal_list_rpm_applications: {
    summary: "lists the packages of rpm's database in what is mounted",
    *run(handle) {
      handle.requireMount();
      return (yield* listRpmApplications(handle.tree)).map(application2);
    },
  },
  inspect_list_applications2: {
    summary: 'lists what is installed; the system has to be mounted',
    *run(handle, { root }) {
      return (yield* applicationsOf(handle, root)).map(application2);
    },
  },
  inspect_list_applications: {
    summary: 'lists what is installed, with fewer fields',
    *run(handle, { root }) {
      return (yield* applicationsOf(handle, root)).map(application);
    },
  },
  inspect_get_icon: {
    summary: 'gives a PNG icon of the system, empty when it has none; the system has to be mounted',
    *run(handle, { root, favicon, highquality }) {
      const { type, distro, majorVersion } = systemOf(handle, root);
      handle.requireMount();
      return yield* readIcon(handle.tree, { type, distribution: distro, major: majorVersion }, { favicon, highQuality: highquality });
    },
  },
};
