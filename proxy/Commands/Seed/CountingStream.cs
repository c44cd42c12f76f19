using Breakwater.CacheStore;

namespace Breakwater.Proxy.Commands.Seed;

/// <summary>Counts what is written to another stream, which stays the caller's and may be a pipe.</summary>
/// <param name="inner">The other stream.</param>
/// <param name="told">Says of a failure of that stream what it was that failed.</param>
internal sealed class CountingStream(Stream inner, Func<Exception, IOException> told) : WriteOnlyStream
{
    /// <summary>Bytes written.</summary>
    public long Written { get; private set; }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            inner.Write(buffer);
        }
        catch (IOException e)
        {
            throw told(e);
        }

        Written += buffer.Length;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await inner.WriteAsync(buffer, cancellationToken);
        }
        catch (IOException e)
        {
            throw told(e);
        }

        Written += buffer.Length;
    }

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);
}
