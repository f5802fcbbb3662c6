extension AbusiveRequest {
    /// Paths that would lead elsewhere.
    static let paths: [AbusiveRequest] = [
        .init("dots", 404) { $0.get("/admin/../../etc/passwd") },
        .init("escaped dots", 404) { $0.get("/admin/%2e%2e/%2e%2e/etc/passwd") },
        .init("twice escaped dots", 404) { $0.get("/admin/%252e%252e/etc/passwd") },
        .init("an escaped slash", 404) { $0.get("/admin%2f") },
        .init("backslashes", 404) { $0.get("/admin\\..\\x") },
        .init("dots in overlong UTF-8", 400) { $0.get("/admin/%c0%ae%c0%ae/") },
        .init("an escaped NUL", 400) { $0.get("/admin/%00") },
        .init("an escaped line end", 404) { $0.get("/admin/%0d%0aX-Injected:%201") },
        .init("a broken escape", 400) { $0.get("/admin/%zz") },
        .init("an escape without end", 400) { $0.get("/admin/%") },
        .init("two slashes", 404) { $0.get("//admin/") },
        .init("two slashes and a host", 404) { $0.get("//evil.example/%2e%2e") },
        .init("a path parameter", 404) { $0.get("/healthz;x=1") },
        .init("capitals", 404) { $0.get("/HEALTHZ") },
        .init("a trailing slash", 404) { $0.get("/healthz/") },
        .init("four thousand segments", 404) { $0.get("/x".times(4_000)) },
        .init("a whole address of another host", 200) { $0.get("http://evil.example/healthz") },
        .init("a star where a path belongs", 400, kept: false) { $0.get("*") },
        .init("the star of OPTIONS", 400, kept: false) { $0.request("OPTIONS *") },
    ]

    /// Headers that a server might believe, or send back.
    static let headers: [AbusiveRequest] = [
        .init("another host, which no answer leads to", 302) { _ in
            "GET / HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nX-Injected: 1\r\n\r\n"
        },
        .init("an empty Host", 200) { _ in "GET /healthz HTTP/1.1\r\nHost:\r\n\r\n" },
        .init("a Host that is a password", 400, kept: false) { _ in "GET /healthz HTTP/1.1\r\nHost: u:p@a\r\n\r\n" },
        .init("a folded field", 200) { $0.get("/healthz", "X-Folded: a\r\n b") },
        .init("an upgrade to a web socket", 200) {
            $0.get(
                "/healthz", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
        },
        .init("an upgrade to HTTP/2", 200) {
            $0.get("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAAA")
        },
        .init("a thousand ranges", 200) { $0.get("/healthz", "Range: bytes=" + "0-1,".times(1_000) + "0-1") },
        .init("another method in a header", 405) {
            $0.request("GET /api/v1/sign-in", ["X-HTTP-Method-Override: POST", "X-Method-Override: POST"])
        },
        .init("another address in a header", 404) {
            $0.get("/nowhere", "X-Original-URL: /healthz", "X-Rewrite-URL: /healthz")
        },
        .init("a method nobody knows", 405) { $0.request("MAKEITSO /healthz") },
        .init("a method in small letters", 405) { $0.request("get /healthz") },
        .init("TRACE, which sends nothing back", 405) { $0.request("TRACE /healthz", ["X-Injected: secret"]) },
        .init("a password in the basic way", 401) {
            $0.get("/api/v1/apps", "Authorization: Basic YWRtaW46\($0.adminToken)")
        },
        .init("an empty token", 401) { $0.get("/api/v1/apps", "Authorization: Bearer ") },
        .init("the token without its last letter", 401) {
            $0.get("/api/v1/apps", "Authorization: Bearer \($0.adminToken.dropLast())")
        },
        .init("the token in the query", 401) { $0.get("/api/v1/apps?access_token=\($0.adminToken)") },
        .init("the token in a cookie", 401) { $0.get("/api/v1/apps", "Cookie: token=\($0.adminToken)") },
        .init("a token of 20,000 letters", 401) {
            $0.get("/api/v1/apps", "Authorization: Bearer " + "x".times(20_000))
        },
    ]

    /// Lengths and chunks that are right, and odd; what comes after is a request of its own.
    static let framing: [AbusiveRequest] = [
        .init("a GET with a body", 200) { $0.request("GET /healthz", [], "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n") },
        .init("a body that looks like a request", 404) {
            $0.request("POST /nowhere", [], "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n")
        },
        .init("ten thousand chunks of one byte", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding: chunked"]) + "1\r\na\r\n".times(10_000) + "0\r\n\r\n"
        },
        .init("a chunk with extensions", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding: chunked"]) + "2;a=b;c=\"d\"\r\nab\r\n0\r\n\r\n"
        },
        .init("a chunk size with zeros in front", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding: chunked"]) + "00000002\r\nab\r\n0\r\n\r\n"
        },
        .init("a trailer that names a length", 400, kept: false) {
            $0.request("POST /nowhere", ["Transfer-Encoding: chunked"]) + "0\r\nContent-Length: 500\r\n\r\n"
        },
        .init("a folded coding", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding:\r\n chunked"]) + "0\r\n\r\n"
        },
        .init("a folded length", 400, kept: false) {
            $0.request("POST /nowhere", ["Content-Length: 1\r\n 2"]) + "abcdefghijkl"
        },
        .init("a coding in capitals", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding: CHUNKED"]) + "0\r\n\r\n"
        },
        .init("a coding after a tab", 404) {
            $0.request("POST /nowhere", ["Transfer-Encoding:\tchunked"]) + "0\r\n\r\n"
        },
        .init("a coding with an underscore is no coding", 404) {
            $0.request("POST /nowhere", ["Transfer_Encoding: chunked", "Content-Length: 5"]) + "0\r\n\r\n"
        },
        .init("a coding with a vertical tab", 400, kept: false) {
            $0.request("POST /nowhere", ["Transfer-Encoding: \u{B}chunked"]) + "0\r\n\r\n"
        },
        .init("a coding in quotes", 400, kept: false) {
            $0.request("POST /nowhere", ["Transfer-Encoding: \"chunked\""]) + "0\r\n\r\n"
        },
        .init("no coding named", 400, kept: false) {
            $0.request("POST /nowhere", ["Transfer-Encoding:"]) + "0\r\n\r\n"
        },
        .init("chunked and a comma", 400, kept: false) {
            $0.request("POST /nowhere", ["Transfer-Encoding: chunked, identity"]) + "0\r\n\r\n"
        },
        .init("a length after a blank in its name", 400, kept: false) {
            $0.request("POST /nowhere", ["Content-Length : 5"]) + "abcde"
        },
        .init("a length with a blank inside", 400, kept: false) {
            $0.request("POST /nowhere", ["Content-Length: 1 1"]) + "abcde"
        },
        .init("a length with a line feed alone", 400, kept: false) { _ in
            "POST /nowhere HTTP/1.1\r\nHost: a\r\nX: y\nContent-Length: 5\r\n\r\nabcde"
        },
        .init("the last request of an old client", 200, kept: false) { _ in "GET /healthz HTTP/1.0\r\n\r\n" },
        .init("a client that wants to close", 200, kept: false) { $0.get("/healthz", "Connection: close") },
        .init("empty lines before the request", 400, kept: false) { "\r\n\r\n" + $0.get("/healthz") },
    ]

    /// The management API, asked by who may, wrongly.
    static let management: [AbusiveRequest] = [
        .init("a body over its limit", 413) { $0.manage("POST /api/v1/apps", "\"" + "x".times(1_100_000) + "\"") },
        .init("no body", 400) { $0.manage("POST /api/v1/apps") },
        .init("a list instead of an object", 400) { $0.manage("POST /api/v1/apps", "[]") },
        .init("ninety thousand open lists", 400) { $0.manage("POST /api/v1/apps", "[".times(90_000)) },
        .init("ninety thousand open objects", 400) { $0.manage("POST /api/v1/apps", "{\"a\":".times(90_000)) },
        .init("objects as deep as the reader goes", 422) {
            $0.manage("POST /api/v1/apps", "{\"a\":".times(500) + "1" + "}".times(500))
        },
        .init("a bot's settings as deep as the reader goes", 422) {
            $0.manage("POST /api/v1/bots", "{\"settings\":" + "{\"a\":".times(500) + "1" + "}".times(501))
        },
        .init("ten thousand unknown fields", 422) { target in
            target.manage("POST /api/v1/apps", "{" + (0..<10_000).map { "\"f\($0)\":1" }.joined(separator: ",") + "}")
        },
        .init("a name with a line end", 201) {
            $0.manage("POST /api/v1/apps", #"{"name":"a\r\nX-Injected: 1","bitbot":false}"#)
        },
        .init("a name with a NUL", 422) { $0.manage("POST /api/v1/apps", #"{"name":"a\u0000b","bitbot":false}"#) },
        .init("a name of 20,000 letters", 422) {
            $0.manage("POST /api/v1/apps", "{\"name\":\"\("x".times(20_000))\",\"bitbot\":false}")
        },
        .init("a name that is a number", 422) { $0.manage("POST /api/v1/apps", #"{"name":5}"#) },
        .init("a number out of range", 400) { $0.manage("POST /api/v1/apps", #"{"name":1e400}"#) },
        .init("a field whose name is half a megabyte", 422) {
            $0.request("POST /api/v1/sign-in", [], "{\"\("x".times(500_000))\":1}")
        },
        .init("a field with markup for its name", 422) { $0.manage("POST /api/v1/apps", #"{"<script>":1}"#) },
        .init("a limit out of range", 422) { $0.manage("GET /api/v1/apps?limit=99999999999999999999") },
        .init("a limit below zero", 422) { $0.manage("GET /api/v1/apps?limit=-1") },
        .init("a cursor that is none", 422) { $0.manage("GET /api/v1/apps?cursor=%00%ff'--") },
        .init("a query of brackets", 400) { $0.manage("GET /api/v1/apps?a" + "[b]".times(100)) },
        .init("an id with a quote", 404) { $0.manage("GET /api/v1/apps/1'%20OR%20'1'='1") },
        .init("an id of 5,000 digits", 404) { $0.manage("GET /api/v1/apps/" + "9".times(5_000)) },
        .init("an id in a filter with a quote", 422) { $0.manage("GET /api/v1/dialogs?portal_id=1'--") },
        .init("a wrong one-time code", 403) { $0.request("POST /api/v1/sign-in", [], #"{"code":"x"}"#) },
        .init("a one-time code that is a list", 422) { $0.request("POST /api/v1/sign-in", [], #"{"code":[]}"#) },
    ]
}
