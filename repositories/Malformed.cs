namespace Breakwater.Repositories;

/// <summary>The problem side of a <see cref="Parsed{T}"/>.</summary>
public readonly record struct Malformed(string Problem);
