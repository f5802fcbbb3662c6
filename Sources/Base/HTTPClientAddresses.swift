import CBase

/// Questions about URLs, answered by the parser that also connects.
extension HTTPClient {
    /// Whether two URLs lead to the same scheme, host and port; false for what is no URL of the web.
    public static func isSameOrigin(_ one: String, _ other: String) -> Bool {
        guard let one = try? HTTPClientTarget(one), let other = try? HTTPClientTarget(other) else { return false }
        return one.origin == other.origin
    }

    /// Where a `Location` leads that was answered at `url`; `nil` for what is no URL of the web.
    public static func redirect(to location: String, from url: String) -> String? {
        guard let target = try? HTTPClientTarget(url) else { return nil }
        return target.resolving(location).flatMap { (try? HTTPClientTarget($0)) == nil ? nil : $0 }
    }
}

extension HTTPClientTarget {
    /// A URL that may be relative to this one.
    fileprivate func resolving(_ location: String) -> String? {
        guard let copy = curl_url_dup(handle) else { return nil }
        defer { curl_url_cleanup(copy) }
        guard curl_url_set(copy, CURLUPART_URL, location, UInt32(CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else {
            return nil
        }
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(copy, CURLUPART_URL, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
