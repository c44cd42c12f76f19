namespace Breakwater.CacheStore.Heads;

/// <summary>One state of one head, by <see cref="IHeadStore.TryMark"/>. It means nothing to another store or after a restart.</summary>
public readonly struct HeadMark
{
    internal HeadMark(in ObjectKey key, long address)
    {
        Key = key;
        Address = address;
    }

    internal ObjectKey Key { get; }

    /// <summary>Of the entry in the log: no two entries have the same one.</summary>
    internal long Address { get; }
}
