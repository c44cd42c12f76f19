namespace Breakwater.CacheStore;

/// <summary>The files of a store are not of a format that this version reads.</summary>
public sealed class StoreFormatException(string reason) : IOException($"The store's files cannot be read: {reason}.");
