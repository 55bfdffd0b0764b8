# For the wedges: sourced by init before one of them.

# load MODULE: with all modules it needs; what is there already is no fault.
load() {
  for module in /lib/spare/"$1"/*.ko; do insmod "$module" 2>/dev/null; done
}

# Asks whoever started this guest to do something outside of it, and gives him the time.
host() {
  echo "wedge: host $1"
  sleep 6
}

# The disk, an empty ext4, as /dev/vda; mounted with `mount_disk`.
attach_disk() {
  load virtio_blk
  until [ -b /dev/vda ]; do sleep 0.1; done
}

mount_disk() {
  attach_disk
  mkdir -p /mnt/disk
  mount -t ext4 /dev/vda /mnt/disk
}
