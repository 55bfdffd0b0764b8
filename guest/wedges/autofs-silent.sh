# An automount whose daemon does not answer: ls and cat wait for it to mount something.
load autofs4
mkdir -p /mnt/auto
autofsd /mnt/auto &
sleep 1
ls /mnt/auto/home &
cat /mnt/auto/home/file &
sleep 1
