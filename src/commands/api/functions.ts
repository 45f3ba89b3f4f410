// Made by tools/make-guestfs-api.js from tools/guestfs-api.json; not to be edited.
/**
 * The functions of libguestfs, one a line: name, procedure number (`-`: the client library does it), result, arguments, optional
 * arguments after `?` in the order of their bits, notes after `@`.
 */
export const FUNCTIONS: string = `
mount 1 RErr mountable:Mountable mountpoint:PlainString
sync 2 RErr
touch 3 RErr path:Pathname
ll 5 RString directory:Pathname
list_devices 7 RStringList:Device
list_partitions 8 RStringList:Device
pvs 9 RStringList:Device @group=lvm2
vgs 10 RStringList @group=lvm2
lvs 11 RStringList:Device @group=lvm2
pvs_full 12 RStructList:lvm_pv @group=lvm2
vgs_full 13 RStructList:lvm_vg @group=lvm2
lvs_full 14 RStructList:lvm_lv @group=lvm2
aug_init 16 RErr root:Pathname flags:Int
aug_defvar 17 RInt name:PlainString expr:OptString
aug_defnode 18 RStruct:int_bool name:PlainString expr:PlainString val:PlainString
aug_get 19 RString augpath:PlainString
aug_set 20 RErr augpath:PlainString val:PlainString
aug_insert 21 RErr augpath:PlainString label:PlainString before:Bool
aug_rm 22 RInt augpath:PlainString
aug_mv 23 RErr src:PlainString dest:PlainString
aug_match 24 RStringList augpath:PlainString
aug_save 25 RErr
aug_close 26 RErr
aug_load 27 RErr
aug_ls 28 RStringList augpath:PlainString
rm 29 RErr path:Pathname
rmdir 30 RErr path:Pathname
rm_rf 31 RErr path:Pathname
mkdir 32 RErr path:Pathname
mkdir_p 33 RErr path:Pathname
chmod 34 RErr mode:Int path:Pathname
chown 35 RErr owner:Int group:Int path:Pathname
exists 36 RBool path:Pathname
is_file 37 RBool path:Pathname ?followsymlinks:Bool
is_dir 38 RBool path:Pathname ?followsymlinks:Bool
pvcreate 39 RErr device:Device @group=lvm2
vgcreate 40 RErr volgroup:PlainString physvols:StringList<Device> @group=lvm2
lvcreate 41 RErr logvol:PlainString volgroup:PlainString mbytes:Int @group=lvm2
sfdisk 43 RErr device:Device cyls:Int heads:Int sectors:Int lines:StringList @deprecated=part_add
write_file 44 RErr path:Pathname content:PlainString size:Int @deprecated=write
umount 45 RErr pathordevice:Dev_or_Path ?force:Bool ?lazyunmount:Bool @aliases=unmount
mounts 46 RStringList:Mountable
umount_all 47 RErr @aliases=unmount-all
lvm_remove_all 48 RErr @group=lvm2
file 49 RString path:Dev_or_Path
command 50 RString arguments:StringList
command_lines 51 RStringList arguments:StringList
statvfs 54 RStruct:statvfs path:Pathname
tune2fs_l 55 RHashtable device:Device
blockdev_setro 56 RErr device:Device
blockdev_setrw 57 RErr device:Device
blockdev_getro 58 RBool device:Device
blockdev_getss 59 RInt device:Device
blockdev_getbsz 60 RInt device:Device
blockdev_setbsz 61 RErr device:Device blocksize:Int @deprecated
blockdev_getsz 62 RInt64 device:Device
blockdev_getsize64 63 RInt64 device:Device
blockdev_flushbufs 64 RErr device:Device
blockdev_rereadpt 65 RErr device:Device
upload 66 RErr filename:FileIn remotefilename:Dev_or_Path @progress
download 67 RErr remotefilename:Dev_or_Path filename:FileOut @progress
checksum 68 RString csumtype:PlainString path:Pathname
tar_in 69 RErr tarfile:FileIn directory:Pathname ?compress:PlainString ?xattrs:Bool ?selinux:Bool ?acls:Bool ?keepdirlink:Bool
tar_out 70 RErr directory:PlainString tarfile:FileOut ?compress:PlainString ?numericowner:Bool ?excludes:StringList ?xattrs:Bool ?selinux:Bool ?acls:Bool
tgz_in 71 RErr tarball:FileIn directory:Pathname @deprecated=tar_in
tgz_out 72 RErr directory:Pathname tarball:FileOut @deprecated=tar_out
mount_ro 73 RErr mountable:Mountable mountpoint:PlainString
mount_options 74 RErr options:PlainString mountable:Mountable mountpoint:PlainString
mount_vfs 75 RErr options:PlainString vfstype:PlainString mountable:Mountable mountpoint:PlainString
debug 76 RString subcmd:PlainString extraargs:StringList @visibility=debug
lvremove 77 RErr device:Device @group=lvm2
vgremove 78 RErr vgname:PlainString @group=lvm2
pvremove 79 RErr device:Device @group=lvm2
set_e2label 80 RErr device:Device label:PlainString @deprecated=set_label
get_e2label 81 RString device:Device @deprecated=vfs_label
set_e2uuid 82 RErr device:Device uuid:PlainString @deprecated=set_uuid
get_e2uuid 83 RString device:Device @deprecated=vfs_uuid
fsck 84 RInt fstype:PlainString device:Device
zero 85 RErr device:Device @progress
grub_install 86 RErr root:Pathname device:Device @group=grub
cp 87 RErr src:Pathname dest:Pathname
cp_a 88 RErr src:Pathname dest:Pathname
mv 89 RErr src:Pathname dest:Pathname
drop_caches 90 RErr whattodrop:Int
dmesg 91 RString
ping_daemon 92 RErr
equal 93 RBool file1:Pathname file2:Pathname
strings 94 RStringList path:Pathname
strings_e 95 RStringList encoding:PlainString path:Pathname
hexdump 96 RString path:Pathname
zerofree 97 RErr device:Device @group=zerofree
pvresize 98 RErr device:Device @group=lvm2
sfdisk_N 99 RErr device:Device partnum:Int cyls:Int heads:Int sectors:Int line:PlainString @deprecated=part_add
sfdisk_l 100 RString:Device device:Device @deprecated=part_list
sfdisk_kernel_geometry 101 RString device:Device
sfdisk_disk_geometry 102 RString device:Device
vg_activate_all 103 RErr activate:Bool @group=lvm2
vg_activate 104 RErr activate:Bool volgroups:StringList @group=lvm2
lvresize 105 RErr device:Device mbytes:Int @group=lvm2
resize2fs 106 RErr device:Device
e2fsck_f 108 RErr device:Device @deprecated=e2fsck
sleep 109 RErr secs:Int
ntfs_3g_probe 110 RInt rw:Bool device:Device @group=ntfs3g
sh 111 RString command:PlainString
sh_lines 112 RStringList command:PlainString
glob_expand 113 RStringList pattern:Pathname ?directoryslash:Bool
scrub_device 114 RErr device:Device @group=scrub
scrub_file 115 RErr file:Pathname @group=scrub
scrub_freespace 116 RErr dir:Pathname @group=scrub
mkdtemp 117 RString tmpl:Pathname
wc_l 118 RInt path:Pathname
wc_w 119 RInt path:Pathname
wc_c 120 RInt path:Pathname
head 121 RStringList path:Pathname
head_n 122 RStringList nrlines:Int path:Pathname
tail 123 RStringList path:Pathname
tail_n 124 RStringList nrlines:Int path:Pathname
df 125 RString
df_h 126 RString
du 127 RInt64 path:Pathname @progress
initrd_list 128 RStringList path:Pathname
mount_loop 129 RErr file:Pathname mountpoint:Pathname
mkswap 130 RErr device:Device ?label:PlainString ?uuid:PlainString
mkswap_L 131 RErr label:PlainString device:Device @deprecated=mkswap
mkswap_U 132 RErr uuid:PlainString device:Device @group=linuxfsuuid @deprecated=mkswap
mknod 133 RErr mode:Int devmajor:Int devminor:Int path:Pathname @group=mknod
mkfifo 134 RErr mode:Int path:Pathname @group=mknod
mknod_b 135 RErr mode:Int devmajor:Int devminor:Int path:Pathname @group=mknod
mknod_c 136 RErr mode:Int devmajor:Int devminor:Int path:Pathname @group=mknod
umask 137 RInt mask:Int
readdir 138 RStructList:dirent dir:Pathname @progress
sfdiskM 139 RErr device:Device lines:StringList @deprecated=part_add
zfile 140 RString meth:PlainString path:Pathname @deprecated=file
getxattrs 141 RStructList:xattr path:Pathname @group=linuxxattrs
lgetxattrs 142 RStructList:xattr path:Pathname @group=linuxxattrs
setxattr 143 RErr xattr:PlainString val:PlainString vallen:Int path:Pathname @group=linuxxattrs
lsetxattr 144 RErr xattr:PlainString val:PlainString vallen:Int path:Pathname @group=linuxxattrs
removexattr 145 RErr xattr:PlainString path:Pathname @group=linuxxattrs
lremovexattr 146 RErr xattr:PlainString path:Pathname @group=linuxxattrs
mountpoints 147 RHashtable
mkmountpoint 148 RErr exemptpath:PlainString
rmmountpoint 149 RErr exemptpath:PlainString
grep 151 RStringList regex:PlainString path:Pathname ?extended:Bool ?fixed:Bool ?insensitive:Bool ?compressed:Bool
egrep 152 RStringList regex:PlainString path:Pathname @deprecated=grep
fgrep 153 RStringList pattern:PlainString path:Pathname @deprecated=grep
grepi 154 RStringList regex:PlainString path:Pathname @deprecated=grep
egrepi 155 RStringList regex:PlainString path:Pathname @deprecated=grep
fgrepi 156 RStringList pattern:PlainString path:Pathname @deprecated=grep
zgrep 157 RStringList regex:PlainString path:Pathname @deprecated=grep
zegrep 158 RStringList regex:PlainString path:Pathname @deprecated=grep
zfgrep 159 RStringList pattern:PlainString path:Pathname @deprecated=grep
zgrepi 160 RStringList regex:PlainString path:Pathname @deprecated=grep
zegrepi 161 RStringList regex:PlainString path:Pathname @deprecated=grep
zfgrepi 162 RStringList pattern:PlainString path:Pathname @deprecated=grep
realpath 163 RString path:Pathname
ln 164 RErr target:PlainString linkname:Pathname
ln_f 165 RErr target:PlainString linkname:Pathname
ln_s 166 RErr target:PlainString linkname:Pathname
ln_sf 167 RErr target:PlainString linkname:Pathname
readlink 168 RString path:Pathname
fallocate 169 RErr path:Pathname len:Int @deprecated=fallocate64
swapon_device 170 RErr device:Device
swapoff_device 171 RErr device:Device
swapon_file 172 RErr file:Pathname
swapoff_file 173 RErr file:Pathname
swapon_label 174 RErr label:PlainString
swapoff_label 175 RErr label:PlainString
swapon_uuid 176 RErr uuid:PlainString @group=linuxfsuuid
swapoff_uuid 177 RErr uuid:PlainString @group=linuxfsuuid
mkswap_file 178 RErr path:Pathname
inotify_init 179 RErr maxevents:Int @group=inotify
inotify_add_watch 180 RInt64 path:Pathname mask:Int @group=inotify
inotify_rm_watch 181 RErr wd:Int @group=inotify
inotify_read 182 RStructList:inotify_event @group=inotify
inotify_files 183 RStringList @group=inotify
inotify_close 184 RErr @group=inotify
setcon 185 RErr context:PlainString @group=selinux @deprecated=selinux_relabel
getcon 186 RString @group=selinux @deprecated=selinux_relabel
mkfs_b 187 RErr fstype:PlainString blocksize:Int device:Device @deprecated=mkfs
mke2journal 188 RErr blocksize:Int device:Device @deprecated=mke2fs
mke2journal_L 189 RErr blocksize:Int label:PlainString device:Device @deprecated=mke2fs
mke2journal_U 190 RErr blocksize:Int uuid:PlainString device:Device @group=linuxfsuuid @deprecated=mke2fs
mke2fs_J 191 RErr fstype:PlainString blocksize:Int device:Device journal:Device @deprecated=mke2fs
mke2fs_JL 192 RErr fstype:PlainString blocksize:Int device:Device label:PlainString @deprecated=mke2fs
mke2fs_JU 193 RErr fstype:PlainString blocksize:Int device:Device uuid:PlainString @group=linuxfsuuid @deprecated=mke2fs
modprobe 194 RErr modulename:PlainString @group=linuxmodules
echo_daemon 195 RString words:StringList
find0 196 RErr directory:Pathname files:FileOut
case_sensitive_path 197 RString path:Pathname
vfs_type 198 RString mountable:Mountable
truncate 199 RErr path:Pathname
truncate_size 200 RErr path:Pathname size:Int64
utimens 201 RErr path:Pathname atsecs:Int64 atnsecs:Int64 mtsecs:Int64 mtnsecs:Int64
mkdir_mode 202 RErr path:Pathname mode:Int
lchown 203 RErr owner:Int group:Int path:Pathname
internal_lxattrlist 205 RStructList:xattr path:Pathname names:StringList<Filename> @group=linuxxattrs @visibility=internal
internal_readlinklist 206 RStringList path:Pathname names:StringList<Filename> @visibility=internal
pread 207 RBufferOut path:Pathname count:Int offset:Int64
part_init 208 RErr device:Device parttype:PlainString
part_add 209 RErr device:Device prlogex:PlainString startsect:Int64 endsect:Int64
part_disk 210 RErr device:Device parttype:PlainString
part_set_bootable 211 RErr device:Device partnum:Int bootable:Bool
part_set_name 212 RErr device:Device partnum:Int name:PlainString
part_list 213 RStructList:partition device:Device
part_get_parttype 214 RString device:Device
fill 215 RErr c:Int len:Int path:Pathname @progress
dd 217 RErr src:Dev_or_Path dest:Dev_or_Path @deprecated=copy_device_to_device
filesize 218 RInt64 file:Pathname
lvrename 219 RErr logvol:PlainString newlogvol:PlainString
vgrename 220 RErr volgroup:PlainString newvolgroup:PlainString
initrd_cat 221 RBufferOut initrdpath:Pathname filename:PlainString
pvuuid 222 RString device:Device
vguuid 223 RString vgname:PlainString
lvuuid 224 RString device:Device
vgpvuuids 225 RStringList vgname:PlainString
vglvuuids 226 RStringList vgname:PlainString
copy_size 227 RErr src:Dev_or_Path dest:Dev_or_Path size:Int64 @progress @deprecated=copy_device_to_device
zero_device 228 RErr device:Device @progress
txz_in 229 RErr tarball:FileIn directory:Pathname @group=xz @deprecated=tar_in
txz_out 230 RErr directory:Pathname tarball:FileOut @group=xz @deprecated=tar_out
vgscan 232 RErr @deprecated=lvm_scan
part_del 233 RErr device:Device partnum:Int
part_get_bootable 234 RBool device:Device partnum:Int
part_get_mbr_id 235 RInt device:Device partnum:Int
part_set_mbr_id 236 RErr device:Device partnum:Int idbyte:Int
checksum_device 237 RString csumtype:PlainString device:Device
lvresize_free 238 RErr lv:Device percent:Int @group=lvm2
aug_clear 239 RErr augpath:PlainString
get_umask 240 RInt
debug_upload 241 RErr filename:FileIn tmpname:PlainString mode:Int @visibility=debug
base64_in 242 RErr base64file:FileIn filename:Pathname
base64_out 243 RErr filename:Pathname base64file:FileOut
checksums_out 244 RErr csumtype:PlainString directory:Pathname sumsfile:FileOut
fill_pattern 245 RErr pattern:PlainString len:Int path:Pathname @progress
internal_write 246 RErr path:Pathname content:BufferIn @visibility=internal
pwrite 247 RInt path:Pathname content:BufferIn offset:Int64
resize2fs_size 248 RErr device:Device size:Int64
pvresize_size 249 RErr device:Device size:Int64 @group=lvm2
ntfsresize_size 250 RErr device:Device size:Int64 @group=ntfsprogs @deprecated=ntfsresize
available_all_groups 251 RStringList
fallocate64 252 RErr path:Pathname len:Int64
vfs_label 253 RString mountable:Mountable
vfs_uuid 254 RString mountable:Mountable @aliases=get-uuid
lvm_set_filter 255 RErr devices:StringList<Device> @group=lvm2
lvm_clear_filter 256 RErr
luks_open 257 RErr device:Device key:Key mapname:PlainString @group=luks @deprecated=cryptsetup_open
luks_open_ro 258 RErr device:Device key:Key mapname:PlainString @group=luks @deprecated=cryptsetup_open
luks_close 259 RErr device:Device @group=luks @deprecated=cryptsetup_close
luks_format 260 RErr device:Device key:Key keyslot:Int @group=luks
luks_format_cipher 261 RErr device:Device key:Key keyslot:Int cipher:PlainString @group=luks
luks_add_key 262 RErr device:Device key:Key newkey:Key keyslot:Int @group=luks
luks_kill_slot 263 RErr device:Device key:Key keyslot:Int @group=luks
is_lv 264 RBool mountable:Mountable
findfs_uuid 265 RString:Device uuid:PlainString
findfs_label 266 RString:Device label:PlainString
is_chardev 267 RBool path:Pathname ?followsymlinks:Bool
is_blockdev 268 RBool path:Pathname ?followsymlinks:Bool
is_fifo 269 RBool path:Pathname ?followsymlinks:Bool
is_symlink 270 RBool path:Pathname
is_socket 271 RBool path:Pathname ?followsymlinks:Bool
part_to_dev 272 RString:Device partition:Device
upload_offset 273 RErr filename:FileIn remotefilename:Dev_or_Path offset:Int64 @progress
download_offset 274 RErr remotefilename:Dev_or_Path filename:FileOut offset:Int64 size:Int64 @progress
pwrite_device 275 RInt device:Device content:BufferIn offset:Int64
pread_device 276 RBufferOut device:Device count:Int offset:Int64
lvm_canonical_lv_name 277 RString:Device lvname:PlainString
mkfs 278 RErr fstype:PlainString device:Device ?blocksize:Int ?features:PlainString ?inode:Int ?sectorsize:Int ?label:PlainString
getxattr 279 RBufferOut path:Pathname name:PlainString @group=linuxxattrs
lgetxattr 280 RBufferOut path:Pathname name:PlainString @group=linuxxattrs
resize2fs_M 281 RErr device:Device
internal_autosync 282 RErr @visibility=internal
is_zero 283 RBool path:Pathname
is_zero_device 284 RBool device:Device
list_9p 285 RStringList @deprecated
mount_9p 286 RErr mounttag:PlainString mountpoint:PlainString ?options:PlainString @deprecated
list_dm_devices 287 RStringList:Device
ntfsresize 288 RErr device:Device ?size:Int64 ?force:Bool @group=ntfsprogs
btrfs_filesystem_resize 289 RErr mountpoint:Pathname ?size:Int64 @group=btrfs
internal_write_append 290 RErr path:Pathname content:BufferIn @visibility=internal
compress_out 291 RErr ctype:PlainString file:Pathname zfile:FileOut ?level:Int
compress_device_out 292 RErr ctype:PlainString device:Device zdevice:FileOut ?level:Int
part_to_partnum 293 RInt partition:Device
copy_device_to_device 294 RErr src:Device dest:Device ?srcoffset:Int64 ?destoffset:Int64 ?size:Int64 ?sparse:Bool ?append:Bool @progress
copy_device_to_file 295 RErr src:Device dest:Pathname ?srcoffset:Int64 ?destoffset:Int64 ?size:Int64 ?sparse:Bool ?append:Bool @progress
copy_file_to_device 296 RErr src:Pathname dest:Device ?srcoffset:Int64 ?destoffset:Int64 ?size:Int64 ?sparse:Bool ?append:Bool @progress
copy_file_to_file 297 RErr src:Pathname dest:Pathname ?srcoffset:Int64 ?destoffset:Int64 ?size:Int64 ?sparse:Bool ?append:Bool @progress
tune2fs 298 RErr device:Device ?force:Bool ?maxmountcount:Int ?mountcount:Int ?errorbehavior:PlainString ?group:Int64 ?intervalbetweenchecks:Int ?reservedblockspercentage:Int ?lastmounteddirectory:PlainString ?reservedblockscount:Int64 ?user:Int64
md_create 299 RErr name:PlainString devices:StringList<Device> ?missingbitmap:Int64 ?nrdevices:Int ?spare:Int ?chunk:Int64 ?level:PlainString @group=mdadm
list_md_devices 300 RStringList:Device
md_detail 301 RHashtable md:Device @group=mdadm
md_stop 302 RErr md:Device @group=mdadm
blkid 303 RHashtable device:Device
e2fsck 304 RErr device:Device ?correct:Bool ?forceall:Bool ?forceno:Bool
llz 305 RString directory:Pathname @deprecated=lgetxattrs
wipefs 306 RErr device:Device @group=wipefs
ntfsfix 307 RErr device:Device ?clearbadsectors:Bool @group=ntfs3g
ntfsclone_out 308 RErr device:Device backupfile:FileOut ?metadataonly:Bool ?rescue:Bool ?ignorefscheck:Bool ?preservetimestamps:Bool ?force:Bool @group=ntfs3g
ntfsclone_in 309 RErr backupfile:FileIn device:Device @group=ntfs3g
set_label 310 RErr mountable:Mountable label:PlainString
zero_free_space 311 RErr directory:Pathname @progress
lvcreate_free 312 RErr logvol:PlainString volgroup:PlainString percent:Int @group=lvm2
isoinfo_device 313 RStruct:isoinfo device:Device
isoinfo 314 RStruct:isoinfo isofile:Pathname
vgmeta 315 RBufferOut vgname:PlainString @group=lvm2
md_stat 316 RStructList:mdstat md:Device @group=mdadm
mkfs_btrfs 317 RErr devices:StringList<Device> ?allocstart:Int64 ?bytecount:Int64 ?datatype:PlainString ?leafsize:Int ?label:PlainString ?metadata:PlainString ?nodesize:Int ?sectorsize:Int @group=btrfs
get_e2attrs 318 RString file:Pathname
set_e2attrs 319 RErr file:Pathname attrs:PlainString ?clear:Bool
get_e2generation 320 RInt64 file:Pathname
set_e2generation 321 RErr file:Pathname generation:Int64
btrfs_subvolume_snapshot 322 RErr source:Pathname dest:Pathname ?ro:Bool ?qgroupid:PlainString @group=btrfs
btrfs_subvolume_delete 323 RErr subvolume:Pathname @group=btrfs
btrfs_subvolume_create 324 RErr dest:Pathname ?qgroupid:PlainString @group=btrfs
btrfs_subvolume_list 325 RStructList:btrfssubvolume fs:Mountable_or_Path @group=btrfs
btrfs_subvolume_set_default 326 RErr id:Int64 fs:Pathname @group=btrfs
btrfs_filesystem_sync 327 RErr fs:Pathname @group=btrfs
btrfs_filesystem_balance 328 RErr fs:Pathname @group=btrfs @aliases=btrfs-balance
btrfs_device_add 329 RErr devices:StringList<Device> fs:Pathname @group=btrfs
btrfs_device_delete 330 RErr devices:StringList<Device> fs:Pathname @group=btrfs
btrfs_set_seeding 331 RErr device:Device seeding:Bool @group=btrfs
btrfs_fsck 332 RErr device:Device ?superblock:Int64 ?repair:Bool @group=btrfs
filesystem_available 333 RBool filesystem:PlainString
fstrim 334 RErr mountpoint:Pathname ?offset:Int64 ?length:Int64 ?minimumfreeextent:Int64 @group=fstrim
nr_devices 336 RInt
xfs_info 337 RStruct:xfsinfo pathordevice:Dev_or_Path @group=xfs
pvchange_uuid 338 RErr device:Device @group=lvm2
pvchange_uuid_all 339 RErr @group=lvm2
vgchange_uuid 340 RErr vg:PlainString @group=lvm2
vgchange_uuid_all 341 RErr @group=lvm2
utsname 342 RStruct:utsname
xfs_growfs 343 RErr path:Pathname ?datasec:Bool ?logsec:Bool ?rtsec:Bool ?datasize:Int64 ?logsize:Int64 ?rtsize:Int64 ?rtextsize:Int64 ?maxpct:Int @group=xfs
rsync 344 RErr src:Pathname dest:Pathname ?archive:Bool ?deletedest:Bool @group=rsync
rsync_in 345 RErr remote:PlainString dest:Pathname ?archive:Bool ?deletedest:Bool @group=rsync
rsync_out 346 RErr src:Pathname remote:PlainString ?archive:Bool ?deletedest:Bool @group=rsync
ls0 347 RErr dir:Pathname filenames:FileOut
fill_dir 348 RErr dir:Pathname nr:Int
xfs_admin 349 RErr device:Device ?extunwritten:Bool ?imgfile:Bool ?v2log:Bool ?projid32bit:Bool ?lazycounter:Bool ?label:PlainString ?uuid:PlainString @group=xfs
hivex_open 350 RErr filename:Pathname ?verbose:Bool ?debug:Bool ?write:Bool ?unsafe:Bool @group=hivex
hivex_close 351 RErr @group=hivex
hivex_root 352 RInt64 @group=hivex
hivex_node_name 353 RString nodeh:Int64 @group=hivex
hivex_node_children 354 RStructList:hivex_node nodeh:Int64 @group=hivex
hivex_node_get_child 355 RInt64 nodeh:Int64 name:PlainString @group=hivex
hivex_node_parent 356 RInt64 nodeh:Int64 @group=hivex
hivex_node_values 357 RStructList:hivex_value nodeh:Int64 @group=hivex
hivex_node_get_value 358 RInt64 nodeh:Int64 key:PlainString @group=hivex
hivex_value_key 359 RString valueh:Int64 @group=hivex
hivex_value_type 360 RInt64 valueh:Int64 @group=hivex
hivex_value_value 361 RBufferOut valueh:Int64 @group=hivex
hivex_commit 362 RErr filename:OptString @group=hivex
hivex_node_add_child 363 RInt64 parent:Int64 name:PlainString @group=hivex
hivex_node_delete_child 364 RErr nodeh:Int64 @group=hivex
hivex_node_set_value 365 RErr nodeh:Int64 key:PlainString t:Int64 val:BufferIn @group=hivex
xfs_repair 366 RInt device:Dev_or_Path ?forcelogzero:Bool ?nomodify:Bool ?noprefetch:Bool ?forcegeometry:Bool ?maxmem:Int64 ?ihashsize:Int64 ?bhashsize:Int64 ?agstride:Int64 ?logdev:PlainString ?rtdev:PlainString @group=xfs
rm_f 367 RErr path:Pathname
mke2fs 368 RErr device:Device ?blockscount:Int64 ?blocksize:Int64 ?fragsize:Int64 ?blockspergroup:Int64 ?numberofgroups:Int64 ?bytesperinode:Int64 ?inodesize:Int64 ?journalsize:Int64 ?numberofinodes:Int64 ?stridesize:Int64 ?stripewidth:Int64 ?maxonlineresize:Int64 ?reservedblockspercentage:Int ?mmpupdateinterval:Int ?journaldevice:PlainString ?label:PlainString ?lastmounteddir:PlainString ?creatoros:PlainString ?fstype:PlainString ?usagetype:PlainString ?uuid:PlainString ?forcecreate:Bool ?writesbandgrouponly:Bool ?lazyitableinit:Bool ?lazyjournalinit:Bool ?testfs:Bool ?discard:Bool ?quotatype:Bool ?extent:Bool ?filetype:Bool ?flexbg:Bool ?hasjournal:Bool ?journaldev:Bool ?largefile:Bool ?quota:Bool ?resizeinode:Bool ?sparsesuper:Bool ?uninitbg:Bool
list_disk_labels 369 RHashtable
mktemp 373 RString tmpl:Pathname ?suffix:PlainString
mklost_and_found 374 RErr mountpoint:Pathname
acl_get_file 375 RString path:Pathname acltype:PlainString @group=acl
acl_set_file 376 RErr path:Pathname acltype:PlainString acl:PlainString @group=acl
acl_delete_def_file 377 RErr dir:Pathname @group=acl
cap_get_file 378 RString path:Pathname @group=linuxcaps
cap_set_file 379 RErr path:Pathname cap:PlainString @group=linuxcaps
list_ldm_volumes 380 RStringList:Device @group=ldm
list_ldm_partitions 381 RStringList:Device @group=ldm
ldmtool_create_all 382 RErr @group=ldm
ldmtool_remove_all 383 RErr @group=ldm
ldmtool_scan 384 RStringList @group=ldm
ldmtool_scan_devices 385 RStringList devices:StringList<Device> @group=ldm
ldmtool_diskgroup_name 386 RString diskgroup:PlainString @group=ldm
ldmtool_diskgroup_volumes 387 RStringList diskgroup:PlainString @group=ldm
ldmtool_diskgroup_disks 388 RStringList:Device diskgroup:PlainString @group=ldm
ldmtool_volume_type 389 RString diskgroup:PlainString volume:PlainString @group=ldm
ldmtool_volume_hint 390 RString diskgroup:PlainString volume:PlainString @group=ldm
ldmtool_volume_partitions 391 RStringList:Device diskgroup:PlainString volume:PlainString @group=ldm
part_set_gpt_type 392 RErr device:Device partnum:Int guid:GUID @group=gdisk
part_get_gpt_type 393 RString device:Device partnum:Int @group=gdisk
rename 394 RErr oldpath:Pathname newpath:Pathname
is_whole_device 395 RBool device:Device
internal_parse_mountable 396 RStruct:internal_mountable mountable:Mountable @visibility=internal
internal_rhbz914931 397 RErr filename:FileIn count:Int @visibility=internal
syslinux 399 RErr device:Device ?directory:PlainString @group=syslinux
extlinux 400 RErr directory:Pathname @group=extlinux
cp_r 401 RErr src:Pathname dest:Pathname
remount 402 RErr mountpoint:Pathname ?rw:Bool
set_uuid 403 RErr device:Device uuid:PlainString
journal_open 404 RErr directory:Pathname @group=journal
journal_close 405 RErr @group=journal
journal_next 406 RBool @group=journal
journal_skip 407 RInt64 skip:Int64 @group=journal
internal_journal_get 408 RErr filename:FileOut @group=journal @visibility=internal
journal_get_data_threshold 409 RInt64 @group=journal
journal_set_data_threshold 410 RErr threshold:Int64 @group=journal
aug_setm 411 RInt base:PlainString sub:OptString val:PlainString
aug_label 412 RString augpath:PlainString
internal_upload 413 RErr filename:FileIn tmpname:PlainString mode:Int @visibility=internal
internal_exit 414 RErr @visibility=debug
copy_attributes 415 RErr src:Pathname dest:Pathname ?all:Bool ?mode:Bool ?xattributes:Bool ?ownership:Bool
part_get_name 416 RString device:Device partnum:Int
blkdiscard 417 RErr device:Device @group=blkdiscard
blkdiscardzeroes 418 RBool device:Device @group=blkdiscardzeroes
cpio_out 419 RErr directory:PlainString cpiofile:FileOut ?format:PlainString
journal_get_realtime_usec 420 RInt64 @group=journal
statns 421 RStruct:statns path:Pathname
lstatns 422 RStruct:statns path:Pathname
internal_lstatnslist 423 RStructList:statns path:Pathname names:StringList<Filename> @visibility=internal
blockdev_setra 424 RErr device:Device sectors:Int
btrfs_subvolume_get_default 425 RInt64 fs:Mountable_or_Path @group=btrfs
btrfs_subvolume_show 426 RHashtable subvolume:Pathname @group=btrfs
btrfs_quota_enable 427 RErr fs:Mountable_or_Path enable:Bool @group=btrfs
btrfs_quota_rescan 428 RErr fs:Mountable_or_Path @group=btrfs
btrfs_qgroup_limit 429 RErr subvolume:Pathname size:Int64 @group=btrfs
btrfs_qgroup_create 430 RErr qgroupid:PlainString subvolume:Pathname @group=btrfs
btrfs_qgroup_destroy 431 RErr qgroupid:PlainString subvolume:Pathname @group=btrfs
btrfs_qgroup_show 432 RStructList:btrfsqgroup path:Pathname @group=btrfs
btrfs_qgroup_assign 433 RErr src:PlainString dst:PlainString path:Pathname @group=btrfs
btrfs_qgroup_remove 434 RErr src:PlainString dst:PlainString path:Pathname @group=btrfs
btrfs_scrub_start 435 RErr path:Pathname @group=btrfs
btrfs_scrub_cancel 436 RErr path:Pathname @group=btrfs
btrfs_scrub_resume 437 RErr path:Pathname @group=btrfs
btrfs_balance_pause 438 RErr path:Pathname @group=btrfs
btrfs_balance_cancel 439 RErr path:Pathname @group=btrfs
btrfs_balance_resume 440 RErr path:Pathname @group=btrfs
btrfs_filesystem_defragment 443 RErr path:Pathname ?flush:Bool ?compress:PlainString @group=btrfs
btrfs_rescue_chunk_recover 444 RErr device:Device @group=btrfs
btrfs_rescue_super_recover 445 RErr device:Device @group=btrfs
part_set_gpt_guid 446 RErr device:Device partnum:Int guid:GUID @group=gdisk
part_get_gpt_guid 447 RString device:Device partnum:Int @group=gdisk
btrfs_balance_status 448 RStruct:btrfsbalance path:Pathname @group=btrfs
btrfs_scrub_status 449 RStruct:btrfsscrub path:Pathname @group=btrfs
btrfstune_seeding 450 RErr device:Device seeding:Bool @group=btrfs
btrfstune_enable_extended_inode_refs 451 RErr device:Device @group=btrfs
btrfstune_enable_skinny_metadata_extent_refs 452 RErr device:Device @group=btrfs
btrfs_image 453 RErr source:StringList<Device> image:Pathname ?compresslevel:Int @group=btrfs
part_get_mbr_part_type 454 RString device:Device partnum:Int
btrfs_replace 455 RErr srcdev:Device targetdev:Device mntpoint:Pathname @group=btrfs
set_uuid_random 456 RErr device:Device
vfs_minimum_size 457 RInt64 mountable:Mountable
internal_feature_available 458 RInt group:PlainString @visibility=internal
part_set_disk_guid 459 RErr device:Device guid:GUID @group=gdisk
part_get_disk_guid 460 RString device:Device @group=gdisk
part_set_disk_guid_random 461 RErr device:Device @group=gdisk
part_expand_gpt 462 RErr device:Device @group=gdisk
ntfscat_i 463 RErr device:Mountable inode:Int64 filename:FileOut @progress
download_inode 464 RErr device:Mountable inode:Int64 filename:FileOut @group=sleuthkit @progress
btrfs_filesystem_show 465 RStringList:Device device:Device @group=btrfs
internal_filesystem_walk 466 RErr device:Mountable filename:FileOut @group=libtsk @visibility=internal
selinux_relabel 467 RErr specfile:PlainString path:Pathname ?force:Bool @group=selinuxrelabel
download_blocks 468 RErr device:Mountable start:Int64 stop:Int64 filename:FileOut ?unallocated:Bool @group=sleuthkit @progress
aug_transform 469 RErr lens:PlainString file:PlainString ?remove:Bool
internal_find_inode 470 RErr device:Mountable inode:Int64 filename:FileOut @group=libtsk @visibility=internal
mksquashfs 471 RErr path:Pathname filename:FileOut ?compress:PlainString ?excludes:StringList @group=squashfs
yara_load 472 RErr filename:FileIn @group=libyara @progress
yara_destroy 473 RErr @group=libyara
internal_yara_scan 474 RErr path:Pathname filename:FileOut @group=libyara @visibility=internal
file_architecture 475 RString filename:Pathname
list_filesystems 476 RHashtable
part_resize 477 RErr device:Device partnum:Int endsect:Int64
hivex_value_utf8 478 RString valueh:Int64 @group=hivex @deprecated=hivex_value_string
hivex_value_string 479 RString valueh:Int64 @group=hivex
inspect_os 480 RStringList:Mountable
inspect_get_roots 481 RStringList:Mountable
inspect_get_format 482 RString root:Mountable @deprecated
inspect_get_type 483 RString root:Mountable
inspect_get_distro 484 RString root:Mountable
inspect_get_package_format 485 RString root:Mountable
inspect_get_package_management 486 RString root:Mountable
inspect_get_product_name 487 RString root:Mountable
inspect_get_product_variant 488 RString root:Mountable
inspect_get_major_version 489 RInt root:Mountable
inspect_get_minor_version 490 RInt root:Mountable
inspect_get_arch 491 RString root:Mountable
inspect_get_hostname 492 RString root:Mountable
inspect_get_windows_systemroot 493 RString root:Mountable
inspect_get_windows_software_hive 494 RString root:Mountable
inspect_get_windows_system_hive 495 RString root:Mountable
inspect_get_windows_current_control_set 496 RString root:Mountable
inspect_is_live 497 RBool root:Mountable @deprecated
inspect_is_netinst 498 RBool root:Mountable @deprecated
inspect_is_multipart 499 RBool root:Mountable @deprecated
inspect_get_mountpoints 500 RHashtable root:Mountable
inspect_get_filesystems 501 RStringList:Mountable root:Mountable
inspect_get_drive_mappings 502 RHashtable root:Mountable
part_set_gpt_attributes 503 RErr device:Device partnum:Int attributes:Int64 @group=gdisk
part_get_gpt_attributes 504 RInt64 device:Device partnum:Int @group=gdisk
f2fs_expand 505 RErr device:Device @group=f2fs
lvm_scan 506 RErr activate:Bool
luks_uuid 507 RString device:Device @group=luks
cryptsetup_open 508 RErr device:Device key:Key mapname:PlainString ?readonly:Bool ?crypttype:PlainString ?cipher:PlainString @group=luks
cryptsetup_close 509 RErr device:Device @group=luks
internal_list_rpm_applications 510 RStructList:application2 @visibility=internal
internal_readdir 511 RErr dir:Pathname filename:FileOut @visibility=internal
clevis_luks_unlock 512 RErr device:Device mapname:PlainString @group=clevisluks
inspect_get_build_id 513 RString root:Mountable
findfs_partuuid 514 RString:Device uuid:PlainString
findfs_partlabel 515 RString:Device label:PlainString
command_out 516 RErr arguments:StringList output:FileOut @progress
sh_out 517 RErr command:PlainString output:FileOut
btrfs_scrub_full 518 RErr path:Pathname ?readonly:Bool @group=btrfs
setfiles 519 RErr specfile:PlainString paths:StringList<Pathname> ?force:Bool ?excludes:StringList @group=selinuxrelabel
ntfs_chmod 520 RErr device:Device mode:Int path:PlainString ?recursive:Bool @group=ntfs3g
inspect_get_windows_group_policy 521 RBool root:Mountable
xfs_info2 522 RHashtable pathordevice:Dev_or_Path @group=xfs
add_cdrom - RErr filename:PlainString @deprecated=add_drive_ro
add_domain - RInt dom:PlainString ?libvirturi:PlainString ?readonly:Bool ?iface:PlainString ?live:Bool ?allowuuid:Bool ?readonlydisk:PlainString ?cachemode:PlainString ?discard:PlainString ?copyonread:Bool @aliases=domain
add_drive - RErr filename:PlainString ?readonly:Bool ?format:PlainString ?iface:PlainString ?name:PlainString ?label:PlainString ?protocol:PlainString ?server:StringList ?username:PlainString ?secret:PlainString ?cachemode:PlainString ?discard:PlainString ?copyonread:Bool ?blocksize:Int @aliases=add
add_drive_ro - RErr filename:PlainString @aliases=add-ro
add_drive_ro_with_if - RErr filename:PlainString iface:PlainString @deprecated=add_drive
add_drive_scratch - RErr size:Int64 ?name:PlainString ?label:PlainString ?blocksize:Int @aliases=scratch
add_drive_with_if - RErr filename:PlainString iface:PlainString @deprecated=add_drive
add_libvirt_dom - RInt dom:Pointer ?readonly:Bool ?iface:PlainString ?live:Bool ?readonlydisk:PlainString ?cachemode:PlainString ?discard:PlainString ?copyonread:Bool
available - RErr groups:StringList
c_pointer - RInt64
canonical_device_name - RString device:PlainString
cat - RString path:Pathname
clear_backend_setting - RInt name:PlainString
config - RErr hvparam:PlainString hvvalue:OptString
copy_in - RErr localpath:PlainString remotedir:Pathname @visibility=public-nofish
copy_out - RErr remotepath:Pathname localdir:PlainString @visibility=public-nofish
debug_drives - RStringList @visibility=debug
device_index - RInt device:Device
device_name - RString index:Int
disk_create - RErr filename:PlainString format:PlainString size:Int64 ?backingfile:PlainString ?backingformat:PlainString ?preallocation:PlainString ?compat:PlainString ?clustersize:Int
disk_format - RString filename:PlainString
disk_has_backing_file - RBool filename:PlainString
disk_virtual_size - RInt64 filename:PlainString
feature_available - RBool groups:StringList
filesystem_walk - RStructList:tsk_dirent device:Mountable @progress
find - RStringList directory:Pathname
find_inode - RStructList:tsk_dirent device:Mountable inode:Int64 @progress
get_append - RConstOptString
get_attach_method - RString @deprecated=get_backend
get_autosync - RBool
get_backend - RString
get_backend_setting - RString name:PlainString
get_backend_settings - RStringList
get_cachedir - RString
get_direct - RBool @deprecated=internal_get_console_socket
get_hv - RString
get_identifier - RConstString
get_libvirt_requested_credential_challenge - RString index:Int
get_libvirt_requested_credential_defresult - RString index:Int
get_libvirt_requested_credential_prompt - RString index:Int
get_libvirt_requested_credentials - RStringList
get_memsize - RInt
get_network - RBool
get_path - RConstString
get_pgroup - RBool
get_pid - RInt @aliases=pid
get_program - RConstString
get_qemu - RConstString @deprecated=get_hv
get_recovery_proc - RBool
get_selinux - RBool @deprecated=selinux_relabel
get_smp - RInt
get_sockdir - RString
get_state - RInt @visibility=statetest
get_tmpdir - RString
get_trace - RBool
get_verbose - RBool
inspect_get_icon - RBufferOut root:Mountable ?favicon:Bool ?highquality:Bool
inspect_get_osinfo - RString root:Mountable
inspect_list_applications - RStructList:application root:Mountable @deprecated=inspect_list_applications2
inspect_list_applications2 - RStructList:application2 root:Mountable
internal_get_console_socket - RInt @visibility=internal
is_busy - RBool @visibility=statetest
is_config - RBool
is_launching - RBool @visibility=statetest
is_ready - RBool @visibility=statetest
journal_get - RStructList:xattr
kill_subprocess - RErr @deprecated=shutdown
launch - RErr @progress @aliases=run
ls - RStringList directory:Pathname
lstat - RStruct:stat path:Pathname @deprecated=lstatns
lstatlist - RStructList:stat path:Pathname names:StringList<Filename> @deprecated=lstatnslist
lstatnslist - RStructList:statns path:Pathname names:StringList<Filename>
lxattrlist - RStructList:xattr path:Pathname names:StringList<Filename>
max_disks - RInt
mount_local - RErr localmountpoint:PlainString ?readonly:Bool ?options:PlainString ?cachetimeout:Int ?debugcalls:Bool
mount_local_run - RErr
mountable_device - RString:Device mountable:Mountable
mountable_subvolume - RString mountable:Mountable
parse_environment - RErr
parse_environment_list - RErr environment:StringList
read_file - RBufferOut path:Pathname
read_lines - RStringList path:Pathname
readlinklist - RStringList path:Pathname names:StringList<Filename>
remove_drive - RErr label:PlainString @deprecated
set_append - RErr append:OptString @aliases=append
set_attach_method - RErr backend:PlainString @aliases=attach-method @deprecated=set_backend
set_autosync - RErr autosync:Bool @aliases=autosync
set_backend - RErr backend:PlainString @aliases=backend
set_backend_setting - RErr name:PlainString val:PlainString
set_backend_settings - RErr settings:StringList
set_cachedir - RErr cachedir:OptString @aliases=cachedir
set_direct - RErr direct:Bool @aliases=direct @deprecated=internal_get_console_socket
set_hv - RErr hv:PlainString @aliases=hv
set_identifier - RErr identifier:PlainString @aliases=identifier
set_libvirt_requested_credential - RErr index:Int cred:BufferIn
set_libvirt_supported_credentials - RErr creds:StringList
set_memsize - RErr memsize:Int @aliases=memsize
set_network - RErr network:Bool @aliases=network
set_path - RErr searchpath:OptString @aliases=path
set_pgroup - RErr pgroup:Bool @aliases=pgroup
set_program - RErr program:PlainString @aliases=program
set_qemu - RErr hv:OptString @aliases=qemu @deprecated=set_hv
set_recovery_proc - RErr recoveryproc:Bool @aliases=recovery-proc
set_selinux - RErr selinux:Bool @aliases=selinux @deprecated=selinux_relabel
set_smp - RErr smp:Int @aliases=smp
set_tmpdir - RErr tmpdir:OptString @aliases=tmpdir
set_trace - RErr trace:Bool @aliases=trace
set_verbose - RErr verbose:Bool @aliases=verbose
shutdown - RErr
stat - RStruct:stat path:Pathname @deprecated=statns
umount_local - RErr ?retry:Bool
user_cancel - RErr
version - RStruct:version
wait_ready - RErr @deprecated @visibility=statetest
write - RErr path:Pathname content:BufferIn
write_append - RErr path:Pathname content:BufferIn
yara_scan - RStructList:yara_detection path:Pathname @progress
`;

/** The structures, one a line: name, and the fields in their order. */
export const STRUCTS: string = `
application app_name:String app_display_name:String app_epoch:Int32 app_version:String app_release:String app_install_path:String app_trans_path:String app_publisher:String app_url:String app_source_package:String app_summary:String app_description:String
application2 app2_name:String app2_display_name:String app2_epoch:Int32 app2_version:String app2_release:String app2_arch:String app2_install_path:String app2_trans_path:String app2_publisher:String app2_url:String app2_source_package:String app2_summary:String app2_description:String app2_spare1:String app2_spare2:String app2_spare3:String app2_spare4:String
btrfsbalance btrfsbalance_status:String btrfsbalance_total:UInt64 btrfsbalance_balanced:UInt64 btrfsbalance_considered:UInt64 btrfsbalance_left:UInt64
btrfsqgroup btrfsqgroup_id:String btrfsqgroup_rfer:UInt64 btrfsqgroup_excl:UInt64
btrfsscrub btrfsscrub_data_extents_scrubbed:UInt64 btrfsscrub_tree_extents_scrubbed:UInt64 btrfsscrub_data_bytes_scrubbed:UInt64 btrfsscrub_tree_bytes_scrubbed:UInt64 btrfsscrub_read_errors:UInt64 btrfsscrub_csum_errors:UInt64 btrfsscrub_verify_errors:UInt64 btrfsscrub_no_csum:UInt64 btrfsscrub_csum_discards:UInt64 btrfsscrub_super_errors:UInt64 btrfsscrub_malloc_errors:UInt64 btrfsscrub_uncorrectable_errors:UInt64 btrfsscrub_unverified_errors:UInt64 btrfsscrub_corrected_errors:UInt64 btrfsscrub_last_physical:UInt64
btrfssubvolume btrfssubvolume_id:UInt64 btrfssubvolume_top_level_id:UInt64 btrfssubvolume_path:String
dirent ino:Int64 ftyp:Char name:String
hivex_node hivex_node_h:Int64
hivex_value hivex_value_h:Int64
inotify_event in_wd:Int64 in_mask:UInt32 in_cookie:UInt32 in_name:String
int_bool i:Int32 b:Int32
internal_mountable im_type:Int32 im_device:String im_volume:String
isoinfo iso_system_id:String iso_volume_id:String iso_volume_space_size:UInt32 iso_volume_set_size:UInt32 iso_volume_sequence_number:UInt32 iso_logical_block_size:UInt32 iso_volume_set_id:String iso_publisher_id:String iso_data_preparer_id:String iso_application_id:String iso_copyright_file_id:String iso_abstract_file_id:String iso_bibliographic_file_id:String iso_volume_creation_t:Int64 iso_volume_modification_t:Int64 iso_volume_expiration_t:Int64 iso_volume_effective_t:Int64
lvm_lv lv_name:String lv_uuid:UUID lv_attr:String lv_major:Int64 lv_minor:Int64 lv_kernel_major:Int64 lv_kernel_minor:Int64 lv_size:Bytes seg_count:Int64 origin:String snap_percent:OptPercent copy_percent:OptPercent move_pv:String lv_tags:String mirror_log:String modules:String
lvm_pv pv_name:String pv_uuid:UUID pv_fmt:String pv_size:Bytes dev_size:Bytes pv_free:Bytes pv_used:Bytes pv_attr:String pv_pe_count:Int64 pv_pe_alloc_count:Int64 pv_tags:String pe_start:Bytes pv_mda_count:Int64 pv_mda_free:Bytes
lvm_vg vg_name:String vg_uuid:UUID vg_fmt:String vg_attr:String vg_size:Bytes vg_free:Bytes vg_sysid:String vg_extent_size:Bytes vg_extent_count:Int64 vg_free_count:Int64 max_lv:Int64 max_pv:Int64 pv_count:Int64 lv_count:Int64 snap_count:Int64 vg_seqno:Int64 vg_tags:String vg_mda_count:Int64 vg_mda_free:Bytes
mdstat mdstat_device:String mdstat_index:Int32 mdstat_flags:String
partition part_num:Int32 part_start:Bytes part_end:Bytes part_size:Bytes
stat dev:Int64 ino:Int64 mode:Int64 nlink:Int64 uid:Int64 gid:Int64 rdev:Int64 size:Int64 blksize:Int64 blocks:Int64 atime:Int64 mtime:Int64 ctime:Int64
statns st_dev:Int64 st_ino:Int64 st_mode:Int64 st_nlink:Int64 st_uid:Int64 st_gid:Int64 st_rdev:Int64 st_size:Int64 st_blksize:Int64 st_blocks:Int64 st_atime_sec:Int64 st_atime_nsec:Int64 st_mtime_sec:Int64 st_mtime_nsec:Int64 st_ctime_sec:Int64 st_ctime_nsec:Int64 st_spare1:Int64 st_spare2:Int64 st_spare3:Int64 st_spare4:Int64 st_spare5:Int64 st_spare6:Int64
statvfs bsize:Int64 frsize:Int64 blocks:Int64 bfree:Int64 bavail:Int64 files:Int64 ffree:Int64 favail:Int64 fsid:Int64 flag:Int64 namemax:Int64
tsk_dirent tsk_inode:UInt64 tsk_type:Char tsk_size:Int64 tsk_name:String tsk_flags:UInt32 tsk_atime_sec:Int64 tsk_atime_nsec:Int64 tsk_mtime_sec:Int64 tsk_mtime_nsec:Int64 tsk_ctime_sec:Int64 tsk_ctime_nsec:Int64 tsk_crtime_sec:Int64 tsk_crtime_nsec:Int64 tsk_nlink:Int64 tsk_link:String tsk_spare1:Int64
utsname uts_sysname:String uts_release:String uts_version:String uts_machine:String
version major:Int64 minor:Int64 release:Int64 extra:String
xattr attrname:String attrval:Buffer
xfsinfo xfs_mntpoint:String xfs_inodesize:UInt32 xfs_agcount:UInt32 xfs_agsize:UInt32 xfs_sectsize:UInt32 xfs_attr:UInt32 xfs_blocksize:UInt32 xfs_datablocks:UInt64 xfs_imaxpct:UInt32 xfs_sunit:UInt32 xfs_swidth:UInt32 xfs_dirversion:UInt32 xfs_dirblocksize:UInt32 xfs_cimode:UInt32 xfs_logname:String xfs_logblocksize:UInt32 xfs_logblocks:UInt32 xfs_logversion:UInt32 xfs_logsectsize:UInt32 xfs_logsunit:UInt32 xfs_lazycount:UInt32 xfs_rtname:String xfs_rtextsize:UInt32 xfs_rtblocks:UInt64 xfs_rtextents:UInt64
yara_detection yara_name:String yara_rule:String
`;

/** The groups of functions that can be missing. */
export const GROUPS: readonly string[] = ['acl', 'blkdiscard', 'blkdiscardzeroes', 'btrfs', 'clevisluks', 'extlinux', 'f2fs', 'fstrim', 'gdisk', 'grub', 'hivex', 'inotify', 'journal', 'ldm', 'libtsk', 'libyara', 'linuxcaps', 'linuxfsuuid', 'linuxmodules', 'linuxxattrs', 'luks', 'lvm2', 'mdadm', 'mknod', 'ntfs3g', 'ntfsprogs', 'rsync', 'scrub', 'selinux', 'selinuxrelabel', 'sleuthkit', 'squashfs', 'syslinux', 'wipefs', 'xfs', 'xz', 'zerofree'];

/** Groups that were given up and always count as available. */
export const RETIRED_GROUPS: readonly string[] = ['augeas', 'realpath'];
