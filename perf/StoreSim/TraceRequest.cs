namespace Breakwater.StoreSim;

/// <summary>One request.</summary>
/// <param name="Id">Number of the object.</param>
/// <param name="SizeBytes">Its length.</param>
/// <param name="IsPinned">Is it of a pinned working set?</param>
public readonly record struct TraceRequest(int Id, int SizeBytes, bool IsPinned);
