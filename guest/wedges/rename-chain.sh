# The disk stops answering while mv moves a directory, whose own block is not cached, from one directory into another:
# within rename it holds both and the filesystem's rename mutex. A second mv wants the mutex, mkdir and ls want a
# directory each.
mount_disk
mkdir -p /mnt/disk/left/moved /mnt/disk/right
echo 1 >/mnt/disk/left/two
umount /mnt/disk
mount -t ext4 /dev/vda /mnt/disk
for name in left/moved left/two right/moved right/two; do [ -e "/mnt/disk/$name" ]; done # names stay known
host throttle-disk
mv /mnt/disk/left/moved /mnt/disk/right/moved &
sleep 1
mv /mnt/disk/left/two /mnt/disk/right/two &
mkdir /mnt/disk/right/new &
ls /mnt/disk/left &
sleep 1
