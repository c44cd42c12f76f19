using System.Diagnostics.CodeAnalysis;
using Breakwater.CacheStore.Quotas;

namespace Breakwater.CacheStore;

/// <summary>A persistent store of immutable objects, content-addressed or named once. Knows no HTTP. All members are thread-safe.</summary>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>Opens an object for reading. False: the store does not hold all of it (a miss).</summary>
    /// <remarks>
    /// An object is visible here from the moment its digest matched in <see cref="ObjectWriter.CommitAsync"/>, before it is durable.
    /// All parts are looked up before this answers, so a lease that was handed out can be read to its end.
    /// </remarks>
    bool TryOpen(in ObjectKey key, [NotNullWhen(true)] out ObjectLease? lease);

    /// <summary>
    /// As <see cref="TryOpen"/>, into a lease that this caller had before and has disposed (or null): a loop of hits allocates nothing.
    /// False: a miss; the old lease is kept for the next time.
    /// </summary>
    bool TryReopen(in ObjectKey key, [NotNullWhen(true)] ref ObjectLease? lease);

    /// <summary>Would <see cref="TryOpen"/> find it? Cheaper: nothing is opened.</summary>
    bool Contains(in ObjectKey key);

    /// <summary>Starts to store an object. Bytes become part of the store only by <see cref="ObjectWriter.CommitAsync"/>.</summary>
    /// <param name="key">What the bytes must hash to.</param>
    /// <param name="expectedLength">Length in bytes when it is known, else null.</param>
    /// <param name="mark">On whose account it goes (<see cref="StoreShare.Mark"/>); 0: nobody's. Who stores it first is charged.</param>
    ObjectWriter BeginWrite(in ObjectKey key, long? expectedLength, ushort mark = 0);

    /// <summary>Length of the longest object that it takes, bytes.</summary>
    long MaxObjectBytes { get; }

    /// <summary>
    /// Cancelled from a write that the disk refuses until it takes one again, when another takes its place: for whoever has something
    /// better to do than to wait for the disk.
    /// </summary>
    CancellationToken Refusing { get; }

    /// <summary>Forgets an object. Leases that are held stay readable. False: it was not there.</summary>
    bool Remove(in ObjectKey key);
}
