# The disk stops answering while ls reads a directory that is not cached: it holds the directory's lock, and twelve
# tasks that make directories in there queue behind it.
mount_disk
mkdir /mnt/disk/crowd
sync
umount /mnt/disk
mount -t ext4 /dev/vda /mnt/disk
cd /mnt/disk/crowd && cd /
host throttle-disk
ls /mnt/disk/crowd &
sleep 1
for number in $(seq 12); do
  mkdir "/mnt/disk/crowd/$number" &
done
sleep 1
