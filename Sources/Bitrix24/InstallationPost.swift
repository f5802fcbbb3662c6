import Base

/// What Bitrix24 posts when it opens an application's installer or page in a frame. Nothing in it is proven:
/// ask ``AuthorizationServer/tokenInfo(_:serverEndpoint:)`` before believing it.
///
/// Documentation: `settings/oauth/simple-way.md`, `api-reference/widgets/_includes/widget_data.md`.
public struct InstallationPost: Sendable {
    /// The portal's host, with a port if it has one.
    public var domain: String
    /// `http` or `https`.
    public var scheme: String
    public var language: String?
    public var authID: Secret
    public var refreshID: Secret?
    /// Seconds.
    public var expiresIn: Int?
    public var memberID: String
    public var serverEndpoint: String?
    public var applicationToken: Secret?
    public var applicationScope: String?
    public var status: String?
    /// `DEFAULT` for the application's own page.
    public var placement: String?
    /// JSON as text.
    public var placementOptions: String?

    /// The portal's REST root as the post has it.
    public var clientEndpoint: String { "\(scheme)://\(domain)/rest/" }

    /// Decodes the form in the body and the query's `DOMAIN`, `PROTOCOL` and `LANG`; a name counts in any case of letters,
    /// and the body before the query.
    /// - Throws: ``EventDecodingError``.
    public init(decoding body: [UInt8], query: String) throws {
        var fields: Members<JSON> = [:]
        do {
            for (name, value) in try Form.decode(query.utf8).looseObject { fields[name.uppercased()] = value }
            for (name, value) in try Form.decode(body).looseObject { fields[name.uppercased()] = value }
        } catch let error as FormError {
            throw EventDecodingError.form(error)
        }
        func required(_ name: String) throws -> String {
            guard let text = fields[name.uppercased()]?.looseText else { throw EventDecodingError.missing(name) }
            return text
        }
        domain = try required("DOMAIN")
        guard PortalAddress.isHost(domain) else { throw EventDecodingError.invalid("DOMAIN") }
        scheme = fields["PROTOCOL"]?.looseFlag == false ? "http" : "https"
        authID = Secret(try required("AUTH_ID"))
        memberID = try required("member_id")
        language = fields["LANG"]?.looseText
        refreshID = fields["REFRESH_ID"]?.secret
        expiresIn = fields["AUTH_EXPIRES"]?.looseInteger.flatMap { Int(exactly: $0) }
        serverEndpoint = fields["SERVER_ENDPOINT"]?.looseText
        applicationToken = fields["APPLICATION_TOKEN"]?.secret
        applicationScope = fields["APPLICATION_SCOPE"]?.looseText
        status = fields["STATUS"]?.looseText
        placement = fields["PLACEMENT"]?.looseText
        placementOptions = fields["PLACEMENT_OPTIONS"]?.looseText
    }
}
