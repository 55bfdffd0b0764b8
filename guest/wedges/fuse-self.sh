# A FUSE server with one thread that, to answer a question, looks at its own mount: it waits for itself, and cat for it.
load fuse
mkdir -p /mnt/fuse
fused /mnt/fuse self &
sleep 2
cat /mnt/fuse/other &
sleep 1
