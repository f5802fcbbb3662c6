/// The built-in demonstration: a simulated portal and bot platforms, and the page where a person plays with them.
public enum Placeholder {}
