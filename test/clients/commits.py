"""Changes that are saved again and again while the handle lives: every save has to see the image as the one before left it."""
import guestfs
import sys

image, fmt = sys.argv[1:3]
handle = guestfs.GuestFS(python_return_dict=True)
handle.add_drive_opts(image, format=fmt)
handle.launch()
handle.mount('/dev/sda2', '/')
for i in range(6):
    handle.write('/opt/f%d' % i, bytes([65 + i]) * 200000 * (i + 1))
    handle.mkdir_p('/opt/d/%d' % i)
    if i == 3:
        handle.rm('/opt/f0')
    handle.sync()
    if i % 2:
        handle.umount_all()
        handle.mount('/dev/sda2', '/')
    for k in range(1, i + 1):
        assert handle.read_file('/opt/f%d' % k) == bytes([65 + k]) * 200000 * (k + 1), (i, k)
handle.write('/opt/last', b'end')
handle.shutdown()
handle.close()

handle = guestfs.GuestFS(python_return_dict=True)
handle.add_drive_opts(image, format=fmt, readonly=1)
handle.launch()
handle.mount_ro('/dev/sda2', '/')
assert handle.read_file('/opt/last') == b'end'
assert not handle.exists('/opt/f0')
assert sorted(handle.ls('/opt/d')) == [str(i) for i in range(6)]
for k in range(1, 6):
    assert handle.read_file('/opt/f%d' % k) == bytes([65 + k]) * 200000 * (k + 1)
handle.close()
