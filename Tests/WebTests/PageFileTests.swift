import Base
import Foundation
import Testing

@testable import Web

@Suite("The pages' files")
struct PageFileTests {
    @Test("each file of the pages is served with its type, and there is no other")
    func all() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/CPages")
        var names: [String] = []
        for part in ["design", "admin", "application", "guide"] {
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.appendingPathComponent(part).path)
            names += files.map { "\(part)/\($0)" }
        }
        #expect(PageFiles.all.names.filter { !$0.hasSuffix(".md") } == names.sorted())
        try await Stage.with { stage in
            let types = [
                "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
                "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
            ]
            for name in names {
                let reply = try await stage.send(.get, "/pages/\(name)")
                #expect(reply.status == 200)
                let content = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
                #expect(reply.text == content, "\(name)")
                #expect(reply.headers["Content-Type"] == types[String(name.split(separator: ".").last ?? "")])
            }
            for name in ["", "admin", "admin/", "pages.c", "design/%2e%2e/pages.c"] {
                #expect(try await stage.send(.get, "/pages/\(name)").status == 404, "\(name)")
            }
        }
    }

    @Test("every link from a page to the guide, and within the guide, leads to a place that is there")
    func guide() async throws {
        try await Stage.with { stage in
            var places: [String: Set<String>] = [:]
            var links: [(from: String, to: String)] = []
            for name in GuidePages.all.names {
                let html = try await stage.send(.get, "/guide/\(name)").text
                places[name] = Set(html.matches(of: /id="([^"]+)"/).map { String($0.output.1) })
                links += html.matches(of: /href="([^":]+)"/).map { (name, String($0.output.1)) }
                    .filter { !$0.1.hasPrefix("/pages/") }
            }
            for script in ["admin/main.js", "application/main.js"] {
                let text = try await stage.send(.get, "/pages/\(script)").text
                for link in text.matches(of: /"(bitbot|bitrix)#([a-z-]+)"/) {
                    for file in ["\(link.output.1).md", "\(link.output.1).ru.md"] {
                        links.append((script, "\(file)#\(link.output.2)"))
                    }
                }
            }
            #expect(links.count > 60)
            for (from, to) in links {
                let parts = to.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
                let page = parts[0].isEmpty ? from : parts[0]
                let known = try #require(places[page], "\(from) links to \(to)")
                if parts.count > 1 { #expect(known.contains(parts[1]), "\(from) links to \(to)") }
            }
        }
    }

    @Test("a browser that has a file already is spared it")
    func known() async throws {
        try await Stage.with { stage in
            let first = try await stage.send(.get, "/pages/design/design.css")
            let tag = try #require(first.headers["ETag"])
            let second = try await stage.send(.get, "/pages/design/design.css", headers: ["If-None-Match": tag])
            #expect(second.status == 304)
            #expect(second.text.isEmpty)
        }
    }

    @Test("a page loads nothing from elsewhere, runs nothing inline, and only whom it is for may frame it")
    func policy() async throws {
        try await Stage.with { stage in
            let panel = try await stage.send(.get, "/admin/")
            let policy = try #require(panel.headers["Content-Security-Policy"])
            #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
            #expect(!policy.contains("unsafe-inline") && !policy.contains("http"))
            let installed = try await stage.installed(page: true)
            let page = try await stage.portal.openPage(of: installed.clientID, as: 1)
            let framed = try #require(page.headers["Content-Security-Policy"])
            #expect(framed.hasSuffix("frame-ancestors \(stage.portal.origin)"))
            #expect(page.headers["Cache-Control"] == "no-store")
        }
    }

    @Test("what a portal calls itself and its people cannot end the page's data")
    func storedScript() async throws {
        try await Stage.with { stage in
            let installed = try await stage.installed(page: true)
            let app = try installed.app.field("id")
            _ = try await stage.api(.patch, "apps/\(app)", ["name": "</script><script>alert(1)</script><!--"])
            let page = try await stage.portal.openPage(of: installed.clientID, as: 1)
            let html = String(decoding: page.body, as: UTF8.self)
            #expect(!html.contains("alert(1)</script>") && !html.contains("<!--"))
            #expect(try await stage.openedPage(of: installed)["app_name"] == "</script><script>alert(1)</script><!--")
        }
    }
}
