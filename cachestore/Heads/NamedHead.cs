namespace Breakwater.CacheStore.Heads;

/// <summary>A head that the log holds.</summary>
/// <param name="Key">Of its name.</param>
/// <param name="Name">Its name.</param>
internal readonly record struct NamedHead(ObjectKey Key, string Name);
