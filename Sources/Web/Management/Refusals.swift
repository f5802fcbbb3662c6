import Bitrix24
import Gateway

/// What Bitrix24 refuses is told in its words.
func asking<T>(_ body: () async throws -> T) async throws -> T {
    do {
        return try await body()
    } catch let error as PortalError {
        throw APIError(refusal: error)
    } catch let error as CannotReach {
        throw APIError.conflict(error.reason)
    }
}

extension APIError {
    /// What Bitrix24 refused, in its words.
    init(refusal error: PortalError) {
        self.init(
            status: error.isPassing ? 503 : 502, code: "bitrix24_refused",
            message: "Bitrix24 says: \(error.message)")
    }
}
