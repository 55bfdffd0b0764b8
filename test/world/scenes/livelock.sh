# The SSH server no longer comes to its turn, while programs keep every CPU and count aloud.
killall -STOP nc
for cpu in $(seq "$(nproc)"); do
  while :; do
    n=$((n + 1))
    [ $((n % 50000)) -ne 0 ] || echo "worker: item $n"
  done &
done
wait
