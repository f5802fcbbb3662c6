extension AbusiveRequest {
    /// Forms at the addresses of events.
    static let forms: [AbusiveRequest] = [
        .init("an empty form", 400) { $0.event("", type: "application/x-www-form-urlencoded") },
        .init("33 levels of brackets", 400) { $0.event("event=ONX&a\("[b]".times(33))=1&\($0.auth)") },
        .init("a million brackets", 400) { $0.event("event=ONX&a\("[".times(1_000_000))=1") },
        .init("a million closed brackets", 400) { $0.event("event=ONX&a\("[]".times(500_000))=1") },
        .init("5,001 keys", 400) { $0.event("event=ONX&" + (0..<5_001).map { "k\($0)=" }.joined(separator: "&")) },
        .init("4,900 keys in one node", 200) {
            $0.event("event=ONX&\($0.auth)&" + (0..<4_900).map { "data[k\($0)]=" }.joined(separator: "&"))
        },
        .init("4,900 nodes, each of its own", 200) {
            $0.event("event=ONX&\($0.auth)&" + (0..<4_900).map { "data[\($0)][a][b]=" }.joined(separator: "&"))
        },
        .init("eight million separators", 400) { $0.event("&".times(8_000_000)) },
        .init("eight million escapes", 400) { $0.event("a=" + "%".times(8_000_000)) },
        .init("the largest index, then the next", 200) {
            $0.event("event=ONX&\($0.auth)&data[9223372036854775807]=1&data[]=2&data[99999999999999999999]=3")
        },
        .init("indexes far apart", 200) {
            $0.event("event=ONX&\($0.auth)&" + (1...18).map { "data[1\("0".times($0))]=x" }.joined(separator: "&"))
        },
        .init("an index below zero", 200) { $0.event("event=ONX&\($0.auth)&data[-1]=1&data[]=2") },
        .init("broken escapes", 200) { $0.event("event=ONX&\($0.auth)&data[%]=%zz&data[%4]=%&d%=%f") },
        .init("bytes that are no UTF-8", 200) { $0.event("event=ONX&\($0.auth)&data[%ff]=%c0%ae%ed%a0%80%fe") },
        .init("NUL in keys and values", 200) { $0.event("event=ONX%00&\($0.auth)&data[a%00b]=c%00d") },
        .init("another charset named", 200) {
            $0.event("event=ONX&\($0.auth)", type: "application/x-www-form-urlencoded; charset=utf-16")
        },
        .init("a form in UTF-16", 400) {
            $0.event("event=ONX&\($0.auth)".flatMap { "\($0)\0" }.map(String.init).joined())
        },
        .init("a form called an image", 200) { $0.event("event=ONX&\($0.auth)", type: "image/png") },
        .init("auth as a value, then with members", 200) { $0.event("event=ONX&auth=1&\($0.auth)") },
        .init("auth with members, then as a value", 400) { $0.event("event=ONX&\($0.auth)&auth=1") },
        .init("the token twice, the right one first", 403) {
            $0.event("event=ONX&\($0.auth)&auth[application_token]=wrong")
        },
        .init("the token as a list", 403) {
            $0.event("event=ONX&auth[member_id]=\($0.memberID)&auth[application_token][]=\($0.applicationToken)")
        },
        .init("the token without its last letter", 403) {
            $0.event("event=ONX&" + $0.auth.dropLast())
        },
        .init("the token and a NUL", 403) { $0.event("event=ONX&\($0.auth)%00") },
        .init("the token in the query only", 403) {
            $0.request("POST \($0.app)?\($0.auth)", [], "event=ONX&auth[member_id]=\($0.memberID)")
        },
        .init("no token", 403) { $0.event("event=ONX&auth[member_id]=\($0.memberID)") },
        .init("another portal", 403) { $0.event("event=ONX&\($0.auth)&auth[member_id]=0123") },
        .init("an event as a list", 400) { $0.event("event[]=ONX&\($0.auth)") },
        .init("an unknown address", 403) { $0.request("POST \($0.app)x", [], "event=ONX&\($0.auth)") },
        .init("an address in capitals", 403) { target in
            let key = target.app.split(separator: "/").last.map { $0.uppercased() } ?? ""
            return target.request("POST /api/bitrix/apps/\(key)", [], "event=ONX&\(target.auth)")
        },
        .init("an address with a quote", 403) { $0.request("POST \($0.app)'%20OR%20'1'='1", [], "event=ONX") },
        .init("an event of the first generation whose bot is a list", 400) {
            $0.event("event=ONIMBOTMESSAGEADD&\($0.auth)&data[BOT]=1&data[PARAMS]=2")
        },
        .init("a second generation's event at the application's address", 403) {
            $0.event("event=ONIMBOTV2MESSAGEADD&\($0.auth)&\(Self.message)&data[bot][id]=1")
        },
        .init("another bot's event", 403) {
            $0.botEvent("event=ONIMBOTV2MESSAGEADD&\($0.auth)&\(Self.message)&data[bot][id]=999999")
        },
        .init("a bot's id out of range", 400) {
            $0.botEvent("event=ONIMBOTV2MESSAGEADD&\($0.auth)&\(Self.message)&data[bot][id]=\("9".times(400))")
        },
        .init("a bot's id below zero", 400) {
            $0.botEvent("event=ONIMBOTV2MESSAGEADD&\($0.auth)&\(Self.message)&data[bot][id]=-5")
        },
        .init("a bot's id with an exponent", 400) {
            $0.botEvent("event=ONIMBOTV2MESSAGEADD&\($0.auth)&\(Self.message)&data[bot][id]=1e3")
        },
        .init("an uninstalling at a bot's address", 403) {
            $0.botEvent("event=ONAPPUNINSTALL&\($0.auth)&data[CLEAN]=1")
        },
        .init("an installation without a token", 400) {
            $0.event("event=ONAPPINSTALL&\($0.auth)", type: "text/plain")
        },
        .init("an installation that nobody confirms", 403) {
            $0.event("event=ONAPPINSTALL&\($0.auth)&auth[access_token]=x")
        },
        .init("parts where a form belongs", 400) {
            $0.event(
                "--b\r\nContent-Disposition: form-data; name=\"event\"\r\n\r\nONX\r\n--b--\r\n",
                type: "multipart/form-data; boundary=b")
        },
        .init("parts without an end", 400) {
            $0.event("--b\r\n".times(100_000), type: "multipart/form-data; boundary=b")
        },
        .init("parts without a boundary", 400) { $0.event("--\r\n\r\n----", type: "multipart/form-data") },
        .init("a form called compressed", 400) {
            $0.request(
                "POST \($0.app)", ["Content-Encoding: gzip"],
                "\u{1F}\u{8B}\u{8}\0\0\0\0\0\0\u{3}" + "\0".times(1_000))
        },
        .init("an installer's page without anything", 400) { $0.request("POST \($0.installer)", [], "x=1") },
        .init("an installer's page of a host that is none", 400) {
            $0.request("POST \($0.installer)?DOMAIN=a%0d%0aX-Injected:1&PROTOCOL=1", [], "AUTH_ID=x&member_id=y")
        },
        .init("an installer's page of a host with markup", 400) {
            $0.request("POST \($0.installer)?DOMAIN=%3Cscript%3E", [], "AUTH_ID=x&member_id=y")
        },
        .init("an installer's page that nobody confirms", 403) {
            $0.request("POST \($0.installer)?DOMAIN=a.example", [], "AUTH_ID=%3Cscript%3E&member_id=%3Cscript%3E")
        },
    ]

    /// JSON at the addresses of events.
    static let jsonEvents: [AbusiveRequest] = [
        .init("JSON cut short", 400) { $0.event("{\"event\":\"ONX\"", type: "application/json") },
        .init("a million open lists", 400) { $0.event("[".times(1_000_000), type: "application/json") },
        .init("a million open objects", 400) { $0.event("{\"a\":".times(1_000_000), type: "application/json") },
        .init("a hundred thousand lists in one another", 400) {
            $0.event("{\"a\":\("[".times(100_000))\("]".times(100_000))}", type: "application/json")
        },
        .init("JSON that is a text", 400) { $0.event("\"event\"", type: "application/json") },
        .init("JSON that is null", 400) { $0.event("null", type: "application/json") },
        .init("a form called JSON", 400) { $0.event("event=ONX&\($0.auth)", type: "application/json") },
        .init("JSON called a form", 200) { $0.event(Self.json($0, "")) },
        .init("half a surrogate pair", 200) { $0.event(Self.json($0, #","data":"\ud800""#)) },
        .init("a number out of range", 400) { $0.event(Self.json($0, #","ts":1e999999"#)) },
        .init("a number of a million digits", 400) { $0.event(Self.json($0, ",\"ts\":\("9".times(1_000_000))")) },
        .init("a key twice, the wrong token last", 403) {
            $0.event(Self.json($0, #","auth":{"member_id":"\#($0.memberID)","application_token":"x"}"#))
        },
        .init("NaN", 400) { $0.event(Self.json($0, #","ts":NaN"#)) },
        .init("a token that is a number", 403) {
            $0.event(#"{"event":"ONX","auth":{"member_id":"\#($0.memberID)","application_token":0}}"#)
        },
        .init("a token that is true", 403) {
            $0.event(#"{"event":"ONX","auth":{"member_id":"\#($0.memberID)","application_token":true}}"#)
        },
        .init("something after the end", 400) { $0.event(Self.json($0, "") + "}") },
    ]

    private static let message = "data[message][id]=1&data[message][text]=x&data[chat][dialogId]=chat1"

    private static func json(_ target: Target, _ more: String) -> String {
        #"{"event":"ONX","auth":{"member_id":"\#(target.memberID)","application_token":"\#(target.applicationToken)"}\#(more)}"#
    }
}
