using Breakwater.CacheStore.Heads;
using Breakwater.CacheStore.Index;

namespace Breakwater.CacheStore.Store;

/// <summary>What memory a store takes, from its settings.</summary>
public static class StoreMemory
{
    /// <summary>The most heap that the index, its table and the logs' pages take with this quota, bytes.</summary>
    public static long HeapBytes(this StoreOptions options, long quotaBytes) =>
        Math.Max(options.IndexMemoryBytes, 16L << 20)
        + (ObjectIndex.TableBytes(quotaBytes / StoreParts.SmallestObjectsMean) * 5 / 4) + (64L << 20);

    /// <summary>The most heap that what is named takes, once it is used, bytes.</summary>
    public static long NamedHeapBytes(this StoreOptions options, long quotaBytes)
    {
        var slices = new StoreOptions { IndexMemoryBytes = options.NamedIndexMemoryBytes };
        return slices.HeapBytes((long)(options.NamedShare * quotaBytes)) + HeadLog.HeapBytes;
    }
}
