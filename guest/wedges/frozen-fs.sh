# An ext4 was frozen (fsfreeze --freeze) and is not thawed; three writers come.
mount_disk
fsfreeze --freeze /mnt/disk
for number in 1 2 3; do
  touch "/mnt/disk/$number" &
done
