import Base

/// All that a portal remembers.
struct PortalState {
    init(settings: SimulatedPortal.Settings) {}
}
