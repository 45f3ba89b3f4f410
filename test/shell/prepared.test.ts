import * as fs from 'node:fs';
import * as path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../support/images.ts';
import { e2fsckComplaints, fsckVfatComplaints, must } from '../support/oracle.ts';
import { fish } from './shell.ts';

/** The partitions of an image in files of their own. */
function partitions(image: string): string[] {
  const table = JSON.parse(must('sfdisk', '-J', image)) as { partitiontable: { partitions: { start: number; size: number }[] } };
  const bytes = fs.readFileSync(image);
  return table.partitiontable.partitions.map(({ start, size }, i) => {
    const file = `${image}.${i + 1}`;
    fs.writeFileSync(file, bytes.subarray(start * 512, (start + size) * 512));
    return file;
  });
}

describe('-N', () => {
  it('makes a partition with a file system, which can be mounted at once', async () => {
    const image = path.join(scratchFolder(), 'new.img');
    const { status, stderr } = await fish(['-N', `${image}=fs:ext4:16M`, '-m', '/dev/sda1', 'write', '/hello', 'world']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: [] });
    const [file = ''] = partitions(image);
    expect(e2fsckComplaints(file)).toBe('');
    expect(must('debugfs', '-R', 'cat /hello', file)).toBe('world');
  });

  it('makes partitions for /boot and / where guestfish makes them', async () => {
    const image = path.join(scratchFolder(), 'new.img');
    const { stdout } = await fish(['-N', `${image}=bootroot:vfat:ext2:64M:16M`, 'part-list', '/dev/sda']);
    // From the real guestfish with the same parameters.
    expect([...stdout.matchAll(/part_(?:start|end): ([0-9]+)/g)].map(([, number]) => Number(number))).toEqual([
      32768, 16809983, 16809984, 67076607,
    ]);
    const [boot = '', root = ''] = partitions(image);
    expect(fsckVfatComplaints(boot)).toBe('');
    expect(e2fsckComplaints(root)).toBe('');
  });

  it('says what it cannot make', async () => {
    const image = path.join(scratchFolder(), 'new.img');
    expect(await fish(['-N', `${image}=lvfs`, 'echo', 'x'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: [expect.stringContaining('logical volumes')],
    });
    expect(fs.existsSync(image)).toBe(false);
    expect(await fish(['-N', `${image}=nosuch`, 'echo', 'x'])).toMatchObject({ status: 1 });
    expect(await fish(['-N', `${image}=disk:1.5M`, 'echo', 'x'])).toMatchObject({ status: 1 });
  });
});
