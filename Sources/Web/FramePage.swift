/// The small pages shown inside Bitrix24's frame, and to whoever opens their address in a browser.
enum FramePage {
    /// After the installer: tells Bitrix24 that it is done (`BX24.installFinish`), which reloads the frame.
    static let installed = page(
        title: "BitBot is installed", text: "Bitrix24 opens the application in a moment.",
        script: """
            <script src="https://api.bitrix24.com/api/v1/"></script>
            <script type="module" src="/bitbot/installer.js"></script>
            """)

    static func opened(app: String) -> String {
        page(
            title: "\(escape(app)) is connected",
            text: "Your permission has been renewed. Bots are set up with the management API of this server.")
    }

    static let explanation = page(
        title: "Open BitBot in Bitrix24",
        text: "This page works inside Bitrix24: in your portal, open the application from the left-hand menu.")

    static func refused(_ reason: String) -> String {
        page(title: "BitBot is not connected", text: escape(reason) + ".")
    }

    static let installerScript = "BX24.init(() => BX24.installFinish());\n"

    private static func page(title: String, text: String, script: String = "") -> String {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        body { display: grid; min-height: 80vh; place-content: center; text-align: center; padding: 1rem; }
        </style>
        <main><h1>\(title)</h1><p>\(text)</p></main>
        \(script)
        </html>
        """
    }

    static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
