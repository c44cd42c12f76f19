namespace Breakwater.Proxy.Admin;

/// <summary>What an operator asked of the process's life.</summary>
/// <param name="Says">What happens now, for people.</param>
internal sealed record LifetimeAnswer(string Says);
