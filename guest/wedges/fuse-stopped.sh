# A FUSE filesystem whose server (in this guest) is stopped with SIGSTOP; cat and ls ask it.
load fuse
mkdir -p /mnt/fuse
fused /mnt/fuse &
sleep 2
kill -STOP "$(pidof fused)"
cat /mnt/fuse/file &
ls /mnt/fuse/other &
sleep 1
