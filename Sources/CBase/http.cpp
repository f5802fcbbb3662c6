// A client can make some of Beast's assertions fail (a final chunk that arrives byte by byte), harmlessly; they must not
// end the process.
#define BOOST_DISABLE_ASSERTS

#include "include/base_http.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/beast/http/basic_parser.hpp>

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using boost::beast::iequals;

/// What a part of a parser holds on to between two requests; more is given back.
constexpr std::size_t keptCapacity = 16 * 1024;
/// Far above every method that there is.
constexpr std::size_t longestMethod = 64;
/// The longest chunk line or trailer.
constexpr std::size_t chunkLineLimit = 8 * 1024;

struct Span {
    std::size_t offset;
    std::size_t count;
};

/// Whether a `Host` value can be one: a name or address and perhaps a port.
bool isHost(std::string_view host) {
    return std::all_of(host.begin(), host.end(), [](unsigned char c) {
        return c > ' ' && c < 0x7f && c != '/' && c != '?' && c != '#' && c != '@' && c != ',' && c != '\\';
    });
}

/// Collects one request and adds the rules that Beast leaves to its user.
class Request final : public http::basic_parser<true> {
public:
    Request(const base_http_limits &limits, std::string &text, std::vector<Span> &spans, std::string &body)
        : limits(limits), text(text), spans(spans), body_(body) {
        // Counted by `base_http_parser`: Beast's limit starts anew at each field.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(limits.body_bytes);
    }

    base_http_state refusal = BASE_HTTP_NEED_MORE;
    const char *reason = "";
    int version = 0;
    bool expectsContinue = false;
    bool hasStartLine = false;
    Span method{}, target{};

private:
    const base_http_limits &limits;
    std::string &text;
    /// Name and value of each field, in turn.
    std::vector<Span> &spans;
    std::string &body_;
    bool headerEnded = false;
    std::size_t hosts = 0, encodings = 0, lengths = 0;

    void refuse(base_http_state state, const char *why, error_code &ec) {
        refusal = state;
        reason = why;
        ec = http::error::bad_field;
    }

    Span keep(boost::beast::string_view bytes) {
        Span span{text.size(), bytes.size()};
        text.append(bytes.data(), bytes.size());
        return span;
    }

    void on_request_impl(
        http::verb, boost::beast::string_view name, boost::beast::string_view path, int number, error_code &ec) override {
        if (name.size() > longestMethod)
            return refuse(BASE_HTTP_BAD_REQUEST, "The request line is not valid.", ec);
        if (path.size() > limits.target_bytes)
            return refuse(BASE_HTTP_TARGET_TOO_LONG, "The request target is too long.", ec);
        hasStartLine = true;
        version = number;
        method = keep(name);
        target = keep(path);
    }

    void on_response_impl(int, boost::beast::string_view, int, error_code &) override {}

    void on_field_impl(
        http::field field, boost::beast::string_view name, boost::beast::string_view value, error_code &ec) override {
        if (headerEnded) return;  // A trailer: nobody asked for it.
        if (spans.size() / 2 == limits.header_fields)
            return refuse(BASE_HTTP_HEADER_TOO_LARGE, "The header has too many fields.", ec);
        switch (field) {
        case http::field::host:
            if (++hosts > 1) return refuse(BASE_HTTP_BAD_REQUEST, "There is more than one Host field.", ec);
            if (!isHost({value.data(), value.size()}))
                return refuse(BASE_HTTP_BAD_REQUEST, "The Host field is not valid.", ec);
            break;
        case http::field::content_length:
            if (++lengths > 1 || value.find(',') != value.npos)
                return refuse(BASE_HTTP_BAD_REQUEST, "There is more than one Content-Length.", ec);
            break;
        case http::field::transfer_encoding:
            if (++encodings > 1 || !iequals(value, "chunked") || version < 11)
                return refuse(BASE_HTTP_BAD_REQUEST, "The only Transfer-Encoding that is known is chunked.", ec);
            break;
        case http::field::expect:
            if (!iequals(value, "100-continue"))
                return refuse(BASE_HTTP_EXPECTATION_FAILED, "The only expectation that is known is 100-continue.", ec);
            expectsContinue = version >= 11;
            break;
        default: break;
        }
        spans.push_back(keep(name));
        spans.push_back(keep(value));
    }

    void on_header_impl(error_code &ec) override {
        headerEnded = true;
        if (hosts == 0 && version >= 11) refuse(BASE_HTTP_BAD_REQUEST, "The Host field is missing.", ec);
    }

    void on_body_init_impl(const boost::optional<std::uint64_t> &, error_code &) override {}

    std::size_t on_body_impl(boost::beast::string_view bytes, error_code &) override {
        body_.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code &) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view bytes, error_code &) override {
        body_.append(bytes.data(), bytes.size());
        return bytes.size();
    }

    void on_finish_impl(error_code &) override {}
};

/// Whether a request line ends with a well-formed version, so that only the version is wrong with it. The parser may see
/// that before the line's end has come.
bool endsWithVersion(std::string_view bytes) {
    const auto end = bytes.substr(0, bytes.find('\n')).find_last_not_of('\r') + 1;
    if (end < 9 || bytes.substr(end - 9, 8) == " HTTP/1." && (bytes[end - 1] == '0' || bytes[end - 1] == '1')) return false;
    const auto version = bytes.substr(end - 9, 9);
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return version.substr(0, 6) == " HTTP/" && digit(version[6]) && version[7] == '.' && digit(version[8]);
}

}  // namespace

struct base_http_parser {
    explicit base_http_parser(base_http_limits limits) : limits(limits) { begin(); }

    base_http_limits limits;
    std::optional<Request> request;
    /// What was fed; the first `parsed` bytes are done with.
    std::string input;
    std::size_t parsed = 0;
    /// How far the unparsed bytes of the header were searched for a bare line feed.
    std::size_t searched = 0;
    std::size_t headerBytes = 0;
    bool headerTold = false;
    bool emptyLineSkipped = false;
    const char *reason = "";
    std::string text, body;
    std::vector<Span> spans;
    std::vector<base_http_field> fields;

    /// Gives memory back and takes none, so it cannot fail.
    void begin() noexcept {
        for (auto part : {&text, &body}) {
            part->clear();
            if (part->capacity() > keptCapacity) part->shrink_to_fit();
        }
        spans.clear();
        request.emplace(limits, text, spans, body);
        headerBytes = searched = 0;
        headerTold = emptyLineSkipped = false;
        reason = "";
        forgetParsed();
    }

    void forgetParsed() {
        input.erase(0, parsed);
        parsed = 0;
        if (input.empty() && input.capacity() > 4 * keptCapacity) input.shrink_to_fit();
    }

    std::string_view unparsed() const { return std::string_view(input).substr(parsed); }

    base_http_state refuse(base_http_state state, const char *why) {
        reason = why;
        return state;
    }

    base_http_state next() {
        if (!request->is_header_done()) {
            const auto state = parseHeader();
            if (state != BASE_HTTP_HEADER) return state;
        }
        if (!headerTold) {
            headerTold = true;
            return BASE_HTTP_HEADER;
        }
        return parseBody();
    }

    base_http_state parseHeader() {
        skipEmptyLine();
        if (unparsed().empty() || (headerBytes == 0 && unparsed() == "\r")) return BASE_HTTP_NEED_MORE;
        error_code ec;
        const auto count = request->put({input.data() + parsed, input.size() - parsed}, ec);
        parsed += count;
        headerBytes += count;
        searched = searched > count ? searched - count : 0;
        if (ec == http::error::need_more) return judgePartialHeader();
        if (ec) return failure(ec);
        if (headerBytes > limits.header_bytes) return refuseHeader();
        request->eager(true);
        return BASE_HTTP_HEADER;
    }

    /// A robust server skips the empty line that some clients send after a body (RFC 9112, 2.2).
    void skipEmptyLine() {
        if (headerBytes == 0 && !emptyLineSkipped && unparsed().substr(0, 2) == "\r\n") {
            parsed += 2;
            emptyLineSkipped = true;
        }
    }

    base_http_state refuseHeader() { return refuse(BASE_HTTP_HEADER_TOO_LARGE, "The header is too large."); }

    /// Finds early what can never become a good header.
    base_http_state judgePartialHeader() {
        const auto rest = unparsed();
        if (!request->hasStartLine) {
            const auto space = rest.find(' ');
            if (space == rest.npos ? rest.size() > longestMethod : space == 0)
                return refuse(BASE_HTTP_BAD_REQUEST, "The request line is not valid.");
            if (rest.size() - space > limits.target_bytes + 1 && rest.find(' ', space + 1) == rest.npos && space != rest.npos)
                return refuse(BASE_HTTP_TARGET_TOO_LONG, "The request target is too long.");
        }
        if (headerBytes + rest.size() > limits.header_bytes) return refuseHeader();
        for (auto feed = rest.find('\n', searched); feed != rest.npos; feed = rest.find('\n', feed + 1))
            if (feed == 0 || rest[feed - 1] != '\r')
                return refuse(BASE_HTTP_BAD_REQUEST, "A line of the header does not end with CR LF.");
        searched = rest.size();
        return BASE_HTTP_NEED_MORE;
    }

    base_http_state parseBody() {
        while (!request->is_done()) {
            const auto rest = unparsed();
            if (rest.empty()) return BASE_HTTP_NEED_MORE;
            error_code ec;
            const auto count = request->put({rest.data(), rest.size()}, ec);
            parsed += count;
            if (ec == http::error::need_more) {
                if (unparsed().size() > chunkLineLimit)
                    return refuse(BASE_HTTP_BAD_REQUEST, "A chunk's line or the trailer is too long.");
                return BASE_HTTP_NEED_MORE;
            }
            if (ec) return failure(ec);
        }
        return BASE_HTTP_COMPLETE;
    }

    base_http_state failure(const error_code &ec) {
        if (request->refusal != BASE_HTTP_NEED_MORE) return refuse(request->refusal, request->reason);
        if (ec == http::error::body_limit) return refuse(BASE_HTTP_BODY_TOO_LARGE, "The body is too large.");
        if (ec == http::error::header_limit) return refuseHeader();
        if (ec == http::error::bad_version && endsWithVersion(unparsed()))
            return refuse(BASE_HTTP_UNKNOWN_VERSION, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        return refuse(BASE_HTTP_BAD_REQUEST, "The request is not valid HTTP/1.1.");
    }

    base_http_text at(Span span) const {
        return {reinterpret_cast<const uint8_t *>(text.data()) + span.offset, span.count};
    }
};

base_http_parser *base_http_parser_new(base_http_limits limits) noexcept {
    try {
        return new base_http_parser(limits);
    } catch (...) {
        return nullptr;
    }
}

void base_http_parser_free(base_http_parser *parser) noexcept { delete parser; }

bool base_http_parser_feed(base_http_parser *parser, const uint8_t *bytes, size_t count) noexcept {
    try {
        if (parser->parsed > 0) parser->forgetParsed();
        parser->input.append(reinterpret_cast<const char *>(bytes), count);
        return true;
    } catch (...) {
        return false;
    }
}

base_http_state base_http_parser_next(base_http_parser *parser) noexcept {
    try {
        return parser->next();
    } catch (const std::bad_alloc &) {
        return parser->refuse(BASE_HTTP_NO_MEMORY, "The server has no memory left.");
    } catch (...) {
        return parser->refuse(BASE_HTTP_BAD_REQUEST, "The request is not valid HTTP/1.1.");
    }
}

const char *base_http_parser_reason(const base_http_parser *parser) noexcept { return parser->reason; }

bool base_http_parser_message(base_http_parser *parser, base_http_message *message) noexcept {
    const auto &request = *parser->request;
    try {
        parser->fields.clear();
        for (std::size_t i = 0; i + 1 < parser->spans.size(); i += 2)
            parser->fields.push_back({parser->at(parser->spans[i]), parser->at(parser->spans[i + 1])});
    } catch (...) {
        return false;
    }
    message->method = parser->at(request.method);
    message->target = parser->at(request.target);
    message->version = request.version;
    message->keep_alive = request.keep_alive();
    message->chunked = request.chunked();
    message->expects_continue = request.expectsContinue && !request.is_done();
    message->fields = parser->fields.data();
    message->field_count = parser->fields.size();
    message->body = {reinterpret_cast<const uint8_t *>(parser->body.data()), parser->body.size()};
    return true;
}

void base_http_parser_reset(base_http_parser *parser) noexcept {
    parser->begin();
}

bool base_http_parser_has_begun(const base_http_parser *parser) noexcept {
    return parser->headerBytes > 0 || !parser->unparsed().empty();
}

size_t base_http_parser_unparsed(const base_http_parser *parser) noexcept { return parser->unparsed().size(); }
