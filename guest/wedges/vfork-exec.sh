# A server starts a program from a virtiofs whose server is stopped: it has vforked, and waits until the child has
# executed, but the child waits for the share.
host stop-store
nc -ll -p 99 -e "$store/true" &
sleep 1
nc 127.0.0.1 99 </dev/null &
sleep 1
