using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Sends stored objects with one gathered send straight from the mapped segment files: the bytes are copied once, by the kernel, into the
/// socket (<see cref="LeaseSend"/>). Thread-safe.
/// </summary>
internal sealed class ObjectHits(IObjectStore store, HeadEncoder heads)
{
    /// <summary>Longer objects go the ordinary way: 64 MiB are 256 parts, and chunks of CernVM-FS are 16 MiB at most.</summary>
    public const long MaxObjectBytes = 64L << 20;

    /// <summary>What is known to be in the page cache.</summary>
    public ResidentRuns Resident { get; } = new();

    /// <summary>Does the store hold the object? It may do so though the object could not be sent from here.</summary>
    public bool Contains(in ObjectKey key) => store.Contains(key);

    /// <summary>Answers a GET or HEAD of an object, if all of it is in memory.</summary>
    /// <param name="key">The object.</param>
    /// <param name="isHead">Is it a HEAD?</param>
    /// <param name="result">What the answer says of the cache.</param>
    /// <param name="socket">The client's.</param>
    /// <param name="answer">Takes what the socket does not take at once.</param>
    /// <param name="bodyBytes">The length of the answer's body.</param>
    public FirstAnswer TrySend(in ObjectKey key, bool isHead, RequestResult result, int socket, StoredAnswer answer, out long bodyBytes)
    {
        bodyBytes = 0;
        if (!store.TryReopen(key, ref answer.Lease))
        {
            return FirstAnswer.ForKestrel;
        }

        Span<byte> head = stackalloc byte[HeadEncoder.MaxBytes];
        int headBytes = heads.WriteObject(head, answer.Lease.Length, result);
        return LeaseSend.TrySend(answer, head[..headBytes], hasBody: !isHead, Resident, socket, out bodyBytes);
    }
}
