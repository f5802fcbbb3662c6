import CBase
import Glibc

/// A libcurl easy handle that serves one transfer after another.
///
/// Used on its pool's loop only. libcurl holds unretained pointers to it: sound, because the pool keeps every handle that
/// was added to its multi handle, and a handle that goes frees libcurl's side first.
final class HTTPClientHandle {
    /// What is the same for every handle of a client.
    struct Settings: Sendable {
        var userAgent: String
        /// A file of certificate authorities; the system's if `nil`.
        var certificates: String?
        /// Idle connections that each pool keeps at most.
        var keptConnections: Int
    }

    unowned let pool: HTTPClientPool
    let easy: UnsafeMutableRawPointer
    private(set) var transfer: HTTPClientTransfer?
    /// Where the pool keeps it while it is in use.
    var index = 0
    private var headers: UnsafeMutablePointer<curl_slist>?
    /// Where libcurl puts its words about a failure to connect; later ones are not asked for.
    private var message: UnsafeMutablePointer<CChar>?
    /// When its transfer's deadline is to be looked at.
    private(set) var looksAt = Int64.max

    init?(pool: HTTPClientPool, settings: Settings) {
        guard let easy = curl_easy_init() else { return nil }
        self.pool = pool
        self.easy = easy
        setConstants(settings)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        message?.deallocate()
    }

    /// What is the same for every transfer.
    private func setConstants(_ settings: Settings) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        set(CURLOPT_PRIVATE, me)
        bitbot_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        bitbot_curl_set_text(easy, CURLOPT_USERAGENT, settings.userAgent)
        // Debian's default is a file and a folder of the same authorities. With a folder libcurl reads the file anew for
        // each connection (20 ms); with the file alone it keeps what it read, for a day.
        bitbot_curl_set_text(easy, CURLOPT_CAPATH, nil)
        bitbot_curl_set_text(easy, CURLOPT_PROXY_CAPATH, nil)
        if let file = settings.certificates { bitbot_curl_set_text(easy, CURLOPT_CAINFO, file) }
        // Without this a cancelled transfer that hangs in a name lookup blocks the loop until the lookup ends.
        set(CURLOPT_QUICK_EXIT, 1)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_BUFFERSIZE, 1024)
        set(CURLOPT_UPLOAD_BUFFERSIZE, 16 * 1024)
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_FOLLOWLOCATION, 0)
        // Shorter than servers and load balancers keep an idle connection: one that they close just now is a risk.
        set(CURLOPT_MAXAGE_CONN, 50)
        // An empty name keeps libcurl from looking into the environment itself.
        bitbot_curl_set_text(easy, CURLOPT_PROXY, "")
        bitbot_curl_set_text(easy, CURLOPT_NOPROXY, "")

        bitbot_curl_set_writer(easy, CURLOPT_HEADERFUNCTION) { data, size, count, context in
            guard let transfer = HTTPClientHandle.transfer(context) else { return 0 }
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            return transfer.receive(header: bytes) ? bytes.count : 0
        }
        set(CURLOPT_HEADERDATA, me)
        bitbot_curl_set_writer(easy, CURLOPT_WRITEFUNCTION) { data, size, count, context in
            let bytes = UnsafeRawBufferPointer(start: data, count: size * count)
            switch HTTPClientHandle.transfer(context)?.receive(body: bytes) {
            case .taken: return bytes.count
            case .pause: return Int(CURL_WRITEFUNC_PAUSE)
            case .stop, nil: return 0
            }
        }
        set(CURLOPT_WRITEDATA, me)
        bitbot_curl_set_prereq(easy) { context, _, _, _, _ in
            guard let context else { return CURL_PREREQFUNC_ABORT }
            let handle = Unmanaged<HTTPClientHandle>.fromOpaque(context).takeUnretainedValue()
            handle.takeMessageAway()
            let maySend = handle.transfer?.willSend(sentBytes: handle.sentBytes) ?? false
            return maySend ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
        }
        set(CURLOPT_PREREQDATA, me)
        bitbot_curl_set_opensocket(easy) { context, _, address in
            guard let context, let address else { return CURL_SOCKET_BAD }
            let handle = Unmanaged<HTTPClientHandle>.fromOpaque(context).takeUnretainedValue()
            return handle.openSocket(address)
        }
        set(CURLOPT_OPENSOCKETDATA, me)
        bitbot_curl_set_closesocket(easy) { context, descriptor in
            if let context {
                Unmanaged<HTTPClientPool>.fromOpaque(context).takeUnretainedValue().willClose(descriptor)
            }
            return close(descriptor)
        }
        // A connection outlives the handle that opened it, never the pool.
        set(CURLOPT_CLOSESOCKETDATA, Unmanaged.passUnretained(pool).toOpaque())
    }

    private static func transfer(_ context: UnsafeMutableRawPointer?) -> HTTPClientTransfer? {
        context.flatMap { Unmanaged<HTTPClientHandle>.fromOpaque($0).takeUnretainedValue().transfer }
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        // A Unix socket is named by trusted requests only.
        let isUnix = address.pointee.family == AF_UNIX
        let isAllowed = withUnsafePointer(to: &address.pointee.addr) { transfer?.allows($0) ?? false }
        guard isUnix || isAllowed else { return CURL_SOCKET_BAD }
        let kind = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.pointee.family, kind, address.pointee.protocol)
        if descriptor >= 0 { pool.didOpen(descriptor) }
        return descriptor
    }

    // MARK: One transfer

    func prepare(for transfer: HTTPClientTransfer) {
        self.transfer = transfer
        transfer.handle = self
        looksAt = .max
        offerMessage()
        let request = transfer.request
        bitbot_curl_set_url(easy, transfer.target?.handle)
        setMethod(request)
        setHeaders(request)
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(clamping: max(1, request.timeouts.connect.milliseconds)))
        if let path = request.unixSocket { bitbot_curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, path) }
        if case .proxy(let proxy) = transfer.route { bitbot_curl_set_text(easy, CURLOPT_PROXY, proxy.url) }
        transfer.letGoOfWhatIsSent()
        watchDeadline(transfer.deadline)
    }

    /// - Returns: whether the handle may be used again.
    func release() -> Bool {
        guard let transfer else { return true }
        self.transfer = nil
        transfer.handle = nil
        letGoOfRequest()
        if transfer.length > 0 { bitbot_curl_set_text(easy, CURLOPT_POSTFIELDS, nil) }
        if transfer.request.unixSocket != nil { bitbot_curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, nil) }
        if case .proxy = transfer.route { bitbot_curl_set_text(easy, CURLOPT_PROXY, "") }
        // What libcurl remembers of a user's name is not worth finding out.
        return !transfer.hasUser
    }

    /// libcurl looks at these only to send the request. A body that is still on its way is kept.
    func letGoOfRequest() {
        if let length = transfer?.length, length > 0, uploadedBytes >= length {
            bitbot_curl_set_text(easy, CURLOPT_POSTFIELDS, nil)
        }
        bitbot_curl_set_url(easy, nil)
        bitbot_curl_set_headers(easy, nil)
        curl_slist_free_all(headers)
        headers = nil
    }

    private func setMethod(_ request: HTTPClient.Request) {
        let mustHaveBody = request.method == .post || request.method == .put || request.method == .patch
        if !request.body.isEmpty || mustHaveBody {
            set(CURLOPT_POST, 1)
            bitbot_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
            // libcurl copies it: the array's own memory cannot be lent for the length of a transfer.
            request.body.withUnsafeBytes { bytes in
                _ = bitbot_curl_set_pointer(
                    easy, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(easy))
            }
        } else if request.method == .head {
            set(CURLOPT_NOBODY, 1)
        } else {
            set(CURLOPT_HTTPGET, 1)
        }
        let isDefault = (request.method == .get || request.method == .post || request.method == .head)
        let isUsual = isDefault && (request.method == .post || request.body.isEmpty)
        bitbot_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, isUsual ? nil : request.method.rawValue)
    }

    private func setHeaders(_ request: HTTPClient.Request) {
        var hasType = false
        for field in request.headers.fields {
            // The body's length is told by libcurl; a second one would be another request to some servers.
            if equalIgnoringCase(field.name, "Content-Length") || equalIgnoringCase(field.name, "Transfer-Encoding") {
                continue
            }
            if equalIgnoringCase(field.name, "Content-Type") { hasType = true }
            // libcurl reads "Name:" as "leave it out".
            append(field.value.isEmpty ? field.name + ";" : field.name + ": " + field.value)
        }
        if !hasType { append("Content-Type:") }
        append("Expect:")
        bitbot_curl_set_headers(easy, headers)
    }

    private func append(_ line: String) {
        if let longer = curl_slist_append(headers, line) { headers = longer }
    }

    private func set(_ option: CURLoption, _ value: Int) { bitbot_curl_set_long(easy, option, value) }
    private func set(_ option: CURLoption, _ value: UnsafeRawPointer) { bitbot_curl_set_pointer(easy, option, value) }

    // MARK: What libcurl tells

    /// Bytes of the header and what went with it, over all attempts.
    private var sentBytes: Int {
        var count = 0
        bitbot_curl_get_long(easy, CURLINFO_REQUEST_SIZE, &count)
        return count
    }

    var uploadedBytes: Int64 {
        var count: curl_off_t = 0
        bitbot_curl_get_size(easy, CURLINFO_SIZE_UPLOAD_T, &count)
        return Int64(count)
    }

    /// libcurl's words about a failure to connect; they may name the host, never the URL.
    var failureMessage: String? { message.flatMap { $0.pointee == 0 ? nil : String(cString: $0) } }

    private func offerMessage() {
        if message == nil {
            let place = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
            set(CURLOPT_ERRORBUFFER, place)
            message = place
        }
        message?.pointee = 0
    }

    private func takeMessageAway() {
        bitbot_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, nil)
        message?.deallocate()
        message = nil
    }

    // MARK: Deadlines

    /// Has the transfer's deadline looked at when `moment` has come.
    func watchDeadline(_ moment: Int64) {
        guard moment < looksAt else { return }
        looksAt = moment
        pool.watchDeadlines(moment)
    }

    /// - Returns: whether the transfer has waited too long.
    func isTooLate(at now: Int64) -> Bool {
        looksAt = .max
        guard let transfer else { return false }
        transfer.noteUpload(self)
        looksAt = transfer.deadline
        return looksAt <= now
    }
}
