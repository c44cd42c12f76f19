namespace Breakwater.Proxy.Admin;

/// <summary>An object of a listing.</summary>
internal sealed record ListedObject(string Key, long SizeBytes, bool IsPinned);
