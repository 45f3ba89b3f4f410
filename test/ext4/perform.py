#!/usr/bin/env python3
"""Performs operations on a mounted tree as the kernel does them. Arguments: mount point. Standard input: a JSON list of operations whose
patterns were replaced by hexadecimal text. Standard output: a JSON list of `done` or the name of an errno for each."""
import ctypes
import errno
import json
import os
import stat
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long]
KINDS = {'character': stat.S_IFCHR, 'block': stat.S_IFBLK, 'fifo': stat.S_IFIFO, 'socket': stat.S_IFSOCK}
root = sys.argv[1]
os.umask(0)


def directory_of(path):
    """A descriptor of a path's directory and the last name; symbolic links are not followed."""
    here = os.open(root, os.O_PATH | os.O_DIRECTORY)
    *parts, name = [part for part in path.split('/') if part]
    for part in parts:
        try:
            below = os.open(part, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
        finally:
            os.close(here)
        here = below
    return here, name


def own(there, name, operation):
    """Owner after the creation, and the mode bits that creation leaves out or a change of the owner takes away."""
    before = os.stat(name, dir_fd=there, follow_symlinks=False)
    if 'uid' in operation or 'gid' in operation:
        os.chown(name, operation.get('uid', -1), operation.get('gid', -1), dir_fd=there, follow_symlinks=False)
    if operation['verb'] != 'symlink':
        mode = stat.S_IMODE(before.st_mode) | operation['mode'] & 0o7000
        if stat.S_IMODE(os.stat(name, dir_fd=there, follow_symlinks=False).st_mode) != mode:
            os.chmod(name, mode, dir_fd=there)


def on_file(there, name, body):
    kind = stat.S_IFMT(os.stat(name, dir_fd=there, follow_symlinks=False).st_mode)
    if kind != stat.S_IFREG:
        raise OSError(errno.EISDIR if kind == stat.S_IFDIR else errno.EINVAL, '')
    handle = os.open(name, os.O_WRONLY, dir_fd=there)
    try:
        body(handle)
    finally:
        os.close(handle)


def punch(handle, operation):
    if libc.fallocate(handle, 3, operation['offset'], operation['length']) != 0:
        raise OSError(ctypes.get_errno(), '')


def write(handle, offset, value):
    for done in range(0, len(value), 1 << 20):
        os.pwrite(handle, value[done:done + (1 << 20)], offset + done)


def set_attributes(there, name, attributes):
    if 'uid' in attributes or 'gid' in attributes:
        before = os.stat(name, dir_fd=there, follow_symlinks=False)
        os.chown(name, attributes.get('uid', -1), attributes.get('gid', -1), dir_fd=there, follow_symlinks=False)
        if not stat.S_ISLNK(before.st_mode):
            os.chmod(name, stat.S_IMODE(before.st_mode), dir_fd=there)
    if 'mode' in attributes:
        os.chmod(name, attributes['mode'], dir_fd=there)
    now = os.stat(name, dir_fd=there, follow_symlinks=False)
    in_ns = lambda time, old: old if time is None else time['seconds'] * 10**9 + time['nanoseconds']
    times = (in_ns(attributes.get('atime'), now.st_atime_ns), in_ns(attributes.get('mtime'), now.st_mtime_ns))
    if 'atime' in attributes or 'mtime' in attributes:
        os.utime(name, ns=times, dir_fd=there, follow_symlinks=False)


def perform(operation):
    verb = operation['verb']
    if verb == 'rename':
        there, name = directory_of(operation['path'])
        other, new_name = directory_of(operation['newPath'])
        try:
            os.rename(name, new_name, src_dir_fd=there, dst_dir_fd=other)
        finally:
            os.close(other)
            os.close(there)
        return
    there, name = directory_of(operation['path'])
    try:
        here = '/proc/self/fd/%d/%s' % (there, name)
        value = bytes.fromhex(operation.get('hex', ''))
        if verb == 'create':
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, operation['mode'], dir_fd=there))
            own(there, name, operation)
        elif verb == 'mkdir':
            os.mkdir(name, operation['mode'], dir_fd=there)
            own(there, name, operation)
        elif verb == 'symlink':
            os.symlink(operation['target'], name, dir_fd=there)
            own(there, name, operation)
        elif verb == 'mknod':
            os.mknod(name, operation['mode'] | KINDS[operation['kind']], os.makedev(operation['major'], operation['minor']), dir_fd=there)
            own(there, name, operation)
        elif verb == 'link':
            os.stat(name, dir_fd=there, follow_symlinks=False)
            other, new_name = directory_of(operation['newPath'])
            try:
                os.link(name, new_name, src_dir_fd=there, dst_dir_fd=other, follow_symlinks=False)
            finally:
                os.close(other)
        elif verb == 'unlink':
            os.unlink(name, dir_fd=there)
        elif verb == 'rmdir':
            os.rmdir(name, dir_fd=there)
        elif verb == 'write':
            on_file(there, name, lambda handle: write(handle, operation['offset'], value))
        elif verb == 'append':
            on_file(there, name, lambda handle: write(handle, os.fstat(handle).st_size, value))
        elif verb == 'truncate':
            on_file(there, name, lambda handle: os.ftruncate(handle, operation['size']))
        elif verb == 'punch':
            on_file(there, name, lambda handle: punch(handle, operation))
        elif verb == 'setAttributes':
            set_attributes(there, name, operation['attributes'])
        elif verb == 'setXattr':
            os.setxattr(here, operation['name'], value, follow_symlinks=False)
        elif verb == 'removeXattr':
            os.removexattr(here, operation['name'], follow_symlinks=False)
    finally:
        os.close(there)


outcomes = []
for operation in json.load(sys.stdin):
    try:
        perform(operation)
        outcomes.append('done')
    except OSError as error:
        outcomes.append(errno.errorcode[error.errno])
json.dump(outcomes, sys.stdout)
