# An NFS whose server (in this guest) is stopped with SIGSTOP; ls and cat ask it.
load nfsv3
mkdir -p /mnt/nfs
nfsserve /mnt/nfs && echo 'Mounted /mnt/nfs.'
kill -STOP $(pidof nfsserve)
ls /mnt/nfs &
cat /mnt/nfs/file &
sleep 3
