import CBase
import Glibc

/// Knows which addresses belong to the public internet. What an untrusted URL names is judged by the address that the
/// socket is about to be connected to, so that no spelling of a host and no name server can get around it.
enum AddressGuard {
    /// Whether the address can be another machine on the public internet.
    static func isPublic(_ address: UnsafePointer<sockaddr>) -> Bool {
        let raw = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
            return isPublic(v4: UInt32(bigEndian: raw.loadUnaligned(as: sockaddr_in.self).sin_addr.s_addr))
        case AF_INET6:
            var socket = raw.loadUnaligned(as: sockaddr_in6.self)
            // A zone names one of this machine's own links.
            guard socket.sin6_scope_id == 0 else { return false }
            return withUnsafeBytes(of: &socket.sin6_addr) { bytes in
                isPublic(
                    high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
            }
        default:
            return false
        }
    }

    private struct Network<Bits: FixedWidthInteger & Sendable>: Sendable {
        let prefix: Bits
        let length: Int
        func contains(_ address: Bits) -> Bool { (address ^ prefix) >> (Bits.bitWidth - length) == 0 }
    }

    /// The IANA registry of special-purpose IPv4 addresses, and multicast.
    private static let specialV4: [Network<UInt32>] = [
        Network(prefix: 0x0000_0000, length: 8),  // "this network", unspecified
        Network(prefix: 0x0A00_0000, length: 8),  // private
        Network(prefix: 0x6440_0000, length: 10),  // 100.64/10, carrier's shared
        Network(prefix: 0x7F00_0000, length: 8),  // loopback
        Network(prefix: 0xA9FE_0000, length: 16),  // link-local, clouds' metadata services
        Network(prefix: 0xAC10_0000, length: 12),  // private
        Network(prefix: 0xC000_0000, length: 24),  // 192.0.0/24, protocol assignments
        Network(prefix: 0xC000_0200, length: 24),  // documentation
        Network(prefix: 0xC058_6300, length: 24),  // 192.88.99/24, 6to4 relays
        Network(prefix: 0xC0A8_0000, length: 16),  // private
        Network(prefix: 0xC612_0000, length: 15),  // 198.18/15, benchmarks
        Network(prefix: 0xC633_6400, length: 24),  // documentation
        Network(prefix: 0xCB00_7100, length: 24),  // documentation
        Network(prefix: 0xE000_0000, length: 4),  // multicast
        Network(prefix: 0xF000_0000, length: 4),  // reserved, broadcast
    ]

    /// The upper halves of the parts of 2000::/3 that are not the public internet, or hide an IPv4 address.
    private static let specialV6: [Network<UInt64>] = [
        Network(prefix: 0x2001_0000_0000_0000, length: 23),  // protocol assignments: Teredo, ORCHID, benchmarks
        Network(prefix: 0x2001_0DB8_0000_0000, length: 32),  // documentation
        Network(prefix: 0x2002_0000_0000_0000, length: 16),  // 6to4
        Network(prefix: 0x3FFF_0000_0000_0000, length: 20),  // documentation
    ]

    private static func isPublic(v4 address: UInt32) -> Bool { !specialV4.contains { $0.contains(address) } }

    private static func isPublic(high: UInt64, low: UInt64) -> Bool {
        if high == 0, low >> 32 == 0xFFFF { return isPublic(v4: UInt32(truncatingIfNeeded: low)) }
        // Everything that is ever given out is in 2000::/3. Outside of it are loopback, IPv4-compatible, 64:ff9b::/96,
        // fc00::/7, fe80::/10 and multicast.
        return high >> 61 == 1 && !specialV6.contains { $0.contains(high) }
    }
}
