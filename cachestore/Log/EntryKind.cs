namespace Breakwater.CacheStore.Log;

/// <summary>What an entry of a log is.</summary>
internal enum EntryKind : byte
{
    /// <summary>An object in one entry, verified before it was written.</summary>
    Whole = 1,

    /// <summary>A slice of an object that may never be verified: nothing without a <see cref="Seal"/> that lists it.</summary>
    Part = 2,

    /// <summary>The end of a verified object of several parts: the addresses of all of them.</summary>
    Seal = 3,

    /// <summary>The object was removed.</summary>
    Removed = 4,

    /// <summary>A document.</summary>
    Document = 5,

    /// <summary>The document was removed.</summary>
    DocumentRemoved = 6,
}
