// A libguestfs handle over this library, as far as nova uses one: requests and answers are lines of JSON.
import { createInterface } from 'node:readline';
import { findSystems } from '../../../dist/guest/inspect/index.js';
import {
  EditableTree,
  EditSession,
  mountAll,
  nodeCodecs,
  openImageFile,
  runSync,
  syncFace,
  TreeVerbs,
  WriteBack,
} from '../../../dist/index.js';
import { commitHost, openTemporary } from '../../../dist/platform/node/index.js';
import { numericId } from '../../../dist/vfs/accounts.js';

let drive;
let opened;
const tree = new EditableTree();
const files = syncFace(tree);
const verbs = syncFace(new TreeVerbs(tree));

const bytesOf = (value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.b64, 'base64'));

function systems() {
  return runSync(findSystems(opened.session.view()));
}

function end() {
  if (opened === undefined) return;
  const { session, image, back } = opened;
  opened = undefined;
  runSync(tree.flush());
  runSync(back.commit(image, session.overlay));
  session.close();
  image.close();
}

const statOf = ({ mode, links, uid, gid, size }) => ({ mode, links, uid, gid, size });

const calls = {
  add_drive: (path, format) => {
    drive = { path, format };
  },
  launch: () => {
    if (drive.path === '/dev/null') return;
    const back = runSync(WriteBack.prepare(commitHost(drive.path), { codecs: nodeCodecs, temporary: () => openTemporary() }));
    const image = runSync(openImageFile(drive.path, drive.format == null ? {} : { format: drive.format }));
    opened = { image, back, session: new EditSession(image, { overlay: { temporary: () => openTemporary() } }) };
  },
  mount: (device, at) => {
    runSync(mountAll(tree, opened.session.disk, [{ device, at, wanted: true }]));
  },
  inspect_os: () => systems().map(({ root }) => root),
  inspect_get_mountpoints: (root) =>
    systems()
      .filter((system) => system.root === root)
      .flatMap(({ mounts }) => mounts.map(({ path, device, spec }) => [path, device ?? spec])),
  aug_get: (path) => {
    const [, file, name, field] = /^\/files(\/etc\/(?:passwd|group))\/(.*)\/([ug]id)$/.exec(path) ?? [];
    const id = file === undefined ? undefined : numericId(files.readText(file), name);
    if (id === undefined) throw new Error(`no matching node ${field}`);
    return String(id);
  },
  mkdir_p: (path) => verbs.makePath(path),
  write: (path, content) => verbs.replaceFile(path, bytesOf(content)),
  write_append: (path, content) => verbs.appendFile(path, bytesOf(content)),
  read_file: (path) => ({ b64: Buffer.from(verbs.readFileBytes(path)).toString('base64') }),
  stat: (path) => statOf(files.stat(path)),
  lstat: (path) => statOf(files.lstat(path)),
  ln_s: (target, link) => files.symlink(target, link),
  mkdir_mode: (path, mode) => files.mkdir(path, { mode }),
  chmod: (mode, path) => verbs.setPermissions(path, mode),
  chown: (uid, gid, path) => files.chown(path, uid === -1 ? undefined : uid, gid === -1 ? undefined : gid),
  vfs_type: (device) => runSync(opened.session.view().identify(device))?.type ?? '',
  shutdown: end,
};

createInterface({ input: process.stdin }).on('line', (line) => {
  let answer;
  try {
    const [name, parameters] = JSON.parse(line);
    const value = calls[name](...parameters);
    answer = { value: value ?? null };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
