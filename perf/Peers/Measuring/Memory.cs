namespace Breakwater.Peers.Measuring;

/// <summary>Memory of a peer in bytes.</summary>
/// <param name="ResidentBytes">Sum of the resident sizes; what processes share counts once each.</param>
/// <param name="AnonymousBytes">The part of it that no file backs.</param>
/// <param name="ProportionalBytes">Sum of the proportional sizes: what processes share counts once. 0 when not asked for.</param>
internal readonly record struct Memory(long ResidentBytes, long AnonymousBytes, long ProportionalBytes);
