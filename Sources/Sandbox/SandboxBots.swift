import Base

/// A bot that the sandbox makes in BitBot and offers on its page.
struct SandboxBot: Sendable {
    struct Provider: Sendable {
        var name: String
        /// BitBot's name of the kind of platform: `typebot`.
        var type: String
        var url: String
    }

    /// By which the page knows it.
    var id: String
    /// As the portal's people see it.
    var name: String
    /// The bot in the employee's private chat, where it is another one than in the open channel.
    var assistant: String?
    /// The open channel's name.
    var channel: String
    var provider: Provider
    var connector: String
    var key: Secret?
    /// The connector's own address.
    var url: String?
}

extension Sandbox {
    /// What the page offers, the first one first.
    var bots: [SandboxBot] {
        let chatflows = SandboxBot.Provider(name: "Simulated Dify", type: "dify_chatflow", url: dify.baseURL)
        return [
            SandboxBot(
                id: "chatflow", name: "Sandbox support", assistant: "Sandbox assistant", channel: "Website",
                provider: chatflows, connector: "Demonstration chatflow", key: keys.chatflow),
            SandboxBot(
                id: "typebot", name: "Tea house", channel: "Tea house",
                provider: .init(name: "Simulated Typebot", type: "typebot", url: typebot.origin),
                connector: "Demonstration flow", url: typebot.startURL(Self.flow)),
            SandboxBot(
                id: "files", name: "Price list", channel: "Price list", provider: chatflows,
                connector: "Demonstration chatflow with files", key: keys.files),
            SandboxBot(
                id: "workflow", name: "Word counter", channel: "Word counter",
                provider: .init(name: "Simulated Dify workflows", type: "dify_workflow", url: dify.baseURL),
                connector: "Demonstration workflow", key: keys.workflow),
        ]
    }

    /// The demonstration flow's public id.
    private static let flow = "demonstration"

    /// The keys of the demonstrations' Dify apps.
    struct Keys: Sendable {
        let chatflow = Secret("app-" + Vault.randomToken())
        let files = Secret("app-" + Vault.randomToken())
        let workflow = Secret("app-" + Vault.randomToken())
    }

    /// Publishes the demonstrations.
    func publish() {
        let form: [SimulatedDify.App.Field] = [
            .init("FIRST_NAME"), .init("LANGUAGE"), .init("CHAT_TITLE"), .init("DIALOG_ID"),
        ]
        dify.put(.init(key: keys.chatflow, name: "Demonstration chatflow", form: form))
        var files = SimulatedDify.App(
            key: keys.files, name: "Demonstration chatflow with files", form: form,
            script: SimulatedDify.fileDemonstration(origin: dify.origin))
        files.fileUpload.types = ["image", "document"]
        dify.put(files)
        dify.put(
            .init(
                key: keys.workflow, name: "Demonstration workflow", mode: .workflow,
                form: [.init("query", .paragraph(maximum: nil))], script: SimulatedDify.workflowDemonstration()))
        typebot.put(SimulatedTypebot.demonstration(Self.flow, origin: typebot.origin))
    }
}
