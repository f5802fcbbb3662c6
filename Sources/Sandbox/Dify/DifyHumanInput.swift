import Base

extension SimulatedDify {
    /// A form that a Human Input node shows. Documentation: `en/api-reference/guides/human-input-flow.mdx`.
    public struct HumanForm: Sendable {
        public var content: String
        /// Fields in the contract's shape: `{"type": "paragraph", "output_variable_name": "comment"}`.
        public var inputs: [JSON]
        /// Buttons by id, with their labels.
        public var actions: [(id: String, title: String)]
        public var title = "Approval"
        public var patience: Duration = .seconds(86_400)
        /// A form that went by e-mail has no token, and nothing can be done with it over the API.
        public var isByMail = false

        public init(_ content: String, inputs: [JSON] = [], actions: [(id: String, title: String)]) {
            self.content = content
            self.inputs = inputs
            self.actions = actions
        }
    }

    /// What a person submitted.
    public struct Submission: Sendable {
        public var action: String
        public var inputs: Members<JSON>
    }

    /// What the run does after a form; `nil` when its time ran out.
    public typealias AfterForm = @Sendable (Submission?) -> [Step]

    /// Lets the time of all open forms run out: their runs go on without an answer.
    public func timeOutForms() {
        for run in records.withLock({ $0.paused }) {
            let form = run.change { state -> DifyForm? in
                guard state.status == .paused, let form = state.form else { return nil }
                state.form?.isExpired = true
                state.status = .running
                return form
            }
            if let form { resume(run, form, nil) }
        }
    }

    fileprivate func resume(_ run: DifyRun, _ form: DifyForm, _ submission: Submission?) {
        let player = DifyPlayer(
            run: run, steps: form.then(submission), clock: settings.clock, pingInterval: settings.pingInterval)
        let (first, next) = player.resume(form, submission)
        for output in first { run.send(output) }
        if let next { goOn(run, player, from: next) } else { run.endFollowing() }
    }
}

/// A form that was shown.
struct DifyForm: Sendable {
    let id = Vault.randomUUID()
    let form: SimulatedDify.HumanForm
    let then: SimulatedDify.AfterForm
    /// In seconds.
    let expiresAt: Int64
    let token: String?
    var isSubmitted = false
    var isExpired = false

    init(form: SimulatedDify.HumanForm, then: @escaping SimulatedDify.AfterForm, expiresAt: Int64) {
        self.form = form
        self.then = then
        self.expiresAt = expiresAt
        token = form.isByMail ? nil : Vault.randomToken()
    }

    static let nodeID = "human_input"

    var actions: JSON {
        .array(
            form.actions.enumerated().map { index, action in
                [
                    "id": .string(action.id), "title": .string(action.title),
                    "button_style": index == 0 ? "primary" : "default",
                ]
            })
    }

    /// The members of the contract's `HumanInputFormDefinition`.
    var definition: JSON {
        [
            "form_id": .string(id), "node_id": .string(Self.nodeID), "node_title": .string(form.title),
            "form_content": .string(form.content), "inputs": .array(form.inputs), "actions": actions,
            "display_in_ui": .bool(token != nil), "form_token": token.map(JSON.string) ?? .null,
            "resolved_default_values": [:], "expiration_time": .integer(expiresAt),
        ]
    }
}

extension DifyEvents {
    func asked(_ form: DifyForm, _ out: inout JSONText) {
        event("human_input_required", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data", form.definition)
        }
    }

    func paused(_ form: DifyForm, at time: Int64, _ out: inout JSONText) {
        var reason = form.definition
        reason["TYPE"] = "human_input_required"
        event("workflow_paused", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                out.member("workflow_run_id", run.id)
                out.member("paused_nodes", array: [DifyForm.nodeID]) { $0.string($1) }
                out.member("outputs", [:] as JSON)
                out.member("reasons", array: [reason]) { $0.value($1) }
                out.member("status", "paused")
                out.member("created_at", run.createdSeconds)
                out.member("elapsed_time", Double(time - run.createdAt) / 1000)
                out.member("total_tokens", 0)
                out.member("total_steps", 1)
            }
        }
    }

    func filled(_ form: DifyForm, _ submission: SimulatedDify.Submission, _ out: inout JSONText) {
        event("human_input_form_filled", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                out.member("node_id", DifyForm.nodeID)
                out.member("node_title", form.form.title)
                out.member("rendered_content", form.form.content)
                out.member("action_id", submission.action)
                out.member("action_text", form.form.actions.first { $0.id == submission.action }?.title)
                out.member("submitted_data", .object(submission.inputs))
            }
        }
    }

    func timedOut(_ form: DifyForm, _ out: inout JSONText) {
        event("human_input_form_timeout", &out) { out in
            out.member("workflow_run_id", run.id)
            out.member("data") { out in
                out.member("node_id", DifyForm.nodeID)
                out.member("node_title", form.form.title)
                out.member("expiration_time", Int(form.expiresAt))
            }
        }
    }
}

extension DifyCall {
    /// Documentation: the contract's `GET /form/human_input/{form_token}`.
    func form() throws -> HTTPResponse {
        let form = try openForm(try formRun())
        return .dify { out in
            out.member("form_content", form.form.content)
            out.member("inputs", .array(form.form.inputs))
            out.member("resolved_default_values", [:] as JSON)
            out.member("user_actions", form.actions)
            out.member("expiration_time", Int(form.expiresAt))
        }
    }

    /// The first submission that fits is the last. Documentation: the contract's `POST /form/human_input/{form_token}`.
    func submitForm() throws -> HTTPResponse {
        let body = try body()
        _ = try user(body["user"])
        let run = try formRun()
        let form = try openForm(run)
        guard let inputs = body["inputs"]?.object else { throw DifyError.invalid("inputs is required") }
        let action = body["action"]?.string ?? ""
        guard form.form.actions.contains(where: { $0.id == action }) else {
            throw invalidForm("Invalid action: \(action)")
        }
        let names = form.form.inputs.compactMap { $0["output_variable_name"]?.string }
        let missing = names.filter { inputs[$0] == nil }
        guard missing.isEmpty else {
            throw invalidForm("Missing required inputs: \(missing.joined(separator: ", "))")
        }
        let isFirst = run.change { state in
            guard state.form?.isSubmitted == false else { return false }
            state.form?.isSubmitted = true
            state.status = .running
            return true
        }
        guard isFirst else { throw submitted(form) }
        dify.resume(run, form, .init(action: action, inputs: inputs))
        return .dify { _ in }
    }

    private func formRun() throws -> DifyRun {
        let token: String = try request.parameter("id")
        guard let run = dify.records.withLock({ $0.run(formToken: token, app: app) }) else {
            throw DifyError.notFound("Form not found")
        }
        return run
    }

    private func openForm(_ run: DifyRun) throws -> DifyForm {
        guard let form = run.read({ $0.form }) else { throw DifyError.notFound("Form not found") }
        if form.isSubmitted { throw submitted(form) }
        if form.isExpired || dify.settings.clock.now.rawValue / 1000 > form.expiresAt {
            throw DifyError(
                status: 412, code: "human_input_form_expired", message: "This form has expired, form_id=\(form.id)")
        }
        return form
    }

    private func submitted(_ form: DifyForm) -> DifyError {
        DifyError(
            status: 412, code: "human_input_form_submitted",
            message: "This form has already been submitted by another user, form_id=\(form.id)")
    }

    private func invalidForm(_ message: String) -> DifyError {
        DifyError(status: 400, code: "invalid_form_data", message: message)
    }
}
