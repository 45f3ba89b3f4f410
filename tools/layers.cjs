// A room imports only from rooms above it in this list; doors stand at its end. See docs/architecture.md.
const ROOMS = [
  'errors',
  'bytes',
  'io',
  'codec',
  'qcow2',
  'image',
  'overlay',
  'partition',
  'filesystem',
  'ext4',
  'vfat',
  'iso9660',
  'magic',
  'packages',
  'guest',
  'augeas',
  'vfs',
  'testing',
  'commands',
  'guestfs',
  'shell',
  'wasi',
  'library',
  'appliance',
  'cli',
];
const at = (room) => (room === 'errors' ? '^src/errors[.]ts$' : `^src/${room}/`);
const upward = ROOMS.slice(0, -1).map((room, i) => ({
  name: `${room}-imports-upward`,
  severity: 'error',
  comment: `src/${room} may import only from ${ROOMS.slice(0, i).join(', ') || 'nothing'}`,
  from: { path: at(room) },
  to: { path: ROOMS.slice(i + 1).map(at) },
}));

module.exports = {
  forbidden: [
    ...upward,
    { name: 'no-circular', severity: 'error', from: { path: '^src' }, to: { circular: true } },
    {
      name: 'platform-only-from-doors',
      severity: 'error',
      comment: 'node: modules and the DOM are for src/platform; only doors import it',
      from: { path: '^src', pathNot: '^src/(platform|library|appliance|cli|index[.]ts$)' },
      to: { path: '^src/platform' },
    },
    {
      name: 'core-is-neutral',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/(platform/node|library|appliance|cli|index[.]ts$)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'platform-knows-no-format',
      severity: 'error',
      from: { path: '^src/platform' },
      to: { path: '^src/', pathNot: '^src/(platform|errors|bytes|io|codec)' },
    },
  ],
  options: { tsConfig: { fileName: 'tsconfig.core.json' }, tsPreCompilationDeps: true, doNotFollow: { path: 'node_modules' } },
};
