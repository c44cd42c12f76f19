using System.IO.Pipelines;
using Breakwater.CacheStore;
using Breakwater.Proxy.Fetching;
using Breakwater.Proxy.Outcomes;

namespace Breakwater.Proxy.Serving;

/// <summary>Sends bodies chunk by chunk, waiting for each flush: a connection never holds more than one chunk.</summary>
internal static class BodyResponder
{
    /// <summary>64 to 128 KB measured best (store.md, "Serving").</summary>
    private const int ChunkBytes = 128 << 10;

    /// <summary>Sends a run of a stored object's bytes.</summary>
    /// <exception cref="IOException">The stored copy is damaged; <see cref="RequestOutcome.BytesSent"/> tells how far it went.</exception>
    public static async Task SendAsync(HttpContext context, ObjectLease lease, long offset, long count, RequestOutcome outcome)
    {
        PipeWriter writer = context.Response.BodyWriter;
        while (count > 0)
        {
            int wanted = (int)Math.Min(count, ChunkBytes);
            Memory<byte> memory = writer.GetMemory(wanted)[..wanted];
            int read = lease.TryRead(offset, memory.Span);
            if (read < 0)
            {
                outcome.TouchedDisk = true;
                read = await lease.ReadAsync(offset, memory, context.RequestAborted);
            }

            if (read == 0)
            {
                throw new IOException("A stored object ended before its length.");
            }

            if (!await FlushAsync(writer, read, context, outcome))
            {
                return;
            }

            offset += read;
            count -= read;
        }
    }

    /// <summary>
    /// Sends what a follower reads, up to <paramref name="count"/> bytes or the end of the object. The end of a part waits until all of the
    /// object is known to be right, as the end of the whole does: no answer is complete and wrong.
    /// </summary>
    /// <returns>False: the fetch failed half-way; the response must be cut.</returns>
    public static async Task<bool> SendAsync(HttpContext context, FetchFollower follower, long offset, long count, RequestOutcome outcome)
    {
        PipeWriter writer = context.Response.BodyWriter;
        try
        {
            if (!follower.IsVerified)
            {
                // Its client hears something while the last bytes wait.
                await writer.FlushAsync(context.RequestAborted);
            }

            while (count > 0)
            {
                FollowState state = await follower.WaitAsync(offset, context.RequestAborted);
                if (state != FollowState.Readable)
                {
                    return state == FollowState.Ended && count > long.MaxValue / 2;
                }

                int wanted = (int)Math.Min(count, ChunkBytes);
                Memory<byte> memory = writer.GetMemory(wanted)[..wanted];
                int read = await follower.ReadAsync(offset, memory, context.RequestAborted);
                if (read == 0)
                {
                    return false;
                }

                if (read == count && !await follower.WaitVerifiedAsync(offset + read, context.RequestAborted))
                {
                    return false;
                }

                if (!await FlushAsync(writer, read, context, outcome))
                {
                    return true;
                }

                offset += read;
                count -= read;
            }

            return true;
        }
        catch (IOException) when (!context.RequestAborted.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>False: the client is gone.</summary>
    private static async ValueTask<bool> FlushAsync(PipeWriter writer, int bytes, HttpContext context, RequestOutcome outcome)
    {
        writer.Advance(bytes);
        outcome.BytesSent += bytes;
        FlushResult flushed = await writer.FlushAsync(context.RequestAborted);
        if (flushed.IsCompleted)
        {
            outcome.Result = RequestResult.ClientGone;
        }

        return !flushed.IsCompleted;
    }
}
