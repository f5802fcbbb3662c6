// The C libraries that BitBot stands on, gathered into one module, with the few functions that Swift cannot call itself.
#ifndef BITBOT_CBASE_H
#define BITBOT_CBASE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <signal.h>
#include <fcntl.h>
#include <sys/file.h>

#include <event2/event.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <event2/util.h>
#include <curl/curl.h>
#include "CurlShims.h"
#include <sqlite3.h>
#include "SQLiteShims.h"
#include <hiredis/hiredis.h>
#include <sodium.h>
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>

#include <zlib.h>

#include "base_embedded.h"
#include "base_http.h"
#include "base_system.h"

#endif
