import Base
import Storage

/// A request to the management API, and who makes it.
@dynamicMemberLookup
struct APIRequest: Sendable {
    var http: HTTPRequest
    var principal: Principal

    subscript<Value>(dynamicMember member: KeyPath<HTTPRequest, Value>) -> Value { http[keyPath: member] }

    /// The id in the path.
    /// - Throws: ``APIError`` 404 when it cannot be one.
    func id<Record>(_ name: String = "id", of what: String) throws -> ID<Record> {
        guard let id = ID<Record>(http.pathParameters[name] ?? "") else { throw APIError.notFound(what) }
        return id
    }

    /// Whether things of this portal may be seen here.
    func sees(_ portal: ID<PortalRecord>?) -> Bool { principal.portal == nil || principal.portal == portal }

    static let portalFilter = (name: "portal_id", about: "Only this portal's.")

    /// The one portal that a list is about: that of the page inside Bitrix24, else the one that `?portal_id=` names, if any.
    /// - Throws: ``APIError`` 404 for another portal's.
    func portalFilter() throws -> ID<PortalRecord>? {
        let asked: ID<PortalRecord>? = try Query(self).id("portal_id")
        guard let own = principal.portal else { return asked }
        guard asked == nil || asked == own else { throw APIError.notFound("portal") }
        return own
    }
}

/// Answers an operation of the management API.
typealias APIHandler = @Sendable (APIRequest) async throws -> HTTPResponse
