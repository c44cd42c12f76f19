using Breakwater.CacheStore;

namespace Breakwater.Proxy.Seeding.Format;

/// <summary>Writes one stream into files of bounded length, each beside its place until <see cref="Complete"/>. Not thread-safe.</summary>
/// <param name="bundle">Path of the bundle; its parts have numbers behind it.</param>
/// <param name="partBytes">Most bytes of a part.</param>
internal sealed class SplitFiles(string bundle, long partBytes) : WriteOnlyStream
{
    private const string Partial = ".partial";

    private FileStream? _current;
    private int _parts;

    /// <summary>All is written: the parts appear, and those of an earlier, longer bundle of this name go.</summary>
    public void Complete()
    {
        Close(flushToDisk: true);
        for (int number = 1; number <= _parts; number++)
        {
            string part = BundleParts.NameOf(bundle, number);
            File.Move(part + Partial, part, overwrite: true);
        }

        foreach (int stale in BundleParts.Numbers(bundle).Where(number => number > _parts).ToArray())
        {
            File.Delete(BundleParts.NameOf(bundle, stale));
        }
    }

    /// <summary>It failed: what was written goes; on a full disk others may need its room.</summary>
    public void Abandon()
    {
        Close(flushToDisk: false);
        for (int number = 1; number <= _parts; number++)
        {
            try
            {
                File.Delete(BundleParts.NameOf(bundle, number) + Partial);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // What made the write fail is what is told.
            }
        }
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_current is null || _current.Position >= partBytes)
            {
                Close(flushToDisk: true);
                _parts++;
                _current = new FileStream(BundleParts.NameOf(bundle, _parts) + Partial, FileMode.Create, FileAccess.Write, FileShare.None,
                    0);
            }

            int now = (int)Math.Min(buffer.Length, partBytes - _current.Position);
            _current.Write(buffer[..now]);
            buffer = buffer[now..];
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }

    public override void Flush() => _current?.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close(flushToDisk: false);
        }

        base.Dispose(disposing);
    }

    private void Close(bool flushToDisk)
    {
        if (flushToDisk)
        {
            _current?.Flush(flushToDisk: true);
        }

        _current?.Dispose();
        _current = null;
    }
}
