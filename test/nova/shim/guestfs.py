"""Stands in for libguestfs's Python module: what nova calls of it goes, as lines of JSON, to a Node.js process over this library."""
import base64
import json
import os
import subprocess

EVENT_APPLIANCE, EVENT_LIBRARY, EVENT_WARNING, EVENT_TRACE = 0x10, 0x20, 0x200, 0x40
HERE = os.path.dirname(os.path.abspath(__file__))


def event_to_string(event):
    return str(event)


class GuestFS:
    def __init__(self, python_return_dict=True, close_on_exit=True):
        node = os.environ.get('NODE', 'node')
        self._process = subprocess.Popen([node, os.path.join(HERE, 'bridge.mjs')], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _call(self, name, *parameters):
        if self._process is None:
            raise RuntimeError('%s: call on a closed handle' % name)
        encoded = [{'b64': base64.b64encode(p).decode()} if isinstance(p, bytes) else p for p in parameters]
        self._process.stdin.write(json.dumps([name, encoded]).encode() + b'\n')
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError('%s: the process has ended' % name)
        answer = json.loads(line)
        if 'error' in answer:
            raise RuntimeError('%s: %s' % (name, answer['error']))
        value = answer.get('value')
        return base64.b64decode(value['b64']) if isinstance(value, dict) and 'b64' in value else value

    def add_drive(self, path):
        return self._call('add_drive', path)

    def add_drive_opts(self, path, format=None, **options):
        if options:
            raise RuntimeError('add_drive_opts: %s' % ', '.join(options))
        return self._call('add_drive', path, format)

    def launch(self):
        return self._call('launch')

    def mount_options(self, options, device, mountpoint):
        return self._call('mount', device, mountpoint)

    def inspect_os(self):
        return self._call('inspect_os')

    def inspect_get_mountpoints(self, root):
        return [tuple(pair) for pair in self._call('inspect_get_mountpoints', root)]

    def aug_init(self, root, flags):
        return 0

    def aug_get(self, path):
        return self._call('aug_get', path)

    def aug_close(self):
        return 0

    def mkdir_p(self, path):
        return self._call('mkdir_p', path)

    def write(self, path, content):
        return self._call('write', path, content)

    def write_append(self, path, content):
        return self._call('write_append', path, content)

    def read_file(self, path):
        return self._call('read_file', path)

    def stat(self, path):
        return self._call('stat', path)

    def lstat(self, path):
        return self._call('lstat', path)

    def ln_s(self, target, link):
        return self._call('ln_s', target, link)

    def mkdir_mode(self, path, mode):
        return self._call('mkdir_mode', path, mode)

    def chmod(self, mode, path):
        return self._call('chmod', mode, path)

    def chown(self, owner, group, path):
        return self._call('chown', owner, group, path)

    def vfs_type(self, device):
        return self._call('vfs_type', device)

    def set_backend_settings(self, settings):
        return 0

    def set_trace(self, trace):
        pass

    def set_verbose(self, verbose):
        pass

    def set_event_callback(self, callback, events):
        return 0

    def shutdown(self):
        return self._call('shutdown')

    def close(self):
        if self._process is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
            self._process = None
