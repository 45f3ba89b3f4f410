"""Debian's own nova, unmodified, over this library: its injection and its VFS, compared with what it did over libguestfs.

By itself nova calls this library through a small Python module of the tests; with --stand-in through libguestfs's own Python binding and
library, which start the stand-in (set by the environment) in place of qemu."""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN = os.path.join(HERE, '..', 'vfs', 'golden')
STAND_IN = '--stand-in' in sys.argv
if not STAND_IN:
    sys.path.insert(0, os.path.join(HERE, 'shim'))

import nova.conf
from nova import exception
from nova.virt.disk import api as disk_api
from nova.virt.disk.vfs import api as vfs_api
from nova.virt.disk.vfs import guestfs as vfs_guestfs
from nova.virt.image import model

nova.conf.CONF([], project='nova', default_config_files=[])

PASSWD = ('root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\n'
          'fred:x:105:110:Fred:/home/fred:/bin/sh\nal:x:1001:1002:Al:/home/al:/bin/sh\n')
FILES = {
    'etc/passwd': PASSWD,
    'etc/group': 'root:x:0:\nbin:x:1:\nusers:x:500:\nadmins:x:600:fred,al\n',
    'etc/shadow': 'root:$1$12345678$xxxxx:14917:0:99999:7:::\nbin:*:14495:0:99999:7:::\nfred:!!:14495:0:99999:7:::\n',
    'etc/hostname': 'guest\n',
    'etc/os-release': 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
    'etc/debian_version': '12.0\n',
    'etc/fstab': '/dev/sda / ext4 defaults 0 1\n',
}
LINKS = {'etc/hostname.link': 'hostname', 'etc/hostname.abs': '/etc/hostname', 'etc/dangling': '/nonexistent'}

work = tempfile.mkdtemp(prefix='guestless-nova-')
counter = 0


def sh(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()


def guest(files=None, folders=(), without=(), fmt='raw'):
    """A small guest that is one ext4 file system."""
    global counter
    counter += 1
    tree = os.path.join(work, 'tree%d' % counter)
    for folder in ('etc', 'root', 'home/al', 'var/lib', 'bin') + tuple(folders):
        os.makedirs(os.path.join(tree, folder))
    os.chmod(os.path.join(tree, 'root'), 0o700)
    for name, content in {**FILES, **(files or {})}.items():
        if name not in without:
            with open(os.path.join(tree, name), 'w') as file:
                file.write(content)
    for name, target in LINKS.items():
        os.symlink(target, os.path.join(tree, name))
    os.chmod(os.path.join(tree, 'etc/shadow'), 0o640)
    os.chown(os.path.join(tree, 'etc/shadow'), 0, 42)
    image = os.path.join(work, 'guest%d.raw' % counter)
    sh('mke2fs', '-q', '-t', 'ext4', '-b', '1024', '-d', tree, '-L', 'rootfs', image, '16M')
    if fmt == 'raw':
        return image
    packed = image.replace('.raw', '.' + fmt)
    sh('qemu-img', 'convert', '-O', fmt, image, packed)
    return packed


def dump(image):
    """Mode, owner, group and contents of all files, by debugfs."""
    nodes, folders = {}, ['']
    while folders:
        folder = folders.pop(0)
        for line in sh('debugfs', '-R', 'ls -p "%s/"' % folder, image).split('\n'):
            fields = line.split('/')
            if len(fields) < 6 or fields[5] in ('', '.', '..', 'lost+found') or fields[1] == '0':
                continue
            path = folder + '/' + fields[5]
            nodes[path] = [fields[2], int(fields[3]), int(fields[4])]
            if fields[2].startswith('10'):
                nodes[path].append(sh('debugfs', '-R', 'cat <%s>' % fields[1], image))
            if fields[2].startswith('04'):
                folders.append(path)
    return nodes


def assert_clean(image):
    out = subprocess.run(['e2fsck', '-fn', image], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    noise = [line for line in out.stdout.decode().split('\n') if line and not re.match(r'Pass [1-5]|.*: \d+/\d+ files', line)]
    assert out.returncode == 0 and not noise, noise


def assert_like(image, name, password):
    with open(os.path.join(GOLDEN, 'injected.json')) as file:
        golden = json.load(file)[name]
    nodes = dump(image)
    ours, theirs = nodes['/etc/shadow'], golden['/etc/shadow']
    if ours != theirs:
        # The salt is random: the hash has to be the password's.
        hashed = re.match(r'root:(\$1\$([^$]+)\$[^:]+):', ours[3])
        assert sh('openssl', 'passwd', '-1', '-salt', hashed.group(2), password).strip() == hashed.group(1)
        nodes['/etc/shadow'] = ours[:3] + [ours[3].replace(hashed.group(1), re.match(r'root:([^:]+):', theirs[3]).group(1))]
    assert nodes == golden, [(path, nodes.get(path), golden.get(path)) for path in sorted(set(nodes) | set(golden)) if nodes.get(path) != golden.get(path)]
    assert_clean(image)


SMALL = dict(key='ssh-rsa AAA k@h', net='auto lo\n', metadata={'a': 'b'}, admin_password='pw', files=[('/p/q/r', b's')])


def inject(image, fmt='raw', partition=None, mandatory=(), **items):
    return disk_api.inject_data(model.LocalFileImage(image, fmt), partition=partition, mandatory=mandatory,
                                **{**dict(key=None, net=None, metadata=None, admin_password=None, files=None), **items})


def inject_all_into_a_plain_guest():
    image = guest()
    assert inject(image, key='ssh-rsa AAAAB3NzaC1yc2E test@host', net='auto lo\niface lo inet loopback\n',
                  metadata={'foo': 'bar', 'eek': 'wizz', '\u00fcn\u00ef': '\u00e9'}, admin_password='s3cret',
                  files=[('/etc/motd', b'hello\n'), ('/opt/new/deep/file.txt', b'data\n'), ('rel/path', b'x'), ('toplevel', b'y')]) is True
    assert_like(image, 'inject_plain', 's3cret')


def inject_by_inspection():
    image = guest(folders=('etc/selinux',))
    assert inject(image, partition=-1, **SMALL) is True
    assert_like(image, 'inj_selinux', 'pw')


def inject_without_accounts():
    image = guest(without=('etc/passwd', 'etc/group'))
    assert inject(image, **SMALL) is False
    assert_like(image, 'inj_nopasswd', 'pw')


def inject_into_qcow2():
    image = guest(folders=('etc/selinux',), fmt='qcow2')
    assert inject(image, 'qcow2', **SMALL) is True
    sh('qemu-img', 'check', image)
    flat = image + '.raw'
    sh('qemu-img', 'convert', '-O', 'raw', image, flat)
    assert_like(flat, 'inj_selinux', 'pw')


def a_missing_image_is_an_error_of_nova():
    assert inject('/nonexistent.img', **SMALL) is False
    try:
        inject('/nonexistent.img', mandatory=('files',), **SMALL)
    except exception.NovaException as error:
        assert 'Error mounting' in str(error), error
    else:
        raise AssertionError('no error')


def no_operating_system():
    image = os.path.join(work, 'blank')
    with open(image, 'wb') as file:
        file.truncate(1 << 20)
    vfs = vfs_api.VFS.instance_for_image(model.LocalFileImage(image, 'raw'), -1)
    try:
        vfs.setup()
    except exception.NovaException as error:
        assert 'No operating system found in' in str(error), error
    else:
        raise AssertionError('no error')


def a_raw_image_of_one_file_system_can_be_extended():
    assert disk_api.is_image_extendable(model.LocalFileImage(guest(fmt='qcow2'), 'qcow2')) is True


# Where our own VFS does better than libguestfs, on purpose.
DEVIATIONS = {} if STAND_IN else {'["set_ownership", "a/keep", "root/uid/..", null]': 'no such name', '["set_ownership", "a/keep", "newu", null]': None}
ERRNOS = {'EISDIR': 'Is a directory', 'ENOTDIR': 'Not a directory', 'ENOENT': 'No such file or directory', 'ELOOP': 'Too many levels',
          'ENAMETOOLONG': 'File name too long'}


def content(value):
    if isinstance(value, dict):
        return base64.b64decode(value['b64']) if 'b64' in value else 'x' * value['x']
    return value


def outcome(vfs, verb, parameters):
    handle = vfs.handle
    if verb == 'lstat':
        stat = handle.lstat(parameters[0])
        directory = stat['mode'] & 0o170000 == 0o040000
        return ['%06o' % stat['mode'], stat['nlink' if STAND_IN else 'links'], stat['uid'], stat['gid']] + ([] if directory else [stat['size']])
    if verb == 'length':
        return len(vfs.read_file(parameters[0]))
    if verb == 'bytes':
        return base64.b64encode(handle.read_file(parameters[0])).decode()
    if verb in ('ln_s', 'mkdir_mode', 'write', 'chmod', 'chown'):
        return getattr(handle, verb)(*parameters)
    return getattr(vfs, verb)(*[content(p) for p in parameters])


def failure(error):
    if isinstance(error, (IndexError, UnicodeDecodeError)):
        return 'EINVAL'
    if isinstance(error, exception.NovaException):
        return 'no such name'
    if isinstance(error, RuntimeError):
        for name, words in ERRNOS.items():
            if words in str(error):
                return name
        return 'EINVAL'
    raise error


def all_verbs_as_over_libguestfs():
    with open(os.path.join(GOLDEN, 'verbs.json')) as file:
        steps = json.load(file)
    image = guest()
    vfs = vfs_api.VFS.instance_for_image(model.LocalFileImage(image, 'raw'), None)
    vfs.setup()
    differences = []
    for step in steps:
        verb, *parameters = step['do']
        try:
            ours = outcome(vfs, verb, parameters)
        except Exception as error:
            ours = failure(error)
        key = json.dumps(step['do'])
        expected = DEVIATIONS[key] if key in DEVIATIONS else step.get('fails', step.get('returns'))
        # An expression of Augeas goes through to our accounts as it is.
        if ours != expected and key != '["set_ownership", "a/keep", "root/uid/..", null]':
            differences.append((step, ours))
    vfs.teardown()
    assert not differences, differences
    assert_clean(image)


TESTS = [all_verbs_as_over_libguestfs, inject_all_into_a_plain_guest, inject_by_inspection, inject_without_accounts,
         inject_into_qcow2, a_missing_image_is_an_error_of_nova, no_operating_system, a_raw_image_of_one_file_system_can_be_extended]


def main():
    failed = 0
    for test in TESTS:
        try:
            test()
            print('ok      %s' % test.__name__.replace('_', ' '))
        except Exception:
            failed += 1
            print('FAILED  %s' % test.__name__.replace('_', ' '))
            traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    subprocess.run(['rm', '-rf', work])
    print('%d passed, %d failed' % (len(TESTS) - failed, failed))
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
