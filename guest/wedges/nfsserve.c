/*
 * nfsserve DIRECTORY: serves an empty NFS (version 3) on 127.0.0.1, and mounts it on the directory.
 * ONC RPC is RFC 5531, NFS and its mount protocol are RFC 1813; all of it consists of 32-bit words.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOUNT = 100005, NFS = 100003, NOT_SUPPORTED = 10004, LAST = 1u << 31 };

static uint32_t reply[128];
static int words;

static void put(uint32_t word)
{
	reply[words++] = htonl(word);
}

static void put_all(int count, uint32_t word)
{
	while (count-- > 0)
		put(word);
}

/* post_op_attr or, without its first word, fattr3: a directory that belongs to root. */
static void attributes(int optional)
{
	if (optional)
		put(1);
	put(2);         /* NF3DIR */
	put(0755);
	put(2);         /* links */
	put_all(11, 0); /* owner, group, size, used, device, file system, first half of the file's id */
	put(1);         /* its second half */
	put_all(6, 0);  /* times */
}

static void mount_protocol(uint32_t procedure)
{
	if (procedure != 1) /* MNT */
		return;
	put(0);
	put(4); /* bytes of the file handle */
	put(1);
	put(1); /* one way to authenticate: */
	put(1); /* AUTH_UNIX */
}

static void nfs_protocol(uint32_t procedure)
{
	switch (procedure) {
	case 0: /* NULL */
		return;
	case 1: /* GETATTR */
		put(0);
		attributes(0);
		return;
	case 4: /* ACCESS */
		put(0);
		attributes(1);
		put(0x3f);
		return;
	case 19: /* FSINFO */
		put(0);
		attributes(1);
		put_all(7, 4096);
		put_all(5, 1);
		return;
	case 20: /* PATHCONF */
		put(0);
		attributes(1);
		put_all(6, 255);
		return;
	default:
		put(NOT_SUPPORTED);
		put(0);
	}
}

static int receive(int fd, void *data, size_t length)
{
	return recv(fd, data, length, MSG_WAITALL) == (ssize_t)length;
}

static void serve(int fd)
{
	static uint32_t call[1024];
	uint32_t length;

	while (receive(fd, &length, sizeof length)) {
		length = ntohl(length) & ~LAST;
		if (length > sizeof call || !receive(fd, call, length))
			return;
		words = 1; /* the length comes first */
		reply[words++] = call[0];
		put(1);        /* a reply, */
		put_all(4, 0); /* accepted, no verifier, success */
		if (ntohl(call[3]) == MOUNT)
			mount_protocol(ntohl(call[5]));
		else
			nfs_protocol(ntohl(call[5]));
		reply[0] = htonl(LAST | (words - 1) * 4);
		if (write(fd, reply, words * 4) < 0)
			return;
	}
}

int main(int count, char **arguments)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(2049) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (count < 2 || bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 9) != 0) {
		perror("nfsserve");
		return 1;
	}
	if (fork() == 0) {
		for (;;) {
			int fd = accept(listener, NULL, NULL);
			if (fork() == 0) {
				serve(fd);
				return 0;
			}
			close(fd);
		}
	}
	close(listener);
	if (mount("127.0.0.1:/", arguments[1], "nfs", 0,
		  "addr=127.0.0.1,vers=3,proto=tcp,port=2049,mountport=2049,mountproto=tcp,nolock,hard") != 0) {
		perror("nfsserve: mount");
		return 1;
	}
	return 0;
}
