import CBase

/// Message authentication for bodies that others check.
public enum Signature {
    /// HMAC-SHA256 (RFC 2104), as lower-case hexadecimal.
    public static func hmacSHA256(_ message: some Collection<UInt8>, key: Secret) -> String {
        let key = Array(key.reveal().utf8)
        let message = Array(message)
        var state = crypto_auth_hmacsha256_state()
        var code = [UInt8](repeating: 0, count: Int(crypto_auth_hmacsha256_BYTES))
        crypto_auth_hmacsha256_init(&state, key, key.count)
        crypto_auth_hmacsha256_update(&state, message, UInt64(message.count))
        crypto_auth_hmacsha256_final(&state, &code)
        return String(
            decoding: code.flatMap { [hexadecimalDigits[Int($0 >> 4)], hexadecimalDigits[Int($0 & 0xF)]] },
            as: UTF8.self)
    }
}
