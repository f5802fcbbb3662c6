import Base

/// `/admin/`: the admin panel. The one-time code of `bitbot admin reset` is in the address's fragment, which no server and no
/// log sees.
enum AdminPage {
    static func add(to router: inout Router) {
        router.on(.get, "/admin/") { _ in .page(PageFiles.all.html("admin/index.html")) }
        router.on(.get, "/admin") { _ in HTTPResponse(status: 302, headers: ["Location": "/admin/"]) }
    }
}
