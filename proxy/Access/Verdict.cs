namespace Breakwater.Proxy.Access;

/// <summary>What is decided about a request before anybody looks at what it asks for.</summary>
/// <param name="Refusal">Why it is refused; null: it is admitted.</param>
/// <param name="Wait">How long an admitted request must wait for its turn.</param>
internal readonly record struct Verdict(Refusal? Refusal, TimeSpan Wait);
