/* autofsd DIRECTORY: mounts an autofs there, and never reads what the kernel asks it to mount. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int count, char **arguments)
{
	int ends[2];
	char options[99];

	if (count < 2 || pipe(ends) != 0 || setpgid(0, 0) != 0)
		return 2;
	snprintf(options, sizeof options, "fd=%d,pgrp=%d,minproto=5,maxproto=5,indirect", ends[1], (int)getpgrp());
	if (mount("autofsd", arguments[1], "autofs", 0, options) != 0) {
		perror("autofsd");
		return 1;
	}
	close(ends[1]);
	for (;;)
		pause();
}
