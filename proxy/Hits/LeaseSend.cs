using System.Runtime.CompilerServices;
using Breakwater.CacheStore;
using Breakwater.Proxy.EventLoops;

namespace Breakwater.Proxy.Hits;

/// <summary>
/// The first send of an answer whose body a lease gives: one gathered send straight from the mapped segment files, or from the memory in
/// which a short body was just checked.
/// </summary>
internal static unsafe class LeaseSend
{
    /// <summary>Sends a head and all that the lease of an answer holds, if all of it is in memory. Lets go of a lease that is not needed
    /// any more.</summary>
    /// <param name="answer">Has the lease; takes what the socket does not take at once.</param>
    /// <param name="head">In memory that does not move.</param>
    /// <param name="hasBody">False: the head alone.</param>
    /// <param name="resident">What is known to be in the page cache.</param>
    /// <param name="socket">The client's.</param>
    /// <param name="bodyBytes">The length of the answer's body.</param>
    public static FirstAnswer TrySend(
        StoredAnswer answer, ReadOnlySpan<byte> head, bool hasBody, ResidentRuns resident, int socket, out long bodyBytes)
    {
        bodyBytes = 0;
        ObjectLease lease = answer.Lease!;
        bool isKept = false;
        try
        {
            IoVector* pieces = stackalloc IoVector[2];
            pieces[0] = new IoVector { Base = (byte*)Unsafe.AsPointer(in head.GetPinnableReference()), Length = (nuint)head.Length };
            bool isFromFile = hasBody && lease.Length >= ObjectLease.LeastBytesFromFile;
            if (hasBody && !(isFromFile ? IsAtHand(lease, resident) : TryGet(lease, resident, out pieces[1])))
            {
                return FirstAnswer.ForKestrel;
            }

            if (!GatheredSend.TrySend(socket, pieces, hasBody && !isFromFile ? 2 : 1, isFromFile, out long sent))
            {
                return FirstAnswer.ForKestrel;
            }

            bodyBytes = hasBody ? lease.Length : 0;
            if (isFromFile && sent == head.Length)
            {
                sent += SendFromFile(lease, socket);
            }

            if (sent == head.Length + bodyBytes)
            {
                return FirstAnswer.Sent;
            }

            isKept = bodyBytes > 0;
            lease.Unmap();
            answer.Keep(head[(int)Math.Min(sent, head.Length)..], Math.Max(0, sent - head.Length), bodyBytes);
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

    /// <summary>What the socket takes of the body now. An error is left to whoever goes on.</summary>
    private static long SendFromFile(ObjectLease lease, int socket)
    {
        long offset = 0;
        using var cork = new CorkedParts(socket, lease.Length);
        while (offset < lease.Length && lease.TryGetFileRange(offset, out ObjectFileRange range)
            && GatheredSend.TrySendFile(socket, range, out long sent) && sent > 0)
        {
            offset += sent;
        }

        return offset;
    }

    /// <summary>Is all of a longer body checked and in memory, so that its file's send does not wait for the disk?</summary>
    private static bool IsAtHand(ObjectLease lease, ResidentRuns resident)
    {
        if (lease.Length > ObjectHits.MaxObjectBytes)
        {
            return false;
        }

        try
        {
            for (long offset = 0; offset < lease.Length;)
            {
                if (!TryMap(lease, offset, out MappedRun run) || !resident.Contains(run))
                {
                    return offset == 0 && lease.TryReadWhole(out _);
                }

                offset += run.Length;
            }

            return true;
        }
        catch (IOException)
        {
            // Damaged: the store has forgotten it, the ordinary way fetches it anew.
            return false;
        }
    }

    /// <summary>Where all of a short body lies.</summary>
    private static bool TryGet(ObjectLease lease, ResidentRuns resident, out IoVector piece)
    {
        piece = default;
        try
        {
            if (lease.Length == 0)
            {
                return true;
            }

            if (TryMap(lease, 0, out MappedRun run) && run.Length == lease.Length && resident.Contains(run))
            {
                piece = new IoVector { Base = (byte*)run.Address, Length = (nuint)run.Length };
                return true;
            }

            if (!lease.TryReadWhole(out ReadOnlySpan<byte> bytes))
            {
                return false;
            }

            // Pinned memory of this thread, which sends before it reads anything else.
            piece = new IoVector { Base = (byte*)Unsafe.AsPointer(in bytes.GetPinnableReference()), Length = (nuint)bytes.Length };
            return true;
        }
        catch (IOException)
        {
            return false; // damaged, as above
        }
    }

    /// <summary>
    /// What was found right is not believed for long: an object of one part is checked here and now if it is in memory, which costs less
    /// than its send and keeps a loop from its other clients for some 50 µs. The ordinary way, where longer ones are checked, costs ten
    /// times as much, and all who ask at that moment would take it.
    /// </summary>
    private static bool TryMap(ObjectLease lease, long offset, out MappedRun run)
    {
        if (lease.TryGetMapped(offset, out run))
        {
            return true;
        }

        if (lease.Length is <= ObjectLease.MaxWholeBytes or > ObjectLease.PartBytes)
        {
            return false;
        }

        Span<byte> first = stackalloc byte[1];
        return lease.TryRead(offset, first) > 0 && lease.TryGetMapped(offset, out run);
    }
}
