import Testing

@testable import Base

@Suite struct VaultTests {
    private let key = Array(UInt8(0)..<32)

    @Test("what was sealed is opened with the same key", arguments: [0, 1, 1000])
    func roundTrip(size: Int) throws {
        let vault = try Vault(key: key)
        let bytes = Vault.randomBytes(size)
        #expect(try vault.open(vault.seal(bytes)) == bytes)
        #expect(try vault.openSecret(vault.seal(Secret("пароль"))).reveal() == "пароль")
    }

    @Test("the same secret is sealed differently each time")
    func nonces() throws {
        let vault = try Vault(key: key)
        #expect(vault.seal([1, 2, 3]) != vault.seal([1, 2, 3]))
    }

    @Test("another key or any changed byte is noticed")
    func tampering() throws {
        let vault = try Vault(key: key)
        let sealed = vault.seal(Array("token".utf8))
        let other = try Vault(key: key.reversed())
        #expect(throws: VaultError.cannotOpen) { try other.open(sealed) }
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(throws: VaultError.cannotOpen) { try vault.open(changed) }
            #expect(throws: VaultError.cannotOpen) { try vault.open(Array(sealed[..<index])) }
        }
    }

    @Test("a key has 32 bytes", arguments: [0, 31, 33])
    func badKey(size: Int) {
        #expect(throws: VaultError.badKey) { try Vault(key: Array(repeating: 1, count: size)) }
    }

    @Test("printing a vault does not show its key")
    func printing() throws {
        let vault = try Vault(key: Array(repeating: 77, count: 32))
        var dumped = ""
        dump(vault, to: &dumped)
        #expect(!"\(vault) \(String(reflecting: vault)) \(dumped)".contains("77"))
    }

    @Test("random tokens and UUIDs have their form and do not repeat")
    func random() {
        #expect(Vault.randomToken().wholeMatch(of: /[A-Za-z0-9_-]{32}/) != nil)
        #expect(Vault.randomToken(bytes: 1).utf8.count == 2)
        let uuids = Set((0..<100).map { _ in Vault.randomUUID() })
        #expect(uuids.count == 100)
        #expect(
            uuids.allSatisfy {
                $0.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil
            })
    }

    @Test("secrets are compared byte for byte")
    func comparison() {
        #expect(Vault.equal(Secret("abc"), Secret("abc")))
        #expect(Vault.equal(Secret(""), Secret("")))
        #expect(!Vault.equal(Secret("abc"), Secret("abd")))
        #expect(!Vault.equal(Secret("abc"), Secret("abcd")))
        #expect(!Vault.equal(Secret(""), Secret("a")))
        #expect(!Vault.equal(Secret("é"), Secret("e\u{301}")))
    }

    @Test("a fingerprint is BLAKE2b of 32 bytes")
    func fingerprint() {
        #expect(Vault.fingerprint("") == "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8")
        #expect(Vault.fingerprint("abc") == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319")
    }
}
