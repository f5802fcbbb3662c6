import Glibc
import Synchronization

/// The names below `.lookup.test` in this process, and two addresses of the public internet. The functions below stand in
/// front of the C library's for every library in the process, so that a name server that never answers, or changes its
/// mind, needs no name server.
enum NameLookups {
    /// Played by this machine.
    static let publicAddress = "192.0.1.1"
    /// Lets nobody in.
    static let closedAddress = "192.0.1.2"
    /// Lookups of names that begin with `changes`.
    static let changing = Mutex<[String: Int]>([:])

    /// Lookups of `hangs….lookup.test` that have begun and not ended.
    static let hanging = Mutex(0)
    /// Opened to let them end.
    static let gate = ScriptGate()
}

private typealias Lookup =
    @convention(c) (
        UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
        UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
    ) -> Int32

@_cdecl("getaddrinfo")
public func lookUp(
    _ name: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> Int32 {
    // RTLD_NEXT: the C library's own.
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "getaddrinfo") else { return EAI_SYSTEM }
    let original = unsafeBitCast(symbol, to: Lookup.self)
    let text = name.map { String(cString: $0) } ?? ""
    guard text.hasSuffix(".lookup.test") else { return original(name, service, hints, result) }
    if text.hasPrefix("hangs") {
        NameLookups.hanging.withLock { $0 += 1 }
        NameLookups.gate.wait()
        NameLookups.hanging.withLock { $0 -= 1 }
    }
    // A public name that its owner has pointed at this machine.
    if text.hasPrefix("inside") { return original("127.0.0.1", service, hints, result) }
    // Public the first time, this machine the second, and so on.
    if text.hasPrefix("changes") {
        let count = NameLookups.changing.withLock { counts in
            counts[text, default: 0] += 1
            return counts[text] ?? 0
        }
        return original(count % 2 == 1 ? NameLookups.publicAddress : "127.0.0.1", service, hints, result)
    }
    if text.hasPrefix("several") {
        var second: UnsafeMutablePointer<addrinfo>?
        let status = original(NameLookups.closedAddress, service, hints, result)
        guard status == 0, original("127.0.0.1", service, hints, &second) == 0 else { return EAI_FAIL }
        var last = result?.pointee
        while let next = last?.pointee.ai_next { last = next }
        last?.pointee.ai_next = second
        return 0
    }
    return EAI_NONAME
}

private typealias Connect = @convention(c) (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32

@_cdecl("connect")
public func connectInstead(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "connect") else { return -1 }
    let original = unsafeBitCast(symbol, to: Connect.self)
    guard let address, Int32(address.pointee.sa_family) == AF_INET else {
        return original(descriptor, address, length)
    }
    var target = UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
    switch target.sin_addr.s_addr {
    case inet_addr(NameLookups.closedAddress):
        errno = ECONNREFUSED
        return -1
    case inet_addr(NameLookups.publicAddress):
        target.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafeBytes(of: &target) {
            original(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, length)
        }
    default: return original(descriptor, address, length)
    }
}
