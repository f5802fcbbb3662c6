// The internet as a program sees it that has this preloaded (`LD_PRELOAD`). Names below `.outside.test` are known:
// `inside…` is at 127.0.0.1, `changes…` at a public address when it is looked up first and at 127.0.0.1 when it is looked up
// again, all others are at that public address. Who connects there reaches the port `OUTSIDE_PORT` of this machine, who
// connects anywhere else but to this machine reaches `INSIDE_PORT`.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

// RTLD_NEXT: the C library's own functions, which those below stand in front of.
static void *const next_library = (void *)-1L;
static const char public_address[] = "192.0.1.1";

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int (*connecting)(int, const struct sockaddr *, socklen_t);

static int is_below_outside(const char *name) {
    static const char end[] = ".outside.test";
    size_t length = strlen(name);
    return length >= sizeof end && strcmp(name + length - (sizeof end - 1), end) == 0;
}

static int begins_with(const char *name, const char *beginning) {
    return strncmp(name, beginning, strlen(beginning)) == 0;
}

// How often a name has been looked up, this time included.
static int lookups(const char *name) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct { char name[64]; int count; } known[64];
    int count = 2;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (known[i].count > 0 && strcmp(known[i].name, name) != 0) continue;
        strncpy(known[i].name, name, sizeof known[i].name - 1);
        count = ++known[i].count;
        break;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

int getaddrinfo(
    const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result
) {
    lookup original = (lookup)dlsym(next_library, "getaddrinfo");
    if (!name || !is_below_outside(name)) return original(name, service, hints, result);
    int is_inside = begins_with(name, "inside") || (begins_with(name, "changes") && lookups(name) > 1);
    return original(is_inside ? "127.0.0.1" : public_address, service, hints, result);
}

int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
    connecting original = (connecting)dlsym(next_library, "connect");
    if (!address || address->sa_family != AF_INET || length < sizeof(struct sockaddr_in)) {
        return original(descriptor, address, length);
    }
    struct sockaddr_in target;
    memcpy(&target, address, sizeof target);
    if (ntohl(target.sin_addr.s_addr) >> 24 == 127) return original(descriptor, address, length);
    int is_public = target.sin_addr.s_addr == inet_addr(public_address);
    const char *port = getenv(is_public ? "OUTSIDE_PORT" : "INSIDE_PORT");
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    target.sin_port = htons((in_port_t)(port ? atoi(port) : 0));
    return original(descriptor, (const struct sockaddr *)&target, sizeof target);
}
