namespace Breakwater.Proxy.Observability;

/// <summary>Something that is not as it should be.</summary>
/// <param name="Name">Stable, short, with hyphens: <c>store-read-only</c>, <c>upstream-down</c>.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">What it means and what to do, in a sentence or two.</param>
internal sealed record HealthFinding(string Name, HealthLevel Level, string Text);
