// Files that are compiled into the program.
#ifndef BITBOT_BASE_EMBEDDED_H
#define BITBOT_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

#endif
