// System calls that Swift's C library module does not show.
#ifndef BITBOT_BASE_SYSTEM_H
#define BITBOT_BASE_SYSTEM_H

#ifdef __cplusplus
extern "C" {
#endif

/// Names the calling thread, for debuggers and `top`; at most 15 characters.
void base_name_thread(const char *name);

/// Accepts one connection as a non-blocking descriptor that is closed in child processes; -1 and `errno` otherwise.
int base_accept(int listener);

#ifdef __cplusplus
}
#endif
#endif
