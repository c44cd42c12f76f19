namespace Breakwater.Proxy.Tests.Architecture;

/// <summary>One folder uses another.</summary>
/// <param name="From">Namespace of the user.</param>
/// <param name="To">Namespace of what is used.</param>
/// <param name="Example">Two types that make this arrow.</param>
internal sealed record Arrow(string From, string To, string Example);
