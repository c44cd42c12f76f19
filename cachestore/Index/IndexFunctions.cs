using FASTER.core;

namespace Breakwater.CacheStore.Index;

/// <summary>
/// Values are replaced by new records, never changed in place: a reader sees the old place or the new one, not half of each.
/// </summary>
internal sealed class IndexFunctions : FunctionsBase<ObjectKey, IndexEntry, IndexEntry, IndexEntry, Empty>
{
    /// <summary>Set when an upsert met a record of its key that was still mutable; the status of an upsert does not tell.</summary>
    public bool HasReplaced { get; set; }

    /// <summary>The place in that record.</summary>
    public IndexEntry Replaced { get; set; }

    public override bool SingleReader(ref ObjectKey key, ref IndexEntry input, ref IndexEntry value, ref IndexEntry dst,
        ref ReadInfo readInfo)
    {
        dst = value;
        return true;
    }

    public override bool ConcurrentReader(ref ObjectKey key, ref IndexEntry input, ref IndexEntry value, ref IndexEntry dst,
        ref ReadInfo readInfo)
    {
        dst = value;
        return true;
    }

    public override bool SingleWriter(ref ObjectKey key, ref IndexEntry input, ref IndexEntry src, ref IndexEntry dst,
        ref IndexEntry output, ref UpsertInfo upsertInfo, WriteReason reason)
    {
        dst = src;
        return true;
    }

    public override bool ConcurrentWriter(ref ObjectKey key, ref IndexEntry input, ref IndexEntry src, ref IndexEntry dst,
        ref IndexEntry output, ref UpsertInfo upsertInfo)
    {
        HasReplaced = true;
        Replaced = dst;
        return false;
    }
}
