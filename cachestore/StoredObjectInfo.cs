namespace Breakwater.CacheStore;

/// <summary>An object that the store holds.</summary>
/// <param name="Key">Its identity.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="IsPinned">Is it in any pin set?</param>
public readonly record struct StoredObjectInfo(ObjectKey Key, long Length, bool IsPinned);
