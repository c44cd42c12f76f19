namespace Breakwater.CacheStore.Store;

/// <summary>What a start found.</summary>
/// <param name="Objects">Objects that the store holds.</param>
/// <param name="TablesRead">Full segments whose table was used.</param>
/// <param name="SegmentsScanned">Segments that were read themselves.</param>
/// <param name="DamagedPages">Pages of the log that hold damage; what was behind it in the page is lost.</param>
/// <param name="MissingSegments">Segment files that should be there and are not, or cannot be read.</param>
/// <param name="LostObjects">Objects that are known to be lost with them.</param>
public sealed record StoreRecovery(long Objects, int TablesRead, int SegmentsScanned, int DamagedPages, int MissingSegments,
    long LostObjects);
