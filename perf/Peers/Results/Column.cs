namespace Breakwater.Peers.Results;

/// <summary>A column of a scenario's table.</summary>
/// <param name="Header">With the unit.</param>
/// <param name="Value">Which value.</param>
/// <param name="Format">.NET format.</param>
internal sealed record Column(string Header, string Value, string Format = "#,0");
