import Glibc
import Testing

@testable import Base

struct AddressGuardTests {
    private func isPublic(_ text: String, zone: UInt32 = 0) throws -> Bool {
        var v4 = sockaddr_in()
        v4.sin_family = sa_family_t(AF_INET)
        if inet_pton(AF_INET, text, &v4.sin_addr) == 1 {
            return withUnsafeBytes(of: v4) {
                AddressGuard.isPublic($0.assumingMemoryBound(to: sockaddr.self).baseAddress!)
            }
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        v6.sin6_scope_id = zone
        try #require(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1, "\(text) is no address")
        return withUnsafeBytes(of: v6) { AddressGuard.isPublic($0.assumingMemoryBound(to: sockaddr.self).baseAddress!) }
    }

    @Test(
        "addresses that are not of the public internet are blocked",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
            "127.255.255.255", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
            "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
            "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
            "::", "::1", "::2", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:10.1.2.3",
            "::ffff:169.254.169.254", "64:ff9b::1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1",
            "2001:0:7f00:1::", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1", "2001:db8::1",
            "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1", "febf::1",
            "fec0::1", "ff02::1", "ffff::1", "4000::1",
        ])
    func blocked(address: String) throws { #expect(try !isPublic(address)) }

    @Test(
        "public addresses pass, those next to a blocked network too",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
            "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0",
            "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.101.0", "203.0.114.0",
            "223.255.255.255", "2000::1", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111",
            "2a00:1450::1", "3ffe::1", "::ffff:8.8.8.8",
        ])
    func passes(address: String) throws { #expect(try isPublic(address)) }

    @Test("an address with a zone is blocked, whatever it is")
    func zones() throws { #expect(try !isPublic("2606:4700::1111", zone: 2)) }

    @Test("what is not an internet address is blocked")
    func otherFamilies() {
        var address = sockaddr()
        address.sa_family = sa_family_t(AF_UNIX)
        #expect(!AddressGuard.isPublic(&address))
    }
}
