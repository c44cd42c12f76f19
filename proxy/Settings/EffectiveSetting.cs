namespace Breakwater.Proxy.Settings;

/// <summary>A setting in force.</summary>
/// <param name="Name">Its full name: <c>Store:Path</c>.</param>
/// <param name="Value">As JSON has it; of what is secret, a mark in its place.</param>
/// <param name="From">Where it stands: file with line and column, environment variable, preset; <c>default</c> when nowhere.</param>
internal sealed record EffectiveSetting(string Name, object? Value, string From);
