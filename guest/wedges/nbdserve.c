/*
 * nbdserve DEVICE: a network block device of 16 MiB of zeros, served by a child, until the child is stopped.
 * The protocol is that of linux/nbd.h: requests of 28 bytes, replies of 16, big-endian.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int whole(int fd, char *data, size_t length, int writing)
{
	while (length > 0) {
		ssize_t done = writing ? write(fd, data, length) : read(fd, data, length);
		if (done <= 0)
			return 0;
		data += done;
		length -= done;
	}
	return 1;
}

static void serve(int fd)
{
	static char data[1 << 20];
	struct nbd_request request;

	while (whole(fd, (char *)&request, sizeof request, 0)) {
		struct nbd_reply reply = { .magic = htonl(NBD_REPLY_MAGIC) };
		size_t length = ntohl(request.len);

		memcpy(reply.handle, request.handle, sizeof reply.handle);
		if (ntohl(request.type) == NBD_CMD_WRITE && !whole(fd, data, length, 0))
			return;
		if (!whole(fd, (char *)&reply, sizeof reply, 1))
			return;
		memset(data, 0, length);
		if (ntohl(request.type) == NBD_CMD_READ && !whole(fd, data, length, 1))
			return;
	}
}

int main(int count, char **arguments)
{
	int ends[2];
	int device = count < 2 ? -1 : open(arguments[1], O_RDWR);

	if (device < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
		perror("nbdserve");
		return 1;
	}
	if (fork() == 0) {
		prctl(PR_SET_NAME, "nbd-server");
		serve(ends[1]);
		return 0;
	}
	if (ioctl(device, NBD_SET_SIZE, 16UL << 20) != 0 || ioctl(device, NBD_SET_SOCK, ends[0]) != 0) {
		perror("nbdserve: ioctl");
		return 1;
	}
	ioctl(device, NBD_DO_IT);
	return 0;
}
