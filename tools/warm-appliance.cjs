// Plays a client of libguestfs once, so that the stand-in leaves compiled code of what every client needs: node tools/warm-appliance.cjs IMAGE
// Whether the stand-in works is not for this script to judge.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guestless-warm-'));
const socket = path.join(folder, 'socket');

/** A call: its number and its arguments, which are strings and booleans alone. */
function call(number, ...values) {
  const parts = [Buffer.alloc(44)];
  for (const value of values) {
    const bytes = Buffer.from(value);
    const counted = Buffer.alloc(4 + Math.ceil(bytes.length / 4) * 4);
    counted.writeUInt32BE(bytes.length);
    bytes.copy(counted, 4);
    parts.push(counted);
  }
  const message = Buffer.concat(parts);
  message.writeUInt32BE(message.length - 4, 0);
  message.writeUInt32BE(0x2000f5f5, 4);
  message.writeUInt32BE(4, 8);
  message.writeUInt32BE(number, 12);
  return message;
}

// list_devices, list_partitions, list_filesystems, vfs_type, inspect_os, inspect_get_mountpoints, mount_ro, lstatns, ls0, download, internal_autosync
const calls = [
  call(7),
  call(8),
  call(476),
  call(198, '/dev/sda2'),
  call(480),
  call(500, '/dev/sda2'),
  call(73, '/dev/sda2', '/'),
  call(422, '/etc/passwd'),
  call(347, '/etc'),
  call(67, '/etc/passwd'),
  call(282),
];

const server = net.createServer((client) => {
  client.on('data', () => {});
  client.on('error', () => {});
  for (const message of calls) client.write(message);
  setTimeout(() => client.end(), 700);
});
server.listen(socket, () => {
  const drive = `file=${path.resolve(process.argv[2]).replaceAll(',', ',,')},cache=unsafe,id=hd0,if=none`;
  const tool = path.join(__dirname, '../dist/bundle/guestless.cjs');
  const child = spawn(process.execPath, [tool, 'appliance', 'serve', '-drive', drive, '-chardev', `socket,path=${socket},id=channel0`], {
    stdio: 'ignore',
  });
  const end = () => {
    server.close();
    fs.rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  };
  child.on('exit', end);
  setTimeout(end, 10_000).unref();
});
