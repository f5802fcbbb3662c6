import Glibc
import Synchronization

/// The names below `.lookup.test` in this process. The function below stands in front of the C library's for every
/// library in the process, so that a name server that never answers needs no name server.
enum NameLookups {
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
    return EAI_NONAME
}
