import Foundation

/// The bytes of a Base64 text, `nil` if it is none.
func decodedBase64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map(Array.init) }
