/** Random calls on an ext4 image and on the model file system: the same answers, the same tree, and a clean image. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GuestlessError } from '../../src/errors.ts';
import { EditableTree } from '../../src/guest/index.ts';
import { LocalFileImage, openGuestSync, VFS } from '../../src/index.ts';
import { runSync, syncFace } from '../../src/io/index.ts';
import { compareTrees, MemoryFileSystem } from '../../src/testing/index.ts';
import { TreeVerbs } from '../../src/vfs/index.ts';
import { e2fsckComplaints } from '../support/oracle.ts';
import { guestImage } from './guests.ts';

const PASSWD = 'root:x:0:0::/:\nada:x:1000:1000::/:\n';

/** Paths that meet: directories, files, links that lead somewhere, nowhere, in circles and out of the root. */
const anyPath = fc
  .array(fc.constantFrom('a', 'b', 'c', 'link', 'dangling', 'loop', 'out', '..', '.', 'etc', 'passwd'), { minLength: 1, maxLength: 4 })
  .chain((names) => fc.constantFrom(names.join('/'), `/${names.join('//')}`, `${names.join('/')}/`));

const anyContent = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('', 'x'.repeat(5000), 'y'.repeat(70_000)));
const anyName = fc.constantFrom(null, 'root', 'ada', 'nobody');

type Verbs = ReturnType<typeof syncFace<TreeVerbs>>;
type Call = readonly [string, (verbs: Verbs) => unknown];

const anyCall: fc.Arbitrary<Call> = fc.oneof(
  anyPath.map((path): Call => [`makePath ${path}`, (verbs) => verbs.makePath(path)]),
  fc.tuple(anyPath, anyContent).map(([path, content]): Call => [`appendFile ${path}`, (verbs) => verbs.appendFile(path, content)]),
  fc.tuple(anyPath, anyContent).map(([path, content]): Call => [`replaceFile ${path}`, (verbs) => verbs.replaceFile(path, content)]),
  anyPath.map((path): Call => [`readFile ${path}`, (verbs) => verbs.readFile(path)]),
  anyPath.map((path): Call => [`hasFile ${path}`, (verbs) => verbs.hasFile(path)]),
  fc
    .tuple(anyPath, fc.constantFrom(0, 0o644, 0o2775, 0o6755, 0o7777, 0o100600, -1))
    .map(([path, mode]): Call => [`setPermissions ${path} ${mode}`, (verbs) => verbs.setPermissions(path, mode)]),
  fc
    .tuple(anyPath, anyName, anyName)
    .map(([path, user, group]): Call => [`setOwnership ${path} ${user} ${group}`, (verbs) => verbs.setOwnership(path, user, group)]),
);

function answer(call: Call, verbs: Verbs): unknown {
  try {
    return call[1](verbs) ?? 'done';
  } catch (error) {
    if (error instanceof GuestlessError) return error.code;
    throw error;
  }
}

test('random verbs answer on ext4 as on the model, and leave the same tree', () => {
  const links = { link: { link: 'a' }, dangling: { link: '/a/new' }, loop: { link: 'loop' }, out: { link: '../../c' } } as const;
  const image = guestImage({ etc: { directory: 0o755 }, 'etc/passwd': PASSWD, 'etc/group': PASSWD, ...links }, { bare: true });
  fc.assert(
    fc.property(fc.array(anyCall, { minLength: 10, maxLength: 60 }), (calls) => {
      const model = new EditableTree();
      runSync(model.mount(new MemoryFileSystem(), '/'));
      const files = model.sync;
      files.mkdir('/lost+found', { mode: 0o700 });
      files.mkdir('/etc');
      for (const file of ['/etc/passwd', '/etc/group']) files.writeFile(file, Buffer.from(PASSWD));
      for (const [name, { link }] of Object.entries(links)) files.symlink(link, `/${name}`);
      const modelVerbs = syncFace(new TreeVerbs(model));

      const vfs = VFS.instanceForImage(new LocalFileImage(image, 'raw'), null, { snapshot: true }).sync;
      vfs.setup();
      for (const call of calls) expect([call[0], answer(call, vfs as unknown as Verbs)]).toEqual([call[0], answer(call, modelVerbs)]);
      vfs.teardown();

      // The same again on a guest, to compare the trees.
      const guest = openGuestSync(image, { write: true, partition: 0 });
      for (const call of calls) answer(call, syncFace(new TreeVerbs(guest.io)));
      const [ours, theirs] = [guest.io.mounts[0], model.mounts[0]];
      if (ours === undefined || theirs === undefined) throw new Error('nothing is mounted');
      expect(runSync(compareTrees(ours.fileSystem, theirs.fileSystem, { times: false }))).toEqual([]);
      guest.close();
    }),
    { numRuns: 200 },
  );
  expect(e2fsckComplaints(image)).toBe('');
});

test('what random verbs leave in an image is clean', () => {
  fc.assert(
    fc.property(fc.array(anyCall, { minLength: 20, maxLength: 60 }), (calls) => {
      const image = guestImage({ etc: { directory: 0o755 }, 'etc/passwd': PASSWD, 'etc/group': PASSWD }, { bare: true });
      const vfs = VFS.instanceForImage(new LocalFileImage(image, 'raw')).sync;
      vfs.setup();
      for (const call of calls) answer(call, vfs as unknown as Verbs);
      vfs.teardown();
      expect(e2fsckComplaints(image)).toBe('');
    }),
    { numRuns: 8 },
  );
});
