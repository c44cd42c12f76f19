namespace Breakwater.Proxy.Seeding.Format;

/// <summary>
/// A bundle (or tree) is not what it must be: nothing of it counts. The message names the entry or index field and the offset.
/// </summary>
internal sealed class SeedRefusedException : Exception
{
    /// <summary>Refuses for something at a place.</summary>
    /// <param name="entry">Name of the entry, or of the index field.</param>
    /// <param name="offset">Where in the bundle it begins, bytes; −1 when the source has no offsets (a directory).</param>
    /// <param name="what">What is wrong, a clause without a full stop.</param>
    public SeedRefusedException(string entry, long offset, string what)
        : base(offset < 0 ? $"{entry}: {what}." : $"{entry} at offset {offset}: {what}.")
    {
        Entry = entry;
        Offset = offset;
    }

    /// <summary>Name of the entry or index field.</summary>
    public string Entry { get; }

    /// <summary>Where it begins, bytes; −1 when the source has no offsets.</summary>
    public long Offset { get; }
}
