# Before SSH: each boot ends in the next.
echo 'scene: this boot fails'
sleep 2
reboot -f
sleep 1000
