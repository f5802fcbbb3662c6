import Base

/// `/admin/`: takes the one-time code of `bitbot admin reset` and shows the token that it buys.
enum SignInPage {
    static func add(to router: inout Router) {
        router.on(.get, "/admin/") { _ in
            var response = HTTPResponse.text(html, type: "text/html; charset=utf-8")
            response.headers["Content-Security-Policy"] =
                "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"
            response.headers["Referrer-Policy"] = "no-referrer"
            return response
        }
        router.on(.get, "/admin/sign-in.js") { _ in .text(script, type: "text/javascript; charset=utf-8") }
    }

    /// The code is in the address's fragment, which no server and no log sees.
    private static let html = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>BitBot</title>
        <style>
        :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 40rem; margin: 12vh auto; padding: 0 1rem; }
        code, pre { font: 0.95rem/1.5 ui-monospace, monospace; }
        pre { padding: 1rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 0.5rem; overflow-x: auto; }
        </style>
        <main>
        <h1>BitBot</h1>
        <p id="state" role="status">To sign in, open the one-time link that <code>bitbot admin reset</code> prints.</p>
        <pre id="token" hidden></pre>
        <p>What this token opens: <a href="/api/v1/openapi.json">the management API</a>.</p>
        </main>
        <script type="module" src="/admin/sign-in.js"></script>
        </html>
        """

    private static let script = """
        const code = new URLSearchParams(location.hash.slice(1)).get("code");
        const state = document.getElementById("state");
        if (code) {
          history.replaceState(null, "", location.pathname);
          const answer = await fetch("/api/v1/sign-in", {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ code }),
          });
          const body = await answer.json();
          if (answer.ok) {
            state.textContent = "Your token for the management API. It is shown once and ends " + new Date(body.expires_at).toLocaleDateString() + ".";
            const token = document.getElementById("token");
            token.textContent = "Authorization: Bearer " + body.token;
            token.hidden = false;
          } else {
            state.textContent = body.error.message;
          }
        }

        """
}
