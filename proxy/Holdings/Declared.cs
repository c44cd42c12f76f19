namespace Breakwater.Proxy.Holdings;

/// <summary>Something that the settings declare, and how far it is.</summary>
/// <param name="Setting">Where it stands in the settings.</param>
/// <param name="State">How far it is.</param>
/// <param name="Text">What is wrong, or what it waits for; null: nothing to say.</param>
internal sealed record Declared(string Setting, DeclaredState State, string? Text);
