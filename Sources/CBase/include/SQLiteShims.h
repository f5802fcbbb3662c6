// SQLite's variadic functions, as far as they are needed: Swift cannot call them.
#ifndef BITBOT_SQLITE_SHIMS_H
#define BITBOT_SQLITE_SHIMS_H

#include <sqlite3.h>

/// Without it every allocation of every thread takes one lock. Only before the first connection is opened.
static inline int bitbot_sqlite_without_memory_statistics(void) {
    return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

#endif
