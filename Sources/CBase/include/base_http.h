// The HTTP/1.1 request parser: Boost.Beast's, fed with bytes, without a C++ type in sight. One parser serves one
// connection, request after request. No function throws. A parser is used by one thread at a time.
#ifndef BITBOT_BASE_HTTP_H
#define BITBOT_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define BASE_HTTP_NOEXCEPT noexcept
extern "C" {
#else
#define BASE_HTTP_NOEXCEPT
#endif

typedef struct base_http_parser base_http_parser;

/// What a request may use.
typedef struct {
    size_t target_bytes;
    size_t header_bytes;
    size_t header_fields;
    uint64_t body_bytes;
} base_http_limits;

/// What stands before the caller. The numbers are the status to answer with; after one of those, parse no further.
typedef enum {
    BASE_HTTP_NEED_MORE = 0,
    /// The header is complete and acceptable; told once for each request, before its body is read.
    BASE_HTTP_HEADER = 1,
    /// The request is whole. Take it, then `base_http_parser_reset`.
    BASE_HTTP_COMPLETE = 2,
    BASE_HTTP_BAD_REQUEST = 400,
    BASE_HTTP_BODY_TOO_LARGE = 413,
    BASE_HTTP_TARGET_TOO_LONG = 414,
    BASE_HTTP_EXPECTATION_FAILED = 417,
    BASE_HTTP_HEADER_TOO_LARGE = 431,
    BASE_HTTP_NO_MEMORY = 503,
    BASE_HTTP_UNKNOWN_VERSION = 505
} base_http_state;

typedef struct {
    const uint8_t *bytes;
    size_t count;
} base_http_text;

typedef struct {
    base_http_text name;
    base_http_text value;
} base_http_field;

/// A request; its pointers live until the parser is fed, reset or freed.
typedef struct {
    base_http_text method;
    base_http_text target;
    /// 10 or 11.
    int version;
    bool keep_alive;
    bool chunked;
    /// The client waits for "100 Continue" before it sends the body.
    bool expects_continue;
    const base_http_field *fields;
    size_t field_count;
    base_http_text body;
} base_http_message;

/// `NULL` when there is no memory.
base_http_parser *base_http_parser_new(base_http_limits limits) BASE_HTTP_NOEXCEPT;
void base_http_parser_free(base_http_parser *parser) BASE_HTTP_NOEXCEPT;

/// Copies received bytes in; `false` when there is no memory.
bool base_http_parser_feed(base_http_parser *parser, const uint8_t *bytes, size_t count) BASE_HTTP_NOEXCEPT;

/// Parses on, to the next thing worth telling.
base_http_state base_http_parser_next(base_http_parser *parser) BASE_HTTP_NOEXCEPT;

/// Why the last state was a refusal: a short sentence for the client.
const char *base_http_parser_reason(const base_http_parser *parser) BASE_HTTP_NOEXCEPT;

/// The request, once its header is complete; `false` when there is no memory.
bool base_http_parser_message(base_http_parser *parser, base_http_message *message) BASE_HTTP_NOEXCEPT;

/// Turns to the next request; bytes that were fed beyond the former belong to it.
void base_http_parser_reset(base_http_parser *parser) BASE_HTTP_NOEXCEPT;

/// Whether a request has begun: some of its bytes were fed.
bool base_http_parser_has_begun(const base_http_parser *parser) BASE_HTTP_NOEXCEPT;

/// Bytes that were fed and not yet parsed.
size_t base_http_parser_unparsed(const base_http_parser *parser) BASE_HTTP_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
