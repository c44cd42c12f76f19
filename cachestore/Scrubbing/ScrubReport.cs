namespace Breakwater.CacheStore.Scrubbing;

/// <summary>What a pass over the store found.</summary>
/// <param name="Objects">Objects that were read and hashed again.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Damaged">Objects whose bytes are not right any more.</param>
public sealed record ScrubReport(long Objects, long Bytes, IReadOnlyList<ObjectKey> Damaged);
