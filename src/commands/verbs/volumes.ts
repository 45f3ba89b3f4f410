/** Verbs about volumes made of several devices: LVM, MD, device mapper, Windows dynamic disks. There are none here, and the answers say so. */
import { Posix } from '../../errors.ts';
import type { Verb, Verbs } from './verb.ts';

/** A list of which nothing is there. */
function none<A, T>(what: string): Verb<A, readonly T[]> {
  return {
    summary: `lists ${what}; there are none`,
    *run() {
      return [];
    },
  };
}

/** Something that is done with all that there are: none. */
function nothing<A>(summary: string): Verb<A, void> {
  return { summary: `${summary}; there are none`, *run() {} };
}

function noGroup(name: string): never {
  throw new Posix('ENOENT', {}, `there is no volume group '${name}'`);
}

function noVolume(name: string): never {
  throw new Posix('ENOENT', {}, `there is no logical volume '${name}'`);
}

export const volumeVerbs: Verbs = {
  pvs: none('physical volumes'),
  vgs: none('volume groups'),
  lvs: none('logical volumes'),
  pvs_full: none('physical volumes and all about them'),
  vgs_full: none('volume groups and all about them'),
  lvs_full: none('logical volumes and all about them'),
  lvm_remove_all: nothing('removes all logical volumes, volume groups and physical volumes'),
  vgscan: nothing('looks for volume groups'),
  lvm_scan: nothing('looks for logical volumes'),
  lvm_set_filter: nothing('has volumes looked for on some devices only'),
  lvm_clear_filter: nothing('has volumes looked for on all devices'),
  vg_activate_all: nothing('activates or deactivates all volume groups'),
  pvchange_uuid_all: nothing('gives all physical volumes new UUIDs'),
  vgchange_uuid_all: nothing('gives all volume groups new UUIDs'),
  vg_activate: {
    summary: 'activates or deactivates volume groups; there are none',
    *run(_, { volgroups }) {
      const [first] = volgroups;
      if (first !== undefined) noGroup(first);
    },
  },
  is_lv: {
    summary: 'tells whether a device is a logical volume; none is',
    *run() {
      return false;
    },
  },
  lvm_canonical_lv_name: {
    summary: 'gives the usual name of a logical volume; there are none',
    *run(_, { lvname }) {
      throw new Posix('EINVAL', { path: lvname }, 'this is no logical volume');
    },
  },
  lvrename: {
    summary: 'renames a logical volume; there are none',
    *run(_, { logvol }) {
      noVolume(logvol);
    },
  },
  vgrename: {
    summary: 'renames a volume group; there are none',
    *run(_, { volgroup }) {
      noGroup(volgroup);
    },
  },
  lvuuid: {
    summary: 'gives the UUID of a logical volume; there are none',
    *run(_, { device }) {
      return noVolume(device);
    },
  },
  pvuuid: {
    summary: 'gives the UUID of a physical volume; there are none',
    *run(_, { device }) {
      throw new Posix('EINVAL', { path: device }, 'this is no physical volume');
    },
  },
  vguuid: {
    summary: 'gives the UUID of a volume group; there are none',
    *run(_, { vgname }) {
      return noGroup(vgname);
    },
  },
  vgpvuuids: {
    summary: 'gives the UUIDs of the physical volumes of a volume group; there are none',
    *run(_, { vgname }) {
      return noGroup(vgname);
    },
  },
  vglvuuids: {
    summary: 'gives the UUIDs of the logical volumes of a volume group; there are none',
    *run(_, { vgname }) {
      return noGroup(vgname);
    },
  },
  list_dm_devices: none('devices of the device mapper'),
  list_md_devices: none('MD devices'),
  list_ldm_volumes: none('volumes of Windows dynamic disks'),
  list_ldm_partitions: none('partitions of Windows dynamic disks'),
};
