using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// Sends stored objects with one gathered send straight from the mapped segment files: the bytes are copied once, by the kernel, into the
/// socket. A short object that is to be checked again is sent from the memory where that was done. Thread-safe.
/// </summary>
internal sealed unsafe class ObjectHits(IObjectStore store, HeadEncoder heads)
{
    /// <summary>Longer objects go the ordinary way: 64 MiB are 256 parts, and chunks of CernVM-FS are 16 MiB at most.</summary>
    public const long MaxObjectBytes = 64L << 20;

    /// <summary>Parts of a gathered send: 64 MiB in parts of 256 KiB, and the head.</summary>
    private const int MaxPieces = 258;

    /// <summary>What is known to be in the page cache.</summary>
    public ResidentRuns Resident { get; } = new();

    /// <summary>Does the store hold the object, though it could not be sent from here?</summary>
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

        ObjectLease lease = answer.Lease;
        bool isKept = false;
        try
        {
            IoVector* pieces = stackalloc IoVector[MaxPieces];
            int count = 1;
            if (!isHead && !TryGather(lease, pieces, ref count))
            {
                return FirstAnswer.ForKestrel;
            }

            byte* start = stackalloc byte[HeadEncoder.MaxBytes];
            int headBytes = heads.WriteObject(new Span<byte>(start, HeadEncoder.MaxBytes), lease.Length, result);
            pieces[0] = new IoVector { Base = start, Length = (nuint)headBytes };
            bool isFromFile = !isHead && StoredAnswer.IsFromFile(lease.Length) && lease.TryGetFileRange(0, out _);
            if (!GatheredSend.TrySend(socket, pieces, isFromFile ? 1 : count, isFromFile, out long sent))
            {
                return FirstAnswer.ForKestrel;
            }

            bodyBytes = isHead ? 0 : lease.Length;
            if (sent == headBytes + bodyBytes)
            {
                return FirstAnswer.Sent;
            }

            isKept = bodyBytes > 0;
            lease.Unmap();
            answer.Keep(new ReadOnlySpan<byte>(start, headBytes)[(int)Math.Min(sent, headBytes)..], Math.Max(0, sent - headBytes),
                bodyBytes);
            return FirstAnswer.Answering;
        }
        finally
        {
            if (!isKept)
            {
                lease.Dispose();
            }
        }
    }

    private bool TryGather(ObjectLease lease, IoVector* pieces, ref int count)
    {
        long length = lease.Length;
        if (length > MaxObjectBytes)
        {
            return false;
        }

        for (long offset = 0; offset < length;)
        {
            if (!lease.TryGetMapped(offset, out MappedRun run) || !Resident.Contains(run) || count == MaxPieces)
            {
                return offset == 0 && TryReadWhole(lease, pieces, ref count);
            }

            pieces[count++] = new IoVector { Base = (byte*)run.Address, Length = (nuint)run.Length };
            offset += run.Length;
        }

        return true;
    }

    private static bool TryReadWhole(ObjectLease lease, IoVector* pieces, ref int count)
    {
        try
        {
            if (!lease.TryReadWhole(out ReadOnlySpan<byte> bytes))
            {
                return false;
            }

            // Pinned memory of this thread, which sends before it reads anything else.
            pieces[count++] = new IoVector
            {
                Base = (byte*)Unsafe.AsPointer(in bytes.GetPinnableReference()),
                Length = (nuint)bytes.Length
            };
            return true;
        }
        catch (IOException)
        {
            // Damaged: the store has forgotten it, the ordinary way fetches it anew.
            return false;
        }
    }
}
