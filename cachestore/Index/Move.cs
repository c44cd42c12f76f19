namespace Breakwater.CacheStore.Index;

/// <summary>An object that the cleaner wrote to a new place.</summary>
internal readonly record struct Move(ObjectKey Key, IndexEntry From, long ToAddress, int Frequency);
