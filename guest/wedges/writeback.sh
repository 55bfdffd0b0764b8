# The disk below an ext4 stops answering; writeback waits for it, sync for writeback, and a writer of much data is made
# to wait for the dirty pages it caused.
mount_disk
echo 1 >/mnt/disk/file
sync
host throttle-disk
dd if=/dev/zero of=/mnt/disk/file bs=1M count=200 &
sleep 3
sync &
