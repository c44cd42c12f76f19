namespace Breakwater.CacheStore.Heads;

/// <summary>
/// Small entries by name, many of them, each of which may be evicted at any time: what is said of a body, beside the body. The newest put
/// of a name wins, also
/// after a crash: an older one never comes back. Thread-safe.
/// </summary>
public interface IHeadStore
{
    /// <summary>Longest name in UTF-8 and head together, bytes.</summary>
    int MaxBytes { get; }

    /// <summary>How many there are.</summary>
    long Count { get; }

    /// <summary>What they may take on disk.</summary>
    long QuotaBytes { get; }

    /// <summary>What they take on disk.</summary>
    long UsedBytes { get; }

    /// <summary>Finds a head. False: it is not there, or its bytes were damaged and it was forgotten.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="head">Opaque to the store.</param>
    bool TryGet(string name, out ReadOnlyMemory<byte> head);

    /// <summary>
    /// Marks a head as it is now, for whoever keeps what it made of it. False: it is not there. Neither this nor <see cref="IsCurrent"/>
    /// reads a file or waits.
    /// </summary>
    bool TryMark(string name, out HeadMark mark);

    /// <summary>
    /// Is the head still the one that was marked? False when it was replaced or removed since, and also when its bytes only went elsewhere.
    /// Counts as a use of the head.
    /// </summary>
    bool IsCurrent(in HeadMark mark);

    /// <summary>
    /// Stores or replaces a head: visible at once, durable with the next commit. A disk that refuses, or a head beyond <see
    /// cref="MaxBytes"/>, leaves none of that name.
    /// </summary>
    void Put(string name, ReadOnlyMemory<byte> head);

    /// <summary>Forgets a head: at once, for good with the next commit. False: it was not there.</summary>
    bool Remove(string name);

    /// <summary>Forgets all heads whose names begin so (ordinal). Reads all of them. Returns how many there were.</summary>
    int RemoveByPrefix(string prefix);

    /// <summary>Some of the names that begin so (ordinal), in no order. Reads heads until it has enough.</summary>
    IReadOnlyList<string> Names(string prefix, int most);
}
