# Goes on and on, and each line is of a kind not seen before.
while :; do
  echo "worker: $(tr -dc a-z </dev/urandom | head -c 12) is done"
  sleep 2
done
