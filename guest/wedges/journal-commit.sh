# The disk below an ext4 stops answering (QEMU throttles it to a byte a second); four tasks create a file each and call
# fsync on it, so they wait for jbd2's commit, which waits for the disk.
mount_disk
for number in 1 2 3 4; do touch "/mnt/disk/$number"; done
sync
host throttle-disk
for number in 5 6 7 8; do
  { touch "/mnt/disk/$number" && sync "/mnt/disk/$number"; } &
done
