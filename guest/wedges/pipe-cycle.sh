# Two heads that each wait to read a line from the other's pipe, before they would write to theirs.
mkfifo /tmp/there /tmp/back
sh -c 'exec 3<>/tmp/there 4<>/tmp/back; exec head -n 1 <&4 >&3' &
sh -c 'exec 3<>/tmp/there 4<>/tmp/back; exec head -n 1 <&3 >&4' &
sleep 2
