/** `-N`: new images with partitions and file systems on them. */
import { Unsupported } from '../errors.ts';
import type { Io } from '../io/effect.ts';
import { diskName, partitionName } from '../partition/index.ts';
import { ShellError } from './error.ts';
import { parseInt64 } from './number.ts';
import type { Session } from './session.ts';

interface Recipe {
  readonly name: string;
  readonly help: string;
  /** Parameters with their defaults. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Fills the drive once it is open. */
  fill(session: Session, device: string, value: (name: string) => string): Io<void>;
}

const SIZE = ['size', '1G'] as const;
const TABLE = ['partition', 'mbr'] as const;
/** Sectors before the first partition, and behind the last. */
const MARGIN = 64;

function* formatted(session: Session, device: string, type: string): Io<void> {
  yield* session.call('mkfs', { fstype: type, device });
}

// biome-ignore lint/correctness/useYield: a recipe like the others
function* volumes(): Io<never> {
  throw new Unsupported('LVM', 'logical volumes cannot be made; -N fs and -N bootroot do without');
}

const RECIPES: readonly Recipe[] = [
  { name: 'disk', help: 'an image of zeros', parameters: [SIZE], *fill() {} },
  {
    name: 'part',
    help: 'one partition',
    parameters: [SIZE, TABLE],
    *fill(session, device, value) {
      yield* session.call('part_disk', { device, parttype: value('partition') });
    },
  },
  {
    name: 'fs',
    help: 'one partition with a file system',
    parameters: [['filesystem', 'ext2'], SIZE, TABLE],
    *fill(session, device, value) {
      yield* session.call('part_disk', { device, parttype: value('partition') });
      yield* formatted(session, partitionName(device, 1), value('filesystem'));
    },
  },
  { name: 'lv', help: 'a logical volume: not supported', parameters: [['name', '/dev/VG/LV'], SIZE, TABLE], fill: volumes },
  {
    name: 'lvfs',
    help: 'a logical volume with a file system: not supported',
    parameters: [['name', '/dev/VG/LV'], ['filesystem', 'ext2'], SIZE, TABLE],
    fill: volumes,
  },
  {
    name: 'bootroot',
    help: 'two partitions with file systems, for /boot and /',
    parameters: [['bootfs', 'ext2'], ['rootfs', 'ext2'], SIZE, ['bootsize', '128M'], TABLE],
    *fill(session, device, value) {
      yield* session.call('part_init', { device, parttype: value('partition') });
      const sector = yield* session.call('blockdev_getss', { device });
      const last = MARGIN + Math.floor(sizeOf(value('bootsize')) / sector) - 1;
      yield* session.call('part_add', { device, prlogex: 'primary', startsect: MARGIN, endsect: last });
      yield* session.call('part_add', { device, prlogex: 'primary', startsect: last + 1, endsect: -MARGIN });
      yield* formatted(session, partitionName(device, 1), value('bootfs'));
      yield* formatted(session, partitionName(device, 2), value('rootfs'));
    },
  },
  {
    name: 'bootrootlv',
    help: 'a partition and a logical volume: not supported',
    parameters: [['name', '/dev/VG/LV'], ['bootfs', 'ext2'], ['rootfs', 'ext2'], SIZE, ['bootsize', '128M'], TABLE],
    fill: volumes,
  },
];

function sizeOf(text: string): number {
  const size = Number(parseInt64(text, 'size'));
  if (!(size > 0 && Number.isSafeInteger(size))) throw new ShellError(`${text} is no size of an image`);
  return size;
}

/**
 * Makes and adds the image of `[FILE=]TYPE[:PARAMETER...]`, under the name `test<N>.img` where none is given; what is returned fills it
 * when the drives are open. Throws {@link ShellError}.
 */
export function* prepareDisk(session: Session, recipe: string, number: number): Io<() => Io<void>> {
  const equals = recipe.indexOf('=');
  const file = equals < 0 ? `test${number}.img` : recipe.slice(0, equals);
  const [type = '', ...given] = recipe.slice(equals + 1).split(':');
  const found = RECIPES.find((one) => one.name === type);
  if (found === undefined) throw new ShellError(`-N knows no "${type}"; there are ${RECIPES.map((one) => one.name).join(', ')}`);
  if (given.length > found.parameters.length) throw new ShellError(`-N ${type} takes ${found.parameters.length} parameters at most`);
  if (found.fill === volumes) yield* volumes();
  const value = (name: string): string => {
    const at = found.parameters.findIndex(([one]) => one === name);
    const own = given[at];
    return own === undefined || own === '' ? (found.parameters[at]?.[1] ?? '') : own;
  };
  yield* session.host.createDisk(file, sizeOf(value('size')), false);
  yield* session.addDrive({ name: file, readOnly: false, format: 'raw' });
  const device = diskName(session.drives.length - 1);
  return () => found.fill(session, device, value);
}

/** The types of images, for people. */
export function preparedHelp(): string {
  const lines = RECIPES.map(({ name, help, parameters }) => {
    const shown = parameters.map(([parameter, value]) => `[:${parameter}=${value}]`).join('');
    return `  -N [FILE=]${name}${shown}\n      ${help}\n`;
  });
  return `New images; parameters stand in this order, without their names:\n\n${lines.join('')}`;
}
