#define _GNU_SOURCE
#include "include/base_system.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>

void base_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

int base_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }
