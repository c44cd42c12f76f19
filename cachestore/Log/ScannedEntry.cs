namespace Breakwater.CacheStore.Log;

/// <summary>An entry found by a scan.</summary>
/// <param name="Address">Address in the log.</param>
/// <param name="Header">Its header, undamaged.</param>
internal readonly record struct ScannedEntry(long Address, EntryHeader Header);
