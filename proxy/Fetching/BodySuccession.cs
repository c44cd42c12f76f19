using System.Buffers;
using Breakwater.CacheStore.Spooling;

namespace Breakwater.Proxy.Fetching;

/// <summary>
/// The bodies of one fetch, one after the other: a wrong one is replaced, and the new one is compared with it as far as it went out, so
/// that who has read of the old one knows whether he may go on in the new one. Read by anybody; changed by the fetch's own flow.
/// </summary>
/// <param name="begin">Starts an empty body.</param>
internal sealed class BodySuccession(Func<GrowingObject> begin)
{
    private const int CompareBytes = 128 << 10;

    private volatile GrowingObject _current = begin();
    private GrowingObject? _previous;                   // the fetch's own flow only; held
    private long _agreed = long.MaxValue;               // leading bytes equal to those of the body before; MaxValue: there was none
    private long _agreedBefore = long.MaxValue;         // the same, one body earlier; MaxValue when nobody saw any of that one

    /// <summary>The body in force.</summary>
    public GrowingObject Current => _current;

    /// <summary>How many leading bytes of the body in force are known to equal those of the bodies before it.</summary>
    public long AgreedBytes => Math.Min(Volatile.Read(ref _agreed), Volatile.Read(ref _agreedBefore));

    /// <summary>Appends to the body in force.</summary>
    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (_previous is { Released: > 0 } previous)
        {
            await CompareAsync(_current.Appended, bytes, previous, cancellationToken);
        }

        await _current.AppendAsync(bytes, cancellationToken);
    }

    /// <summary>Starts an empty body in place of a wrong one, which is kept for comparing.</summary>
    public async ValueTask ReplaceAsync()
    {
        await ForgetPreviousAsync();
        GrowingObject old = _current;
        _previous = old;
        Volatile.Write(ref _agreedBefore, old.Released == 0 ? long.MaxValue : AgreedBytes);
        Volatile.Write(ref _agreed, 0);
        _current = begin();
        old.Break();
    }

    /// <summary>Nothing more is compared.</summary>
    public async ValueTask ForgetPreviousAsync()
    {
        if (_previous is { } previous)
        {
            _previous = null;
            await previous.ReleaseHoldAsync();
        }
    }

    /// <summary>Compares new bytes with those of the body before, as far as these went out.</summary>
    private async ValueTask CompareAsync(long offset, ReadOnlyMemory<byte> bytes, GrowingObject previous,
        CancellationToken cancellationToken)
    {
        byte[] old = ArrayPool<byte>.Shared.Rent(CompareBytes);
        try
        {
            while (_agreed == offset && bytes.Length > 0 && offset < previous.Released)
            {
                int read = await previous.ReadAsync(offset, old.AsMemory(0, Math.Min(old.Length, bytes.Length)), cancellationToken);
                if (read == 0)
                {
                    return;
                }

                int common = bytes.Span[..read].CommonPrefixLength(old.AsSpan(0, read));
                Volatile.Write(ref _agreed, _agreed + common);
                offset += read;
                bytes = bytes[read..];
            }
        }
        catch (IOException)
        {
            // The body before has left memory: what is not compared does not agree, and whoever has read it is cut.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(old);
        }
    }
}
